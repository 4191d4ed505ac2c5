import Telemetry

/// Which data mark (数据标记) a factor bears, by the quality of its readings.
///
///     N normal    F instrument stopped    M maintenance    S set by hand    C calibrating
///     D fault     T above range           B no communication with the instrument
///
/// F, M, S and C are said by the site (`HJ212Station.marks`), the others follow from readings. The
/// share is that of annex D, which is made for flue gas; for dust it is the custom.
package struct HJ212Marks: Hashable, Sendable {
    /// Whether marks are sent at all.
    package var isSent = true
    /// From which share of good readings on a period is normal, 0 to 1.
    package var goodShare = 0.75
    /// The letter of each reason for which a reading has no value.
    package var letters: [BadReason: String] = [
        .disconnected: "B", .timeout: "B", .exception: "B", .foreignAnswer: "B", .missed: "B",
        .outOfRange: "T",
    ]
    /// For reasons that have no letter of their own, or that nobody knows.
    package var otherwise = "D"

    package init() {}

    /// The mark of one factor over one period.
    ///
    /// Good readings count against those expected, or against all where nobody has said how many
    /// are expected. Readings that are expected and never came count as `missed`.
    package func mark(_ entry: UplinkItem.Entry) -> String {
        let (good, bad) = (max(0, entry.rollup.count), max(0, entry.rollup.bad))
        let (seen, overflow) = good.addingReportingOverflow(bad)
        let all = overflow ? Int.max : seen
        let wanted = entry.rollup.expected.map { max($0, 1) } ?? all
        if wanted > 0, Double(good) / Double(wanted) >= goodShare { return "N" }
        var votes: [String: Int] = [:]
        var told = 0
        for sample in entry.samples {
            guard case .bad(let reason) = sample.reading else { continue }
            votes[letter(reason), default: 0] += 1
            told += 1
        }
        // Without samples only the number of bad readings is known, and not why.
        if told < bad { votes[otherwise, default: 0] += bad - told }
        if wanted > all { votes[letter(.missed), default: 0] += wanted - all }
        // The first letter among equals, so that the same readings always bear the same mark.
        return votes.min { ($1.value, $0.key) < ($0.value, $1.key) }?.key ?? letter(.missed)
    }

    private func letter(_ reason: BadReason) -> String { letters[reason] ?? otherwise }

    var faults: [String] {
        var faults: [String] = []
        if !(goodShare > 0 && goodShare <= 1) {
            faults.append("marks: the share of good readings lies above 0 and is 1 at most")
        }
        if !(Array(letters.values) + [otherwise]).allSatisfy(Self.isMark) {
            faults.append("marks: a mark is one capital letter or digit")
        }
        return faults
    }

    static func isMark(_ text: String) -> Bool {
        text.utf8.count == 1
            && text.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) }
    }
}
