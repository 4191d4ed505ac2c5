import Telemetry

/// What one term remembers: its judgement, and what it needs of the past for the next one.
struct TermState: Hashable, Sendable {
    /// A closed stretch of the day of one series.
    struct Closed: Hashable, Sendable {
        var end: Timestamp
        var value: Double?
        var samples: Int
        var coverage: Double?
    }

    /// One series of the term.
    struct Operand: Hashable, Sendable {
        var window: RollingWindow?
        /// When it said anything last, good or bad.
        var heard: Timestamp?
        /// The newest reading and its time; a bad one is nil with its time.
        var time: Timestamp?
        var number: Double?
        var word: String?
        /// The newest closed stretch.
        var closed: Closed?
        /// Since when: of silence, the last good reading; of an unchanged value, its first one.
        var since: Timestamp?
        /// Whether `since` comes from history.
        var isHistory = false
        /// Good readings that brought the same value.
        var repeats = 0
    }

    var standing: AlarmJudgement = .undecidable
    /// The newest instant for which it was judged.
    var newest: Timestamp?
    /// What the newest decidable judgement rested on.
    var evidence: AlarmEvidence?
    /// The site day whose breaches are counted, in days since 1970, and their number.
    var day = 0
    var count = 0
    var operands: [Operand]

    init(operands: Int = 0) {
        self.operands = Array(repeating: Operand(), count: operands)
    }
}
