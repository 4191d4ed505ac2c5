import LocatedText
import Telemetry

/// One conversion factor with all that a reader needs to judge it.
package struct ConversionFactor: Hashable, Sendable {
    /// What tells one row of dated factors from another.
    package struct Key: Hashable, Sendable {
        package var kind: FactorKind
        package var carrier: FactorCarrier
        /// Where it holds, for example `national` or `east`.
        package var region: String
        /// By which way of reckoning, for example `national-mean` or `equivalent`.
        package var scheme: String

        package init(kind: FactorKind, carrier: FactorCarrier, region: String, scheme: String) {
            self.kind = kind
            self.carrier = carrier
            self.region = region
            self.scheme = scheme
        }
    }

    package var key: Key
    /// The year whose figures it rests on; nil when nobody says.
    package var dataYear: Int?
    package var validity: ValiditySpan
    /// Not negative, in `unit`.
    package var value: Exact
    /// For example `kgCO2/kWh`.
    package var unit: String
    package var source: String
    package var evidence: FigureEvidence
    /// Where the file says so.
    package var location: Location

    /// - Parameters: as `FactorFile` reads them; `unit` fits the kind and the carrier.
    package init(
        key: Key, dataYear: Int?, validity: ValiditySpan, value: Exact, unit: String,
        source: String, evidence: FigureEvidence, location: Location
    ) {
        self.key = key
        self.dataYear = dataYear
        self.validity = validity
        self.value = value
        self.unit = unit
        self.source = source
        self.evidence = evidence
        self.location = location
    }

    /// The unit of the quantity that it takes: what stands behind the stroke of `unit`.
    package var quantityUnit: String {
        unit.split(separator: "/").last.map { String($0) } ?? ""
    }

    /// The line below a statement: value, region, data year, source and how sure it is.
    package var note: LocalizedText {
        let figure = "\(value.plainText) \(unit)"
        let year = dataYear.map { ", \($0)" } ?? ""
        return LocalizedText(
            en: "\(key.kind.text.en) of \(key.carrier.text.en): \(figure) (\(key.region), "
                + "\(key.scheme)\(year)); \(source); \(evidence.text.en)",
            zh: "\(key.carrier.text.zh)的\(key.kind.text.zh)系数：\(figure)（\(key.region)，"
                + "\(key.scheme)\(year)）；\(source)；\(evidence.text.zh)")
    }
}
