import Telemetry

/// 64-bit integers ↔ bytes: a prediction, chosen for the stream, and its differences in blocks.
///
///     byte      form (`Prediction.Form`)
///     zigzag    start, unless the form is `zeros` or `plain`
///     bits      differences in `ResidualBlocks`, unless the form is `zeros` or `constant`;
///               filled up to a whole byte
///
/// Neither the number of integers nor that of bytes is in the stream: the reader knows the first
/// and finds the second.
enum IntegerStream {
    /// `asBits` says that the numbers are patterns of bits, for which XOR is worth a try.
    static func encode(_ values: [Int64], asBits: Bool = false, into out: inout ByteWriter) {
        guard let first = values.first, values.contains(where: { $0 != first }) else {
            let value = values.first ?? 0
            out.byte(value == 0 ? Prediction.Form.zeros : Prediction.Form.constant)
            if value != 0 { out.zigzag(value) }
            return
        }
        var best: (prediction: Prediction, bits: BitWriter)?
        var residuals = [UInt64](repeating: 0, count: values.count)
        for prediction in candidates(values, asBits: asBits) {
            values.withUnsafeBufferPointer { values in
                residuals.withUnsafeMutableBufferPointer { prediction.difference(values, $0) }
            }
            var bits = BitWriter()
            ResidualBlocks.encode(residuals, into: &bits)
            if let best, bits.byteCount >= best.bits.byteCount { continue }
            best = (prediction, bits)
        }
        guard let best else { return }
        out.byte(best.prediction.form)
        if best.prediction.hasStart { out.zigzag(best.prediction.start) }
        best.bits.append(to: &out)
    }

    /// The prediction that leaves the fewest bits, without regard to the code, and the second if
    /// it is close.
    private static func candidates(_ values: [Int64], asBits: Bool) -> [Prediction] {
        typealias Form = Prediction.Form
        var forms = [Form.same, Form.steady]
        if asBits { forms.append(Form.exclusiveOr) }
        if values.allSatisfy({ $0 >= 0 }) { forms.append(Form.plain) }
        let mean = mean(values)
        if mean != nil { for weight: UInt8 in [0, 4, 6, 7] { forms.append(Form.drawn + weight) } }
        var ranked: [(prediction: Prediction, widths: Int)] = []
        for form in forms {
            let start = form >= Form.drawn ? mean ?? 0 : form == Form.plain ? 0 : values[0]
            let prediction = Prediction(form: form, start: start)
            let widths = widths(of: prediction, values)
            ranked.append((prediction, widths))
            // Mostly zeros: nothing will do better, and most columns of a quiet site are so.
            if form == Form.same, widths * 8 < sampled(values.count) { return [prediction] }
        }
        // The form decides among equals, so that the same values give the same bytes.
        ranked.sort { ($0.widths, $0.prediction.form) < ($1.widths, $1.prediction.form) }
        let isClose = ranked[1].widths - ranked[0].widths <= ranked[0].widths / 32
        return ranked.prefix(isClose ? 2 : 1).map(\.prediction)
    }

    private static let probes = 8
    private static let probeLength = 128

    /// How many of `count` values the choice of the prediction looks at.
    private static func sampled(_ count: Int) -> Int { min(count, probes * probeLength) }

    /// The sum of the residuals' widths; of long streams, in eight pieces of them.
    private static func widths(of prediction: Prediction, _ values: [Int64]) -> Int {
        values.withUnsafeBufferPointer { values in
            guard values.count > probes * probeLength else {
                return prediction.widths(of: values)
            }
            var sum = 0
            for probe in 0..<probes {
                let start = (values.count - probeLength) / (probes - 1) * probe
                let piece = UnsafeBufferPointer(rebasing: values[start..<start + probeLength])
                var local = prediction
                if start > 0, prediction.form < Prediction.Form.drawn, prediction.hasStart {
                    local = Prediction(form: prediction.form, start: values[start - 1])
                }
                sum &+= local.widths(of: piece)
            }
            return sum
        }
    }

    private static func mean(_ values: [Int64]) -> Int64? {
        var sum: Int64 = 0
        for value in values {
            let (next, overflow) = sum.addingReportingOverflow(value)
            if overflow { return nil }
            sum = next
        }
        return sum / Int64(values.count)
    }

    /// The `count` integers at the reader's position; the reader goes on behind them.
    static func decode(_ reader: inout ByteReader, count: Int) throws(Damage) -> [Int64] {
        let form = try reader.byte()
        guard form <= Prediction.Form.exclusiveOr || (8...15).contains(form) else {
            throw reader.damage("a stream of form \(form)")
        }
        if form == Prediction.Form.zeros { return [Int64](repeating: 0, count: count) }
        let start = form == Prediction.Form.plain ? 0 : try reader.zigzag()
        var values = [Int64](repeating: start, count: count)
        if form == Prediction.Form.constant || count == 0 { return values }
        let bytes = reader.bytes
        let position = reader.position
        let end = values.withUnsafeMutableBufferPointer { out in
            bytes.withUnsafeBytes { ResidualBlocks.decode($0, from: position, into: out) }
        }
        guard let end else { throw reader.damage("a stream that does not end") }
        try reader.skip(end - position)
        values.withUnsafeMutableBufferPointer {
            Prediction(form: form, start: start).restore($0)
        }
        return values
    }
}
