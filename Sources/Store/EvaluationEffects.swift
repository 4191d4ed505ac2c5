import Telemetry

/// The rollup of one series over one bucket, with its revision.
package struct RollupRecord: Hashable, Sendable {
    /// The series' number in the registry.
    package var series: Int
    package var bucket: Bucket
    package var rollup: Rollup
    /// 0 at the bucket's first close; a stored rollup gives way only to a higher revision.
    package var revision: Int

    package init(series: Int, bucket: Bucket, rollup: Rollup, revision: Int) {
        self.series = series
        self.bucket = bucket
        self.rollup = rollup
        self.revision = revision
    }
}

/// The volatile state of the evaluation, and the journal row up to which it has folded.
package struct EvaluationCheckpoint: Hashable, Sendable {
    /// The version of the format of `state`.
    package var version: Int
    /// The sequence of the last journal row that the state includes.
    package var cursor: Int64
    package var state: [UInt8]

    package init(version: Int, cursor: Int64, state: [UInt8]) {
        self.version = version
        self.cursor = cursor
        self.state = state
    }
}

/// What the evaluation found out, made durable in one transaction or not at all.
package struct EvaluationEffects: Hashable, Sendable {
    package var rollups: [RollupRecord]
    package var transitions: [AlarmTransition]
    package var owed: [OwedItem]
    /// What people asked for, with what came of it.
    package var instructions: [InstructionRecord]
    /// Messages to feeds; each is owed too.
    package var notices: [NoticeRecord]
    /// What cranes have done.
    package var craneRecords: [StoredCraneRecord]
    package var checkpoint: EvaluationCheckpoint?
    /// What moves from the journal into buckets; only together with a checkpoint.
    package var seals: [SealRequest]

    package init(
        rollups: [RollupRecord] = [], transitions: [AlarmTransition] = [],
        owed: [OwedItem] = [], instructions: [InstructionRecord] = [],
        notices: [NoticeRecord] = [], craneRecords: [StoredCraneRecord] = [],
        checkpoint: EvaluationCheckpoint? = nil,
        seals: [SealRequest] = []
    ) {
        self.instructions = instructions
        self.notices = notices
        self.craneRecords = craneRecords
        self.seals = seals
        self.rollups = rollups
        self.transitions = transitions
        self.owed = owed
        self.checkpoint = checkpoint
    }

    /// Whether applying it would write nothing.
    package var isEmpty: Bool {
        rollups.isEmpty && transitions.isEmpty && owed.isEmpty && instructions.isEmpty
            && notices.isEmpty && craneRecords.isEmpty && checkpoint == nil && seals.isEmpty
    }
}
