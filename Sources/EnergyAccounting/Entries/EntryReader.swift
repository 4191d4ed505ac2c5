import LocatedText
import Telemetry

/// Reads one entry of the file that people write in; nil where something is wrong, and a fault.
struct EntryReader {
    private var reader: MappingReader
    private let subject: LocatedNode?
    private let location: Location
    private let faults: FaultCollector

    init(_ node: LocatedNode, _ kind: String, _ faults: FaultCollector) {
        reader = MappingReader(node, faults)
        subject = reader.required(kind)
        location = node.location
        self.faults = faults
    }

    func finish() { reader.finish() }

    mutating func exchange() -> EnergyEntries.Exchange? {
        let at = instant("at")
        let end = number("old_end")
        let start = number("new_start")
        guard let meter = word(), let note = note(), let at, let end, let start else { return nil }
        return EnergyEntries.Exchange(
            meter: meter, at: at, oldEnd: end, newStart: start, note: note)
    }

    mutating func ratio() -> EnergyEntries.Exchange? {
        let at = instant("at")
        let from = positive("from")
        let to = positive("to")
        let register = number("register")
        guard let meter = word(), let note = note(), let at, let from, let to, let register else {
            return nil
        }
        return EnergyEntries.Exchange(
            meter: meter, at: at, oldEnd: register * from, newStart: register * to, note: note)
    }

    mutating func rescaling() -> EnergyEntries.Rescaling? {
        let span = span()
        let was = positive("was")
        let now = positive("is")
        guard let meter = word(), let note = note(), let span, let was, let now else { return nil }
        return EnergyEntries.Rescaling(
            meter: meter, from: span.from, to: span.to, factor: now / was, note: note)
    }

    mutating func adjustment() -> EnergyEntries.Adjustment? {
        let span = span()
        let amount = number("amount")
        let isEstimated = isEstimated(standard: true)
        guard let meter = word(), let note = note(), let span, let amount else { return nil }
        return EnergyEntries.Adjustment(
            meter: meter, from: span.from, to: span.to, amount: amount, isEstimated: isEstimated,
            note: note)
    }

    mutating func delivery() -> EnergyEntries.Delivery? {
        let first = reader.required("first").flatMap { $0.civilDate(faults) }
        let last = reader.optional("last").map { $0.civilDate(faults) } ?? first
        let amount = number("amount")
        let isEstimated = isEstimated(standard: false)
        guard let meter = word(), let note = note(withReason: false), let first, let last,
            let amount
        else { return nil }
        guard first <= last, last.dayNumber - first.dayNumber <= 366 else {
            faults.add(location, "a delivery covers 1 to 366 days, the first before the last")
            return nil
        }
        guard !amount.isNegative else {
            faults.add(location, "a delivery is not negative", remedy: "correct the entry itself")
            return nil
        }
        return EnergyEntries.Delivery(
            meter: meter, first: first, last: last, amount: amount, isEstimated: isEstimated,
            note: note)
    }

    /// The area or the people from a day on.
    mutating func dated(unit: String?) -> EnergyEntries.Dated? {
        let from = reader.required("from").flatMap { $0.civilDate(faults) }
        let value = subject.flatMap { node in
            unit.map { node.exact(unit: $0, faults) } ?? node.exact(faults)
        }
        guard let from, let value else { return nil }
        guard Exact.zero < value else {
            faults.add(location, "the number must be above 0")
            return nil
        }
        return EnergyEntries.Dated(step: .init(from: from, value: value), location: location)
    }

    mutating func output() -> (AccountingPeriod, Exact)? {
        guard let month = month(), let amount = subject?.exact(faults) else { return nil }
        return (month, amount)
    }

    mutating func production() -> EnergyEntries.Production? {
        let unit = reader.required("unit").flatMap { $0.string(faults) }
        let amount = number("amount")
        let month = month()
        guard let product = word(), let unit, let amount, let month else { return nil }
        return EnergyEntries.Production(product: product, unit: unit, month: month, amount: amount)
    }

    mutating func repair() -> EnergyEntries.Repair? {
        let from = instant("from")
        let to = reader.has("to") ? instant("to") : nil
        guard let meter = word(), let note = note(), let from else { return nil }
        return EnergyEntries.Repair(meter: meter, from: from, to: to, note: note)
    }

    mutating func certificate() -> EnergyEntries.Certificate? {
        let number = reader.required("number").flatMap { $0.string(faults) }
        let issued = reader.required("issued").flatMap { $0.civilDate(faults) }
        let due = reader.required("due").flatMap { $0.civilDate(faults) }
        guard let meter = word(), let note = note(withReason: false), let number, let issued,
            let due
        else { return nil }
        guard issued < due else {
            faults.add(location, "a certificate is due after it was issued")
            return nil
        }
        return EnergyEntries.Certificate(
            meter: meter, number: number, issued: issued, due: due, note: note)
    }
}

extension EntryReader {
    private func word() -> String? { subject?.string(faults) }

    private mutating func number(_ key: String) -> Exact? {
        reader.required(key).flatMap { $0.exact(faults) }
    }

    private mutating func positive(_ key: String) -> Exact? {
        guard let node = reader.required(key), let value = node.exact(faults) else { return nil }
        if Exact.zero < value { return value }
        faults.add(node.location, "'\(key)' must be above 0")
        return nil
    }

    private mutating func instant(_ key: String) -> Timestamp? {
        guard let node = reader.required(key), let text = node.string(faults) else { return nil }
        if let time = Timestamp(rfc3339: text) { return time }
        faults.add(
            node.location, "'\(text)' is not an instant",
            remedy: "with its offset, '2026-03-01T10:00:00+08:00'")
        return nil
    }

    private mutating func span() -> (from: Timestamp, to: Timestamp)? {
        guard let from = instant("from"), let to = instant("to") else { return nil }
        if from < to { return (from, to) }
        faults.add(location, "'from' must lie before 'to'")
        return nil
    }

    private mutating func month() -> AccountingPeriod? {
        guard let node = reader.required("month"), let text = node.string(faults) else {
            return nil
        }
        if let month = AccountingPeriod(text), month.kind == .month { return month }
        faults.add(node.location, "'\(text)' is not a month", remedy: "for example '2026-03'")
        return nil
    }

    private mutating func isEstimated(standard: Bool) -> Bool {
        let words = [("measured", false), ("bill", false), ("estimate", true)]
        return reader.optional("source").flatMap { $0.word(words, faults) } ?? standard
    }

    /// Who and why; the accounts can be checked only if both are told.
    private mutating func note(withReason: Bool = true) -> EntryNote? {
        let by = reader.required("by").flatMap { $0.string(faults) }
        let reason =
            withReason
            ? reader.required("reason").flatMap { $0.string(faults) }
            : reader.optional("reason").flatMap { $0.string(faults) } ?? ""
        guard let by, let reason else { return nil }
        return EntryNote(by: by, reason: reason, location: location)
    }
}
