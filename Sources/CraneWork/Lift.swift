import Telemetry

/// What is not certain about a lift.
package struct LiftQuality: OptionSet, Hashable, Sendable, Codable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The load hung already when readings began; the lift is older than `start`.
    package static let startUnseen = LiftQuality(rawValue: 1)
    /// Readings ended before the load was down; `end` is the last of them.
    package static let endUnseen = LiftQuality(rawValue: 2)
    /// Neither height nor radius nor slewing was read, so nobody knows that the load moved.
    package static let movementUnknown = LiftQuality(rawValue: 4)
    /// The lift was cut because it had lasted for `LiftOptions.longestLift`.
    package static let cutForLength = LiftQuality(rawValue: 8)

    /// What is uncertain, as words.
    package var words: [String] {
        [
            (Self.startUnseen, "start_unseen"), (.endUnseen, "end_unseen"),
            (.movementUnknown, "movement_unknown"), (.cutForLength, "cut_for_length"),
        ].filter { contains($0.0) }.map(\.1)
    }
}

/// Who was logged on when a lift began.
package enum LiftSession: String, Hashable, Sendable, Codable, CaseIterable {
    /// Somebody was; `operatorID` says who.
    case open
    /// The crane said that nobody was: a lift without session.
    case absent
    /// The crane does not say, or the profile drops it as personal data.
    case unknown
}

/// Where a quantity began, ended and went during a lift, in metres.
package struct LiftTravel: Hashable, Sendable, Codable {
    package var start: Double
    package var end: Double
    /// The extremes that two readings in a row have reached.
    package var least: Double
    package var greatest: Double

    package init(start: Double, end: Double, least: Double, greatest: Double) {
        self.start = start
        self.end = end
        self.least = least
        self.greatest = greatest
    }
}

/// One work cycle of a crane: a load from picking up to setting down.
///
/// Loads are as the crane measured them, the empty hook included; `liftedLoad` is without it.
/// Peaks of load, moment and wind count single readings, because a real overload may be no longer.
package struct Lift: Hashable, Sendable, Codable {
    package var crane: DeviceID
    /// The first reading above the start threshold.
    package var start: Timestamp
    /// The first reading below the end threshold; the last reading of a lift whose end is unseen.
    package var end: Timestamp
    /// Tonnes, the greatest single reading.
    package var peakLoad: Double
    /// Tonnes, the greatest load that two readings in a row have reached.
    package var heldLoad: Double
    /// Tonnes that the empty hook weighed when the lift began.
    package var zeroLoad: Double
    /// Percent of the rated moment.
    package var peakMomentRatio: Double?
    /// Percent of the rated load, as reported or else load over rated load.
    package var peakLoadRatio: Double?
    package var radius: LiftTravel?
    package var height: LiftTravel?
    package var heightReference: HookReference
    /// Degrees as read.
    package var slewStart: Double?
    package var slewEnd: Double?
    /// Degrees turned to and fro.
    package var slewed: Double
    /// Metres per second.
    package var greatestWind: Double?
    package var session: LiftSession
    /// Personal data; nil unless the session is open.
    package var operatorID: String?
    /// How often somebody else was logged on, or nobody, before the lift was over.
    package var operatorChanges: Int
    /// The first word of the vocabulary's `work_status` during the lift.
    package var workStatus: String?
    /// How often load or moment rose to the warning limit, and for how long they stood there.
    package var warnings: Int
    package var timeAtWarning: Duration
    /// How often load or moment rose to 100 %, and for how long they stood there.
    package var overloads: Int
    package var timeAtOverload: Duration
    /// The device's own alarms that stood during the lift.
    package var raisedAlarms: CraneAlarmSet
    package var warnedAlarms: CraneAlarmSet
    /// Good readings of the load.
    package var samples: Int
    /// Good readings over expected ones; nil when nobody has said how often they come.
    package var coverage: Double?
    package var quality: LiftQuality
    package var isBackfill: Bool

    /// The deterministic key of the lift: `crane|start`.
    package var key: String { "\(crane)|\(start.milliseconds)" }

    /// From picking up to setting down.
    package var duration: Duration { end - start }

    /// Tonnes that were moved, without the empty hook and without a spike of one reading.
    package var liftedLoad: Double { max(0, heldLoad - zeroLoad) }

    /// Whether readings began or ended in the middle of the lift.
    package var isTruncated: Bool {
        !quality.isDisjoint(with: [.startUnseen, .endUnseen, .cutForLength])
    }

    /// The points of the worst alarms: those that stood at `alarm`, else those at `warning`.
    package var worstAlarms: [String] {
        raisedAlarms.isEmpty ? warnedAlarms.words : raisedAlarms.words
    }
}
