import Telemetry

/// How amounts are printed: everywhere with the same places, rounded once.
enum Print {
    static let amount = 2
    static let money = 2
    static let intensity = 4
    static let percent = 2
    static let price = 6

    /// A number, or a dash where nobody knows.
    static func number(
        _ value: Exact?, places: Int = amount, trace: String? = nil, isEstimated: Bool = false,
        missing: LocalizedText = LocalizedText(en: "not known", zh: "未知")
    ) -> StatementDocument.Cell {
        value.map {
            .number(
                StatementDocument.Number(
                    $0, places: places, trace: trace, isEstimated: isEstimated))
        } ?? .missing(missing)
    }

    /// A figure of statistics; what leaves the range of exact numbers is not told.
    static func double(
        _ value: Double?, places: Int = amount, isEstimated: Bool = false,
        missing: LocalizedText = LocalizedText(en: "not known", zh: "未知")
    ) -> StatementDocument.Cell {
        number(
            value.flatMap { ScaledInteger(rounding: $0) }.map { Exact($0) }, places: places,
            isEstimated: isEstimated, missing: missing)
    }

    /// A share as a per cent.
    static func percent(_ share: Exact?) -> StatementDocument.Cell {
        number(share.map { $0 * Exact(100) }, places: percent)
    }

    /// By how many per cent a figure differs from an earlier one; nothing beside nothing.
    static func change(_ now: Exact?, from before: Exact?) -> StatementDocument.Cell {
        guard let now, let before, !before.isZero else { return number(nil) }
        return number((now - before) / before.magnitude * Exact(100), places: percent)
    }

    static func figure(_ figure: AccountFigure, trace: String?) -> StatementDocument.Cell {
        number(figure.amount, trace: trace, isEstimated: figure.isEstimated)
    }
}

extension StatementDocument.Column {
    static func words(_ key: String, _ en: String, _ zh: String) -> Self {
        Self(key, LocalizedText(en: en, zh: zh), isNumber: false)
    }

    static func number(_ key: String, _ en: String, _ zh: String, unit: String = "") -> Self {
        Self(key, LocalizedText(en: en, zh: zh), unit: unit)
    }
}

/// What a number of a statement can be traced by: `node@period`, for `plumbline energy explain`.
package struct StatementTrace: Hashable, Sendable {
    /// What a number stands for: one meter, or one side of a carrier's balance.
    package enum Node: Hashable, Sendable {
        case meter(String)
        case carrier(Carrier, Side)
    }

    /// The sides of a balance (`CarrierBalance`).
    package enum Side: String, Hashable, Sendable, CaseIterable {
        case imported
        case generated
        case exported
        case gross
        case net
    }

    package var node: Node
    package var period: AccountingPeriod

    package init(_ node: Node, _ period: AccountingPeriod) {
        self.node = node
        self.period = period
    }

    /// The trace of what a meter counted.
    package static func meter(_ meter: Meter, _ period: AccountingPeriod) -> String {
        Self(.meter(meter.id), period).text
    }

    /// The trace of a side of a carrier's balance.
    package static func carrier(
        _ carrier: Carrier, _ side: Side, _ period: AccountingPeriod
    ) -> String {
        Self(.carrier(carrier, side), period).text
    }

    /// As it is written and read, `main@2026-03`, `electricity.net@2026`.
    package var text: String {
        switch node {
        case .meter(let id): "\(id)@\(period.label)"
        case .carrier(let carrier, let side):
            "\(carrier.rawValue).\(side.rawValue)@\(period.label)"
        }
    }

    /// nil for what is no trace.
    package init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, let period = AccountingPeriod(String(parts[1])) else { return nil }
        self.period = period
        let words = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        if words.count == 2, let carrier = Carrier(rawValue: String(words[0])),
            let side = Side(rawValue: String(words[1]))
        {
            node = .carrier(carrier, side)
        } else if words.count == 1, !words[0].isEmpty {
            node = .meter(String(words[0]))
        } else {
            return nil
        }
    }
}
