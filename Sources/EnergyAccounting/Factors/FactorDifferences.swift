import Telemetry

/// What is different about one factor between two books.
package enum FactorChange: Hashable, Sendable {
    case added(ConversionFactor)
    case removed(ConversionFactor)
    case changed(from: ConversionFactor, to: ConversionFactor)

    /// The change as a sentence: the factor, then what was and what is.
    package var text: LocalizedText {
        switch self {
        case .added(let factor):
            let name = Self.name(factor)
            return LocalizedText(
                en: "\(name.en) is new: \(Self.value(factor))",
                zh: "新增\(name.zh)：\(Self.value(factor))")
        case .removed(let factor):
            let name = Self.name(factor)
            return LocalizedText(
                en: "\(name.en) is gone: \(Self.value(factor))",
                zh: "删除\(name.zh)：\(Self.value(factor))")
        case .changed(let old, let new):
            let name = Self.name(new)
            let words = Self.words(old, new)
            return LocalizedText(
                en: "\(name.en) is different: \(words.joined(separator: "; "))",
                zh: "变更\(name.zh)：\(words.joined(separator: "；"))")
        }
    }

    private static func value(_ factor: ConversionFactor) -> String {
        "\(factor.value.plainText) \(factor.unit)"
    }

    private static func name(_ factor: ConversionFactor) -> LocalizedText {
        let row = "\(factor.key.region) \(factor.key.scheme) \(factor.validity.first)"
        return LocalizedText(
            en: "\(factor.key.kind.text.en) of \(factor.key.carrier.text.en) (\(row))",
            zh: "\(factor.key.carrier.text.zh)的\(factor.key.kind.text.zh)系数（\(row)）")
    }

    /// Each field that differs, `was -> is`; empty when only the place in the files does.
    fileprivate static func words(_ old: ConversionFactor, _ new: ConversionFactor) -> [String] {
        let none = "–"
        return [
            (value(old), value(new)),
            (
                old.validity.last.map { "until \($0)" } ?? none,
                new.validity.last.map { "until \($0)" } ?? none
            ),
            (
                old.dataYear.map { "data_year \($0)" } ?? none,
                new.dataYear.map { "data_year \($0)" } ?? none
            ),
            (old.evidence.rawValue, new.evidence.rawValue),
            (old.source, new.source),
        ].filter { $0.0 != $0.1 }.map { "\($0.0) -> \($0.1)" }
    }
}

extension FactorBook {
    /// What was added, removed or changed since an older book, in the order of this one and then
    /// of what is gone.
    ///
    /// A factor is the same one when its kind, carrier, region, scheme and first day are.
    package func differences(from older: FactorBook) -> [FactorChange] {
        struct Identity: Hashable {
            let key: ConversionFactor.Key
            let first: CivilDate
            init(_ factor: ConversionFactor) {
                key = factor.key
                first = factor.validity.first
            }
        }
        var before: [Identity: ConversionFactor] = [:]
        for factor in older.factors { before[Identity(factor)] = factor }
        var changes: [FactorChange] = []
        var kept: Set<Identity> = []
        for factor in factors {
            let identity = Identity(factor)
            kept.insert(identity)
            guard let old = before[identity] else {
                changes.append(.added(factor))
                continue
            }
            if !FactorChange.words(old, factor).isEmpty {
                changes.append(.changed(from: old, to: factor))
            }
        }
        return changes
            + older.factors.filter { !kept.contains(Identity($0)) }.map { .removed($0) }
    }
}
