/// The sizes in which current transformers are sold, to name the pair behind a wrong factor.
struct UsualTransformers {
    /// Two sizes that are taken for each other, or a ratio that is left out.
    enum Cause: Hashable {
        /// `wired`/s stands on the line, `configured`/s in the meter; amperes.
        case exchanged(wired: Double, configured: Double)
        /// The ratio primary/secondary is missing in one of the figures.
        case omitted(primary: Double, secondary: Double)
    }

    /// Amperes, ascending.
    let primaries: [Double]
    let secondaries: [Double]
    /// How far a factor may usually be from a quotient of sizes, as a part of it.
    let nearness: Double

    /// What may stand behind a factor, the nearest first.
    ///
    /// - Parameters:
    ///   - factor: by how much a figure has to be multiplied to be right, above zero.
    ///   - configured: what the meter is set to; then only causes with this size are named.
    ///   - nearness: how far the factor may be from a quotient, as a part of it.
    func causes(
        of factor: Double, configured: CurrentTransformer?, within nearness: Double
    ) -> [Cause] {
        var causes: [(Cause, distance: Double, size: Double)] = []
        func consider(_ quotient: Double, _ cause: Cause, size: Double) {
            let distance = (factor / quotient - 1).magnitude
            if distance <= nearness { causes.append((cause, distance, size)) }
        }
        for own in configured.map({ [$0.primary.double] }) ?? primaries where own > 0 {
            for other in primaries where other != own && other > 0 {
                consider(other / own, .exchanged(wired: other, configured: own), size: own)
            }
        }
        let ratios =
            configured.map { [($0.primary.double, $0.secondary.double)] }
            ?? primaries.flatMap { primary in secondaries.map { (primary, $0) } }
        for (primary, secondary) in ratios where secondary > 0 && primary > secondary {
            consider(
                primary / secondary, .omitted(primary: primary, secondary: secondary), size: primary
            )
            consider(
                secondary / primary, .omitted(primary: primary, secondary: secondary), size: primary
            )
        }
        // Of many pairs with one quotient the usual mistake is between neighbours in the list and
        // the ratio that was forgotten altogether; smaller sizes are commoner.
        return causes.sorted {
            (isFar($0.0), ($0.distance * 1000).rounded(), $0.size)
                < (isFar($1.0), ($1.distance * 1000).rounded(), $1.size)
        }.map(\.0)
    }

    /// Whether two sizes are too different to be taken for each other.
    private func isFar(_ cause: Cause) -> Int {
        guard case .exchanged(let wired, let configured) = cause else { return 0 }
        return max(wired / configured, configured / wired) > 5 ? 1 : 0
    }
}

extension UsualTransformers.Cause {
    /// For example `300/5 instead of 200/5`.
    func text(secondary: Double) -> (en: String, zh: String) {
        switch self {
        case .exchanged(let wired, let configured):
            let (w, c) = (Self.written(wired, secondary), Self.written(configured, secondary))
            return ("\(w) on the line, \(c) in the meter", "现场为 \(w) 而表内设为 \(c)")
        case .omitted(let primary, let secondary):
            let ratio = Self.written(primary, secondary)
            return ("the ratio \(ratio) is left out or applied twice", "变比 \(ratio) 漏乘或重复乘")
        }
    }

    private static func written(_ primary: Double, _ secondary: Double) -> String {
        func text(_ value: Double) -> String {
            Exact(decimal: value)?.plainText ?? "?"
        }
        return "\(text(primary))/\(text(secondary))"
    }
}
