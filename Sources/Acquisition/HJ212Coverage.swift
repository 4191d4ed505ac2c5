import Telemetry

/// The minutes of a station that are stored, series by series, so that means fill gaps only.
///
///     2011 10:01  pm10 ■          2051 10:01  pm10, noise  →  noise is stored, pm10 is left out
///     2011 10:02  pm10 ■          2061 10:00  pm10         →  stored unless all 60 minutes are
struct HJ212Coverage: Sendable {
    /// What one scan covers.
    struct Mark: Sendable {
        var minute: Int64
        var columns: [Int]
    }

    /// A day and two hours of minutes.
    private static let kept: Int64 = 26 * 60

    private var minutes: [Int: Set<Int64>] = [:]

    /// What a scan covers with its good readings; nil for means of an hour or a day.
    static func mark(_ command: String, _ scan: Scan) -> Mark? {
        guard command == "2011" || command == "2051" else { return nil }
        let columns = scan.readings.indices.filter { scan.readings[$0].isGood }
        return columns.isEmpty ? nil : Mark(minute: minute(scan.time), columns: columns)
    }

    /// Notes what is stored.
    mutating func add(_ mark: Mark) {
        for column in mark.columns {
            var set = minutes.removeValue(forKey: column) ?? []
            set.insert(mark.minute)
            if set.count > 2 * Self.kept, let newest = set.max() {
                set = set.filter { $0 > newest - Self.kept }
            }
            minutes[column] = set
        }
    }

    /// Leaves out of a mean what is stored in finer steps.
    ///
    /// A minute's mean gives way to what is stored of its first minute, because nobody says how
    /// long its period is; that of an hour or a day to what is stored of every minute.
    ///
    /// - Returns: false when nothing good is left that there was, or nothing was good and something
    ///   is stored.
    func fillsGap(_ command: String, _ scan: inout Scan) -> Bool {
        guard command != "2011" else { return true }
        let first = Self.minute(scan.time)
        let span = first..<(first + max(1, Self.period(of: command).milliseconds / 60_000))
        let covered = scan.readings.indices.filter { column in
            guard let stored = minutes[column] else { return false }
            return span.allSatisfy(stored.contains)
        }
        guard scan.readings.contains(where: \.isGood) else { return covered.isEmpty }
        for column in covered { scan.readings[column] = .bad(.absent) }
        return scan.readings.contains(where: \.isGood)
    }

    /// When the period of a packet is over at the latest.
    static func end(of command: String, _ time: Timestamp) -> Timestamp {
        // A minute packet's period is at most half an hour.
        time + (command == "2051" ? .seconds(1800) : period(of: command))
    }

    private static func period(of command: String) -> Duration {
        switch command {
        case "2051": .seconds(60)
        case "2061": .seconds(3600)
        case "2031": .seconds(86_400)
        default: .zero
        }
    }

    private static func minute(_ time: Timestamp) -> Int64 {
        time.slot(every: .seconds(60)).milliseconds / 60_000
    }
}
