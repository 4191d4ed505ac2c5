import LocatedText
import Telemetry

extension MeterTree {
    /// The unit in which counters of energy are kept, and in which figures are told.
    package static let counterUnit = "kWh"

    /// Says which meters name a series that is not there, counts nothing or counts something else.
    package func bindingFaults(series: some Sequence<Series>) -> [Fault] {
        var known: [SeriesID: Series] = [:]
        for one in series { known[one.id] = one }
        return meters.compactMap { meter in
            guard let series = known[meter.counter] else {
                let near = Spelling.nearest(
                    to: meter.counter.description, among: known.keys.map(\.description).sorted())
                return Fault(
                    meter.location, "no device reports '\(meter.counter)'",
                    remedy: near.map { "did you mean '\($0)'?" }
                        ?? "the device's profile lists its points")
            }
            guard series.kind == .counter else {
                return Fault(
                    meter.location,
                    "'\(meter.counter)' is a \(series.kind.rawValue), not a counter",
                    remedy: "name the point that counts energy")
            }
            guard series.unit == Self.counterUnit else {
                return Fault(
                    meter.location,
                    "'\(meter.counter)' counts '\(series.unit)', not '\(Self.counterUnit)'",
                    remedy: "name the point that counts energy")
            }
            return nil
        }
    }

    /// What a meter counted in one bucket.
    ///
    /// - Parameters:
    ///   - meter: its id; an unknown one gives a figure without a value.
    ///   - bucket: usually a site day.
    ///   - now: decides whether the bucket has ended.
    ///   - floorAreaSquareMetres: of the site; nil or not positive gives no figure per area.
    ///   - rollups: the rollups of a series that partition the bucket, as far as they exist.
    /// - Returns: kWh exact over any partition and rounded once; nil without an increase.
    package func figure(
        of meter: String, in bucket: Bucket, now: Timestamp, floorAreaSquareMetres: Double?,
        rollups: (SeriesID) -> [Rollup]
    ) -> EnergyFigure {
        let parts = self[meter].map { rollups($0.counter) } ?? []
        let whole = parts.dropFirst().reduce(parts.first) { $0?.merging($1) }
        let energy = whole?.increase?.double
        let area = floorAreaSquareMetres.flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
        return EnergyFigure(
            meter: meter, start: bucket.start, end: bucket.end, kilowattHours: energy,
            kilowattHoursPerSquareMetre: energy.flatMap { energy in area.map { energy / $0 } },
            coverage: whole?.coverage, isEstimated: whole?.isEstimated ?? false,
            isPartial: now < bucket.end)
    }

    /// Compares a meter with the sum of those directly below it.
    ///
    /// nil when the meter is unknown or has none below it.
    package func balance(
        of meter: String, in bucket: Bucket, rollups: (SeriesID) -> [Rollup]
    ) -> MeterBalance? {
        let children = children(of: meter)
        guard let parent = self[meter], !children.isEmpty else { return nil }
        var isEstimated = false
        func counted(_ series: SeriesID) -> ScaledInteger? {
            let parts = rollups(series)
            isEstimated = isEstimated || parts.contains(where: \.isEstimated)
            let increases = parts.compactMap(\.increase)
            return increases.isEmpty ? nil : increases.reduce(.zero, +)
        }
        let whole = counted(parent.counter)
        let below = children.map { (meter: $0.id, counted: counted($0.counter)) }
        let known = below.compactMap(\.counted)
        let sum = known.isEmpty ? nil : known.reduce(.zero, +)
        let missing = below.filter { $0.counted == nil }.map(\.meter)
        return MeterBalance(
            meter: meter, start: bucket.start, end: bucket.end, kilowattHours: whole?.double,
            sumOfChildren: sum?.double,
            unaccounted: missing.isEmpty ? whole.flatMap { w in sum.map { (w - $0).double } } : nil,
            missing: missing, isEstimated: isEstimated)
    }
}

/// What a meter counted beside the sum of those directly below it, over one bucket.
package struct MeterBalance: Hashable, Sendable {
    package var meter: String
    package var start: Timestamp
    package var end: Timestamp
    /// What the meter itself counted, in kWh; nil when nothing is known.
    package var kilowattHours: Double?
    /// What the known children counted together, in kWh.
    package var sumOfChildren: Double?
    /// The meter less its children, in kWh: what no child measures. Negative when the children
    /// count more than their parent. nil while any of them is unknown.
    package var unaccounted: Double?
    /// The children of which nothing is known in the bucket.
    package var missing: [String]
    package var isEstimated: Bool

    package init(
        meter: String, start: Timestamp, end: Timestamp, kilowattHours: Double?,
        sumOfChildren: Double?, unaccounted: Double?, missing: [String], isEstimated: Bool
    ) {
        self.meter = meter
        self.start = start
        self.end = end
        self.kilowattHours = kilowattHours
        self.sumOfChildren = sumOfChildren
        self.unaccounted = unaccounted
        self.missing = missing
        self.isEstimated = isEstimated
    }
}
