import Telemetry

/// The device alarms of a tower crane, as the vocabulary names their points.
///
/// The raw value is a bit of stored sets: never renumber, only append.
package enum CraneAlarm: UInt8, Hashable, Sendable, CaseIterable {
    case load = 0
    case moment, wind, height, radiusInner, radiusOuter, slewLeft, slewRight, tilt, collision
    case noEntry

    /// The point of the vocabulary that carries it.
    package var point: PointKey { PointKey(word) }

    /// The point key as text, for example `alarm_moment`.
    package var word: String {
        switch self {
        case .load: "alarm_load"
        case .moment: "alarm_moment"
        case .wind: "alarm_wind"
        case .height: "alarm_height"
        case .radiusInner: "alarm_radius_inner"
        case .radiusOuter: "alarm_radius_outer"
        case .slewLeft: "alarm_slew_left"
        case .slewRight: "alarm_slew_right"
        case .tilt: "alarm_tilt"
        case .collision: "alarm_collision"
        case .noEntry: "alarm_no_entry"
        }
    }
}

/// A set of device alarms, in two bytes.
package struct CraneAlarmSet: OptionSet, Hashable, Sendable, Codable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The set of one alarm.
    package init(_ alarm: CraneAlarm) { self.init(rawValue: 1 << UInt16(alarm.rawValue)) }

    /// Every alarm that has a name.
    static let all = CraneAlarmSet(CraneAlarm.allCases.map { CraneAlarmSet($0) })

    /// Whether the alarm is in the set.
    package func has(_ alarm: CraneAlarm) -> Bool { contains(CraneAlarmSet(alarm)) }

    /// The point keys, in the order of the vocabulary.
    package var words: [String] { CraneAlarm.allCases.filter { has($0) }.map(\.word) }
}

/// What the crane's own alarm points said at one instant.
package struct CraneAlarms: Hashable, Sendable {
    /// Those at `alarm`.
    package var raised: CraneAlarmSet
    /// Those at `warning`.
    package var warned: CraneAlarmSet
    /// Those at `normal`; one that is in no set said nothing, which is not its end.
    package var normal: CraneAlarmSet

    package init(
        raised: CraneAlarmSet = [], warned: CraneAlarmSet = [], normal: CraneAlarmSet = []
    ) {
        self.raised = raised
        self.warned = warned
        self.normal = normal
    }
}
