import Telemetry

// What checkpoints of version 3 say of the alarms: one window, one term and no silence.
//
//     state    late scans, count of monitors, each:
//     monitor  rule, version, device, point (texts), phase, standing (bytes),
//              flags (1 newest, 2 onset, 4 backfill, 8 evidence, 16 window), [newest], [onset],
//              [evidence], count of returned alarms, each: onset, evidence; [window]
//     evidence value, unit, limit, window start, window end, samples, flags (1 coverage), [coverage]
//     window   as in version 4

extension AlarmMachineState {
    /// - Throws: `Damage` for anything that version 3 would not have written; it never traps.
    package init(decodingVersion3 bytes: [UInt8]) throws(Damage) {
        var reader = ByteReader(bytes)
        lateScans = try reader.count(upTo: 1 << 60, of: "late scans")
        monitors = []
        for _ in 0..<(try reader.count(upTo: reader.remaining, of: "monitors")) {
            monitors.append(try reader.earlierMonitor())
        }
        guard reader.remaining == 0 else { throw reader.damage("bytes after the alarms") }
    }
}

extension ByteReader {
    fileprivate mutating func earlierMonitor() throws(Damage) -> AlarmMonitor.State {
        let rule = try text()
        let version = try text()
        let device = try text()
        let point = try text()
        var state = AlarmMonitor.State(
            rule: rule, version: version,
            series: SeriesID(device: DeviceID(device), point: PointKey(point)), terms: [])
        state.phase = try code(AlarmState.self)
        state.standing = try code(AlarmJudgement.self)
        let flags = try byte()
        if flags & 1 != 0 { state.newest = try instant() }
        if flags & 2 != 0 { state.onset = try instant() }
        state.isBackfill = flags & 4 != 0
        if flags & 8 != 0 { state.evidence = try earlierEvidence() }
        for _ in 0..<(try count(upTo: AlarmMonitor.returnedCapacity, of: "returned alarms")) {
            let onset = try instant()
            state.returned.append(
                AlarmMonitor.Returned(onset: onset, evidence: try earlierEvidence()))
        }
        var window: RollingWindow?
        if flags & 16 != 0 {
            let code = try byte()
            guard code < 4, let statistic = AlarmTerm.Statistic(code: code) else {
                throw damage("an unknown statistic \(code)")
            }
            window = try self.window(statistic)
        }
        state.addOnlyTerm(window)
        return state
    }

    private mutating func earlierEvidence() throws(Damage) -> AlarmEvidence {
        let value = try number()
        let unit = try text()
        let limit = try number()
        let start = try instant()
        let end = try instant()
        let samples = try count(upTo: 1 << 40, of: "samples")
        let coverage = try byte() & 1 == 0 ? nil : try number()
        return AlarmEvidence(
            value: value, unit: unit, limit: limit, windowStart: start, windowEnd: end,
            samples: samples, coverage: coverage)
    }
}

extension AlarmMonitor.State {
    /// Gives a monitor of an earlier version the one term that it had.
    fileprivate mutating func addOnlyTerm(_ window: RollingWindow?) {
        shown = phase
        var term = TermState(operands: 1)
        term.standing = standing
        term.newest = newest
        term.evidence = evidence
        term.operands[0].window = window
        terms = [term]
    }
}
