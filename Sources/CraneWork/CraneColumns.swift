import Telemetry

/// Where in the scans of one group a crane's values stand.
///
/// One group per crane is read: the one that reports `load_mass`. What a crane reports through other
/// groups (another topic, another bus) is not joined to it, because two groups have no common
/// instants; a group without `load_mass` has no columns.
///
/// The store's units are canonical: kilograms become tonnes and ratios per cent, exactly.
package struct CraneColumns: Hashable, Sendable {
    package let group: ScanGroup.ID
    package let crane: DeviceID
    /// How often a scan is expected, as `LiftDetector` wants it.
    package let period: Duration?
    /// From where heights are measured: `jib` when only `hook_drop` is reported.
    package let heightReference: HookReference

    private struct Column: Hashable, Sendable {
        var index: Int
        /// Nil for a number in the unit that a `CraneInstant` wants.
        var unit: Unit?
    }

    private var numbers: [PointKey: Column] = [:]
    private var operatorIndex: Int?
    private var statusIndex: Int?
    private var alarms: [Int: CraneAlarm] = [:]
    private let width: Int

    /// Nil for a group without `load_mass`. A point in a unit that has no rule here, or with a facet
    /// (`load_mass.x`), is left out as if the crane did not report it.
    package init?(group: ScanGroup) {
        self.group = group.id
        crane = group.device
        period = group.period
        width = group.series.count
        for (index, series) in group.series.enumerated() {
            let point = series.id.point
            switch point {
            case Self.operatorPoint: operatorIndex = index
            case Self.statusPoint: statusIndex = index
            default:
                if let units = Self.units[point], let unit = units[series.unit] {
                    numbers[point] = Column(index: index, unit: unit)
                } else if let alarm = CraneAlarm.allCases.first(where: { $0.point == point }) {
                    alarms[index] = alarm
                }
            }
        }
        heightReference =
            numbers[Self.height] == nil && numbers[Self.drop] != nil ? .jib : .base
        guard numbers[Self.load] != nil else { return nil }
    }

    /// What a scan says of the crane; nil when it belongs to another group or does not fit it.
    package func instant(of scan: Scan) -> CraneInstant? {
        guard scan.group == group, scan.readings.count == width else { return nil }
        func number(_ point: PointKey) -> Double? {
            guard let column = numbers[point], let value = scan.readings[column.index].number
            else { return nil }
            return column.unit.map { $0.fromCanonical(value) } ?? value
        }
        var instant = CraneInstant(
            time: scan.time, load: number(Self.load), ratedLoad: number(Self.ratedLoad),
            loadRatio: number(Self.loadRatio), momentRatio: number(Self.momentRatio),
            hookHeight: heightReference == .base
                ? number(Self.height) : number(Self.drop).map { -$0 },
            heightReference: heightReference, radius: number(Self.radius),
            slewAngle: number(Self.slew), windSpeed: number(Self.wind),
            isBackfill: scan.flags.contains(.backfill))
        if let operatorIndex { instant.logged = Self.logged(scan.readings[operatorIndex]) }
        if let statusIndex, case .good(.text(let word)) = scan.readings[statusIndex] {
            instant.workStatus = word
        }
        for (index, alarm) in alarms {
            switch scan.readings[index] {
            case .good(.text("alarm")): instant.alarms.raised.insert(CraneAlarmSet(alarm))
            case .good(.text("warning")): instant.alarms.warned.insert(CraneAlarmSet(alarm))
            case .good(.text("normal")): instant.alarms.normal.insert(CraneAlarmSet(alarm))
            default: break
            }
        }
        return instant
    }

    /// A profile lists the numbers that mean nobody (`invalid: ["255", ""]`), so an invalid one is
    /// the crane's word for it; a missing field says nothing.
    private static func logged(_ reading: Reading) -> LoggedOperator? {
        switch reading {
        case .good(.text(let id)): id.isEmpty ? .nobody : .id(id)
        case .bad(.invalid): .nobody
        case .good(.number), .bad: nil
        }
    }

    // MARK: The vocabulary's words

    private static let load = PointKey("load_mass")
    private static let ratedLoad = PointKey("rated_load_mass")
    private static let loadRatio = PointKey("load_ratio")
    private static let momentRatio = PointKey("load_moment_ratio")
    private static let height = PointKey("hook_height")
    private static let drop = PointKey("hook_drop")
    private static let radius = PointKey("trolley_radius")
    private static let slew = PointKey("slew_angle")
    private static let wind = PointKey("wind_speed")
    private static let operatorPoint = PointKey("operator_id")
    private static let statusPoint = PointKey("work_status")

    /// The units in which a point may be stored, each with the way to the unit of `CraneInstant`.
    private static let units: [PointKey: [String: Unit?]] = [
        load: masses, ratedLoad: masses, loadRatio: ratios, momentRatio: ratios,
        height: lengths, drop: lengths, radius: lengths, slew: ["deg": Unit?.none],
        wind: ["m/s": Unit?.none],
    ]
    private static let masses: [String: Unit?] = [
        "kg": Unit(symbol: "t", ucum: "t", dimension: Dimension("mass"), factor: 1000),
        "t": Unit?.none,
    ]
    private static let ratios: [String: Unit?] = [
        "1": Unit(symbol: "%", ucum: "%", dimension: Dimension("ratio"), factor: 0.01),
        "%": Unit?.none,
    ]
    private static let lengths: [String: Unit?] = ["m": Unit?.none]
}
