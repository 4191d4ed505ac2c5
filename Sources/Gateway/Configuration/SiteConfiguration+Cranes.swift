import CraneWork
import LocatedText
import Telemetry

//  cranes:                                what cranes did; without it no lifts are counted
//    include: cranes/work.yaml            what counts as a lift (`crane-work/1`)
//    shifts: { day: "06:00", night: "18:00" }    each lasts until the next begins; optional: days

extension SiteConfiguration {
    /// What is recorded of the cranes' work.
    package struct Cranes: Hashable, Sendable {
        package var options: LiftOptions
        /// At least one.
        package var shifts: [LiftShift]
    }
}

extension SiteConfiguration.Cranes {
    /// Where the site names no shifts.
    package static let days = [LiftShift(name: "day", hour: 0)]

    static func parse(
        _ node: LocatedNode, _ faults: FaultCollector, _ readFile: (String) throws -> String
    ) -> Self? {
        var reader = MappingReader(node, faults)
        let include = reader.required("include")
        let shifts = reader.optional("shifts").map { Self.shifts($0, faults) } ?? days
        reader.finish()
        return include?.file(faults, readFile) {
            Self(options: try CraneWorkFile.parse($0, file: $1), shifts: shifts)
        }
    }

    private static func shifts(_ node: LocatedNode, _ faults: FaultCollector) -> [LiftShift] {
        let shifts = node.entries(faults).compactMap { entry -> LiftShift? in
            entry.value.minuteOfDay(faults).map {
                LiftShift(name: entry.key, hour: $0 / 60, minute: $0 % 60)
            }
        }
        do {
            return try ShiftPlan(shifts, calendar: .utc).shifts
        } catch {
            faults.add(
                node.location, "the shifts cannot be told apart",
                remedy:
                    "each has a name and a start: '{ day: \"06:00\", night: \"18:00\" }'"
            )
            return days
        }
    }
}

extension LocatedNode {
    /// A time of day, `"07:30"`, in minutes after midnight.
    func minuteOfDay(_ faults: FaultCollector) -> Int? {
        guard let text = string(faults) else { return nil }
        var cursor = DigitCursor(text.utf8)
        if let hour = cursor.digits(2), cursor.take(":"), let minute = cursor.digits(2),
            cursor.isAtEnd, hour < 24, minute < 60
        {
            return hour * 60 + minute
        }
        faults.add(
            location, "'\(text)' is not a time of day", remedy: "for example '\"07:30\"'")
        return nil
    }
}
