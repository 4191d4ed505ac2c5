import Telemetry

/// What has to be known about a device before its numbers are believed.
///
///     SunSpec models → identity → ratios ─▶ ready(binding) | different(why)
///
/// A value: it says what to read next and is told what came; whoever polls does the reading. An
/// answer that never came is no answer, so the caller begins anew when the device speaks again.
package struct DevicePreparation: Sendable {
    /// How it ended.
    package enum Outcome: Sendable {
        /// Poll by this binding.
        case ready(ModbusBinding)
        /// It is another device than the profile describes; the condition that does not hold.
        case different(String)
    }

    private enum Phase {
        case models(SunSpecSearch)
        case identity(Int)
        /// A ratio and what it read at the first of two times.
        case ratio(Int, first: Double?)
        case done(Outcome)
    }

    private var binding: ModbusBinding
    private let ratios: [(name: String, source: RegisterSource)]
    private var read: [String: Double] = [:]
    private var phase: Phase
    /// How often the ratio that is being read was another than before.
    private var changes = 0
    /// A register that is another at every look is no ratio, and must not keep the bus for ever.
    private static let mostChanges = 4

    /// - Parameters:
    ///   - binding: as the installer described the device.
    ///   - isRefresh: identity and models are known; only the ratios are read again.
    package init(_ binding: ModbusBinding, isRefresh: Bool = false) {
        self.binding = binding
        ratios = binding.readRatios
        phase = .done(.ready(binding))
        if isRefresh {
            phase = .ratio(0, first: nil)
        } else if binding.interface.isDiscovered {
            phase = .models(SunSpecSearch())
        } else {
            phase = .identity(0)
        }
        settle()
    }

    /// What to read next; nil when `outcome` is known.
    package var next: RegisterRequest? {
        switch phase {
        case .models(let search): search.next
        case .identity(let index): Self.request(binding.interface.identify[index].source)
        case .ratio(let index, _): Self.request(ratios[index].source)
        case .done: nil
        }
    }

    package var outcome: Outcome? { if case .done(let outcome) = phase { outcome } else { nil } }

    /// Takes the answer to `next`. A refusal (exception 1 to 3) is `.bad(.exception)` and an answer;
    /// silence is none and must not be told.
    package mutating func take(_ answer: RegisterAnswer) {
        switch phase {
        case .models(var search):
            search.take(answer)
            phase = .models(search)
            guard search.isDone else { return }
            if search.hasMarker {
                binding = binding.placed(at: search.found)
                phase = .identity(0)
            } else {
                phase = .done(.different("there is no SunSpec marker at 40000, 50000 or 0"))
            }
        case .identity(let index):
            let condition = binding.interface.identify[index]
            if let objection = condition.objection(to: answer) {
                phase = .done(.different(objection))
            } else {
                phase = .identity(index + 1)
            }
        case .ratio(let index, let first): takeRatio(index, first, answer)
        case .done: return
        }
        settle()
    }

    /// A ratio counts once it has been read twice alike.
    private mutating func takeRatio(_ index: Int, _ first: Double?, _ answer: RegisterAnswer) {
        let ratio = ratios[index]
        guard let value = ratio.source.number(in: answer) else {
            phase = .done(.different("the ratio '\(ratio.name)' cannot be read"))
            return
        }
        guard value == first || read[ratio.name] == value else {
            changes += 1
            phase =
                changes > Self.mostChanges
                ? .done(.different("the ratio '\(ratio.name)' is another at every reading"))
                : .ratio(index, first: value)
            return
        }
        changes = 0
        if let accepted = binding.refusal(of: value, for: ratio.name) {
            phase = .done(
                .different("the device says \(ratio.name) = \(value), accepted is \(accepted)"))
            return
        }
        read[ratio.name] = value
        phase = .ratio(index + 1, first: nil)
    }

    /// Goes on to the next phase that has something to ask.
    private mutating func settle() {
        if case .identity(let index) = phase, index >= binding.interface.identify.count {
            phase = .ratio(0, first: nil)
        }
        if case .ratio(let index, _) = phase, index >= ratios.count {
            phase = .done(.ready(binding.with(ratios: read)))
        }
    }

    private static func request(_ source: RegisterSource) -> RegisterRequest {
        RegisterRequest(area: source.area, address: source.address, count: source.count)
    }
}

extension RegisterSource {
    /// The raw number in the answer to exactly this source; nil when there is none.
    func number(in answer: RegisterAnswer) -> Double? {
        switch answer {
        case .registers(let words) where words.count == count && !area.isBits:
            guard type != .text else { return nil }
            let pattern = RegisterValue.pattern(words[...], of: self)
            return RegisterValue.number(pattern, of: self)?.value
        case .bits(let bits) where !bits.isEmpty && area.isBits: return bits[0] ? 1 : 0
        default: return nil
        }
    }
}

extension ModbusInterface.Identification {
    /// Why `answer` speaks against the device; nil when the condition holds.
    package func objection(to answer: RegisterAnswer) -> String? {
        let place = "\(source.area.rawValue)/\(source.address)"
        if case .bad(.exception) = answer {
            return isAbsent ? nil : "\(place) is refused"
        }
        if isAbsent { return "\(place) should be refused, and is there" }
        if source.type == .text {
            guard case .registers(let words) = answer,
                let text = RegisterValue.text(words[...], of: source)
            else { return "\(place) holds no text" }
            return equals == nil || text == equals
                ? nil : "\(place) says '\(text)', not '\(equals ?? "")'"
        }
        guard let number = source.number(in: answer) else { return "\(place) holds no number" }
        if let between, !between.contains(number) {
            return "\(place) is \(number), not between \(between.lowerBound) and "
                + "\(between.upperBound)"
        }
        if let equals, Double(equals) != number { return "\(place) is \(number), not \(equals)" }
        return nil
    }
}
