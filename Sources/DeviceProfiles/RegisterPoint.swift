import Telemetry

/// One point of a Modbus interface, tied to its places in the answers of a read plan.
///
/// A class without variables, so that a scan does not copy the tables of each point.
final class RegisterPoint: Sendable {
    /// A raw value and where the plan reads it.
    private struct Part: Sendable {
        var source: RegisterSource
        var scale: DecimalRatio
        /// nil only if the plan does not read it, which the linter refuses.
        var place: (answer: Int, offset: Int)?

        init(_ source: RegisterSource, scale: DecimalRatio, plan: [RegisterRequest]) {
            self.source = source
            self.scale = scale
            if !source.isUnplaced, let answer = plan.firstIndex(where: { $0.holds(source) }) {
                place = (answer, source.address - plan[answer].address)
            }
        }
    }

    let key: PointKey
    private let parts: [Part]
    private let exponent: (part: Part, sign: Int, bias: Int)?
    private let invalidBits: [UInt64]
    private let invalidTexts: [String]
    private let bits: ClosedRange<Int>?
    private let conversion: PointConversion

    init(_ point: ProfilePoint, plan: [RegisterRequest], parameters: [String: Double]) {
        key = point.key
        switch point.origin {
        case .register(let source): parts = [Part(source, scale: .one, plan: plan)]
        case .sum(let summands):
            parts = summands.map { Part($0.source, scale: DecimalRatio($0.scale), plan: plan) }
        case .payload, .factor, .meter: parts = []
        }
        if case .power10(let source, let sign, let bias) = point.scale {
            exponent = (Part(source, scale: .one, plan: plan), sign, bias)
        } else {
            exponent = nil
        }
        invalidBits = point.invalidBits
        invalidTexts = point.invalidTexts
        bits = point.bits
        conversion = PointConversion(point, parameters: parameters)
    }

    /// Either the wanted words or the reading that says why there are none.
    private enum Words {
        case here(ArraySlice<UInt16>)
        case bad(BadReason)
    }

    private func words(_ part: Part, _ answers: [RegisterAnswer]) -> Words {
        guard let place = part.place, place.answer < answers.count else { return .bad(.absent) }
        let end = place.offset + part.source.count
        switch answers[place.answer] {
        case .registers(let registers) where end <= registers.count:
            return .here(registers[place.offset..<end])
        case .bits(let bits) where end <= bits.count:
            return .here([bits[place.offset] ? 1 : 0])
        case .bad(let reason): return .bad(reason)
        default: return .bad(.foreignAnswer)
        }
    }

    /// - Parameter answers: already of the length that was asked for.
    func decode(_ answers: [RegisterAnswer]) -> Reading {
        if case .text = conversion { return decodeText(answers) }
        var total: DecimalRatio?
        for part in parts {
            let pattern: UInt64
            switch words(part, answers) {
            case .here(let words): pattern = RegisterValue.pattern(words, of: part.source)
            case .bad(let reason): return .bad(reason)
            }
            if invalidBits.contains(pattern) { return .bad(.invalid) }
            let number: DecimalRatio
            if let bits {
                let width = UInt64(bits.count)
                number = DecimalRatio(
                    numerator: Double(
                        pattern >> UInt64(bits.lowerBound) & (UInt64.max >> (64 - width))),
                    denominator: 1)
            } else if let plain = RegisterValue.number(pattern, of: part.source) {
                number = plain * part.scale
            } else {
                return .bad(.invalid)
            }
            total = total.map { $0 + number } ?? number
        }
        guard var total else { return .bad(.absent) }
        if let exponent {
            switch words(exponent.part, answers) {
            case .bad(let reason): return .bad(reason)
            case .here(let words):
                let pattern = RegisterValue.pattern(words, of: exponent.part.source)
                guard let raw = RegisterValue.number(pattern, of: exponent.part.source),
                    raw.value.magnitude < 1000,
                    let power = DecimalRatio.power10(
                        exponent.sign * Int(raw.value) + exponent.bias)
                else { return .bad(.invalid) }
                total = total * power
            }
        }
        return conversion.reading(total)
    }

    private func decodeText(_ answers: [RegisterAnswer]) -> Reading {
        guard let part = parts.first else { return .bad(.absent) }
        switch words(part, answers) {
        case .bad(let reason): return .bad(reason)
        case .here(let words):
            guard let text = RegisterValue.text(words, of: part.source),
                !invalidTexts.contains(text)
            else { return .bad(.invalid) }
            return text.isEmpty ? .bad(.absent) : .text(text)
        }
    }

    /// Writes the registers that stand for `value`.
    func encode(_ value: Value, into image: inout RegisterImage) {
        switch (conversion, value) {
        case (.number(let linear), .number(let canonical)):
            let raw = linear.raw(of: canonical)
            guard raw.isFinite else { return }
            encode(raw, into: &image)
        case (.state(let state), .text(let word)):
            guard let code = state.code(of: word).flatMap(Double.init) else { return }
            encode(code, into: &image)
        case (.flags(let flags), .text(let word)):
            guard let bits = flags.bits(of: word) else { return }
            encode(Double(bits), into: &image)
        case (.text, .text(let text)):
            guard let source = parts.first?.source else { return }
            write(RegisterValue.registers(text, of: source), of: source, into: &image)
        default: return
        }
    }

    private func encode(_ raw: Double, into image: inout RegisterImage) {
        var rest = raw
        if let exponent {
            // 10⁰ wherever the register can say so.
            let wanted = Double(-exponent.bias * exponent.sign)
            let source = exponent.part.source
            guard let pattern = RegisterValue.pattern(nearest: wanted, of: source),
                let said = RegisterValue.number(pattern, of: source),
                let power = DecimalRatio.power10(exponent.sign * Int(said.value) + exponent.bias)
            else { return }
            write(RegisterValue.registers(pattern, of: source), of: source, into: &image)
            rest /= power.value
        }
        for (index, part) in parts.enumerated() {
            let share = rest / part.scale.value
            let isLast = index == parts.count - 1
            let number = isLast ? share : share.rounded(.towardZero)
            guard
                var pattern = RegisterValue.pattern(nearest: number, of: part.source),
                !invalidBits.contains(pattern)
            else { return }
            if let bits {
                let mask = UInt64.max >> UInt64(64 - bits.count)
                let field = min(pattern, mask) << UInt64(bits.lowerBound)
                let words = part.source.addresses.map { image[part.source.area, $0] ?? 0 }
                let before = RegisterValue.pattern(words[...], of: part.source)
                pattern = before & ~(mask << UInt64(bits.lowerBound)) | field
            }
            write(RegisterValue.registers(pattern, of: part.source), of: part.source, into: &image)
            if !isLast {
                let written = RegisterValue.number(pattern, of: part.source)?.value ?? number
                rest -= written * part.scale.value
            }
        }
    }

    private func write(
        _ words: [UInt16], of source: RegisterSource, into image: inout RegisterImage
    ) {
        for (address, word) in zip(source.addresses, words) { image[source.area, address] = word }
    }
}
