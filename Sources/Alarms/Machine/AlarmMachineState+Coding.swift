import Telemetry

// The alarms' part of a checkpoint, version 4.
//
//     state    late scans, flags (1 tick), [tick], count of monitors, each:
//     monitor  rule, version, device, point (texts), phase, shown, standing (bytes, see below),
//              flags (1 newest, 2 onset, 4 backfill, 8 evidence, 16 clear since, 32 quiet,
//              64 suppressed, 128 due), [newest], [due], [onset], [clear since], [evidence],
//              [quiet: state (byte), flags (1 until), [until], actor, reason (texts), since],
//              [suppressed by (text)],
//              count of returned alarms, each: onset, evidence; count of terms, each: term
//     evidence value, unit, limit, window start, window end, samples, flags (1 coverage, 2 word),
//              [coverage], [word], count of others, each: device, point, unit (texts),
//              flags (1 value, 2 word), [value], [word]
//     term     standing (byte), flags (1 newest, 2 evidence), [newest], [evidence],
//              day (zigzag), count, count of operands, each: operand
//     operand  flags (1 window, 2 time, 4 number, 8 word, 16 closed, 32 since, 64 history,
//              128 heard), [heard], [window], [time], [number], [word], [closed], [since], repeats
//     closed   end, samples, flags (1 value, 2 coverage), [value], [coverage]
//     window   statistic (byte; 100 + n is the nth percentile), count,
//              times (differences of differences), values (numbers)
//
// Codes are the places in `AlarmState.allCases`, `AlarmJudgement.allCases` and `statistics`: new
// cases go to the end.

extension AlarmMachineState {
    /// The state as bytes; equal states give equal bytes.
    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.varint(UInt64(clamping: lateScans))
        writer.optional(tick) { $0.instant($1) }
        writer.varint(UInt64(monitors.count))
        for monitor in monitors { writer.monitor(monitor) }
        return writer.bytes
    }

    /// - Throws: `Damage` for anything that `encoded()` would not write; it never traps.
    package init(decoding bytes: [UInt8]) throws(Damage) {
        var reader = ByteReader(bytes)
        lateScans = try reader.count(upTo: 1 << 60, of: "late scans")
        tick = try reader.byte() & 1 == 0 ? nil : try reader.instant()
        monitors = []
        for _ in 0..<(try reader.count(upTo: reader.remaining, of: "monitors")) {
            monitors.append(try reader.monitor())
        }
        guard reader.remaining == 0 else { throw reader.damage("bytes after the alarms") }
    }
}

extension AlarmTerm.Statistic {
    /// Their places are codes: only append.
    fileprivate static let statistics: [Self] = [
        .mean, .max, .min, .last, .range, .change, .increase, .leq,
    ]

    var code: UInt8 {
        if case .percentile(let rank) = self { return 100 + UInt8(clamping: rank) }
        return UInt8(Self.statistics.firstIndex(of: self) ?? 0)
    }

    init?(code: UInt8) {
        if (101...199).contains(code) {
            self = .percentile(Int(code) - 100)
        } else if Int(code) < Self.statistics.count {
            self = Self.statistics[Int(code)]
        } else {
            return nil
        }
    }
}

extension ByteWriter {
    fileprivate mutating func optional<T>(_ value: T?, _ write: (inout ByteWriter, T) -> Void) {
        byte(value == nil ? 0 : 1)
        if let value { write(&self, value) }
    }

    private mutating func flags(_ bits: [Bool]) {
        byte(bits.enumerated().reduce(0) { $0 | ($1.element ? 1 << UInt8($1.offset) : 0) })
    }

    fileprivate mutating func monitor(_ state: AlarmMonitor.State) {
        text(state.rule)
        text(state.version)
        text(state.series.device.text)
        text(state.series.point.text)
        code(state.phase)
        code(state.shown)
        code(state.standing)
        flags([
            state.newest != nil, state.onset != nil, state.isBackfill, state.evidence != nil,
            state.clearSince != nil, state.quiet != nil, state.suppressedBy != nil,
            state.due != nil,
        ])
        if let newest = state.newest { instant(newest) }
        if let due = state.due { instant(due) }
        if let onset = state.onset { instant(onset) }
        if let clearSince = state.clearSince { instant(clearSince) }
        if let evidence = state.evidence { self.evidence(evidence) }
        if let quiet = state.quiet {
            code(quiet.state)
            optional(quiet.until) { $0.instant($1) }
            text(quiet.actor)
            text(quiet.reason)
            instant(quiet.since)
        }
        if let why = state.suppressedBy { text(why) }
        varint(UInt64(state.returned.count))
        for alarm in state.returned {
            instant(alarm.onset)
            evidence(alarm.evidence)
        }
        varint(UInt64(state.terms.count))
        for term in state.terms { self.term(term) }
    }

    private mutating func evidence(_ evidence: AlarmEvidence) {
        number(evidence.value)
        text(evidence.unit)
        number(evidence.limit)
        instant(evidence.windowStart)
        instant(evidence.windowEnd)
        varint(UInt64(clamping: evidence.samples))
        flags([evidence.coverage != nil, evidence.word != nil])
        if let coverage = evidence.coverage { number(coverage) }
        if let word = evidence.word { text(word) }
        varint(UInt64(evidence.others.count))
        for other in evidence.others {
            text(other.series.device.text)
            text(other.series.point.text)
            text(other.unit)
            flags([other.value != nil, other.word != nil])
            if let value = other.value { number(value) }
            if let word = other.word { text(word) }
        }
    }

    private mutating func term(_ term: TermState) {
        code(term.standing)
        flags([term.newest != nil, term.evidence != nil])
        if let newest = term.newest { instant(newest) }
        if let evidence = term.evidence { self.evidence(evidence) }
        zigzag(Int64(term.day))
        varint(UInt64(clamping: term.count))
        varint(UInt64(term.operands.count))
        for operand in term.operands { self.operand(operand) }
    }

    private mutating func operand(_ operand: TermState.Operand) {
        flags([
            operand.window != nil, operand.time != nil, operand.number != nil,
            operand.word != nil, operand.closed != nil, operand.since != nil, operand.isHistory,
            operand.heard != nil,
        ])
        if let heard = operand.heard { instant(heard) }
        if let window = operand.window { self.window(window) }
        if let time = operand.time { instant(time) }
        if let number = operand.number { self.number(number) }
        if let word = operand.word { text(word) }
        if let closed = operand.closed {
            instant(closed.end)
            varint(UInt64(clamping: closed.samples))
            flags([closed.value != nil, closed.coverage != nil])
            if let value = closed.value { number(value) }
            if let coverage = closed.coverage { number(coverage) }
        }
        if let since = operand.since { instant(since) }
        varint(UInt64(clamping: operand.repeats))
    }

    private mutating func window(_ window: RollingWindow) {
        let readings = window.readings
        byte(window.statistic.code)
        varint(UInt64(readings.count))
        var (last, step) = (Int64(0), Int64(0))
        for reading in readings {
            let next = reading.time.milliseconds &- last
            zigzag(next &- step)
            (last, step) = (reading.time.milliseconds, next)
        }
        for reading in readings { number(reading.value) }
    }

    private mutating func code<T: CaseIterable & Equatable>(_ value: T) {
        let place = Array(T.allCases).firstIndex(of: value) ?? 0
        byte(UInt8(truncatingIfNeeded: place))
    }
}

extension ByteReader {
    fileprivate mutating func monitor() throws(Damage) -> AlarmMonitor.State {
        let rule = try text()
        let version = try text()
        let series = try series()
        var state = AlarmMonitor.State(rule: rule, version: version, series: series, terms: [])
        state.phase = try code(AlarmState.self)
        state.shown = try code(AlarmState.self)
        state.standing = try code(AlarmJudgement.self)
        let flags = try byte()
        if flags & 1 != 0 { state.newest = try instant() }
        if flags & 128 != 0 { state.due = try instant() }
        if flags & 2 != 0 { state.onset = try instant() }
        state.isBackfill = flags & 4 != 0
        if flags & 16 != 0 { state.clearSince = try instant() }
        if flags & 8 != 0 { state.evidence = try evidence() }
        if flags & 32 != 0 { state.quiet = try quiet() }
        if flags & 64 != 0 { state.suppressedBy = try text() }
        for _ in 0..<(try count(upTo: AlarmMonitor.returnedCapacity, of: "returned alarms")) {
            let onset = try instant()
            state.returned.append(AlarmMonitor.Returned(onset: onset, evidence: try evidence()))
        }
        for _ in 0..<(try count(upTo: min(remaining, 64), of: "terms")) {
            state.terms.append(try term())
        }
        return state
    }

    private mutating func series() throws(Damage) -> SeriesID {
        let device = try text()
        return SeriesID(device: DeviceID(device), point: PointKey(try text()))
    }

    private mutating func quiet() throws(Damage) -> AlarmMonitor.Quiet {
        let state = try code(AlarmState.self)
        let until = try byte() & 1 == 0 ? nil : try instant()
        let actor = try text()
        let reason = try text()
        return AlarmMonitor.Quiet(
            state: state, until: until, actor: actor, reason: reason, since: try instant())
    }

    private mutating func evidence() throws(Damage) -> AlarmEvidence {
        let value = try number()
        let unit = try text()
        let limit = try number()
        let start = try instant()
        let end = try instant()
        let samples = try count(upTo: 1 << 40, of: "samples")
        let flags = try byte()
        let coverage = flags & 1 == 0 ? nil : try number()
        let word = flags & 2 == 0 ? nil : try text()
        var others: [AlarmEvidence.Other] = []
        for _ in 0..<(try count(upTo: min(remaining, 256), of: "series of evidence")) {
            let series = try series()
            let unit = try text()
            let flags = try byte()
            let value = flags & 1 == 0 ? nil : try number()
            let word = flags & 2 == 0 ? nil : try text()
            others.append(
                AlarmEvidence.Other(series: series, value: value, word: word, unit: unit))
        }
        return AlarmEvidence(
            value: value, unit: unit, limit: limit, windowStart: start, windowEnd: end,
            samples: samples, coverage: coverage, word: word, others: others)
    }

    private mutating func term() throws(Damage) -> TermState {
        var term = TermState()
        term.standing = try code(AlarmJudgement.self)
        let flags = try byte()
        if flags & 1 != 0 { term.newest = try instant() }
        if flags & 2 != 0 { term.evidence = try evidence() }
        let day = try zigzag()
        guard day.magnitude < 10_000_000 else { throw damage("a day beyond all calendars") }
        term.day = Int(day)
        term.count = try count(upTo: 1_000_000, of: "breaches of a day")
        for _ in 0..<(try count(upTo: min(remaining, 64), of: "series of a term")) {
            term.operands.append(try operand())
        }
        // Every term looks at one series at least.
        guard !term.operands.isEmpty else { throw damage("a term without a series") }
        return term
    }

    private mutating func operand() throws(Damage) -> TermState.Operand {
        var operand = TermState.Operand()
        let flags = try byte()
        if flags & 128 != 0 { operand.heard = try instant() }
        if flags & 1 != 0 { operand.window = try window() }
        if flags & 2 != 0 { operand.time = try instant() }
        if flags & 4 != 0 { operand.number = try number() }
        if flags & 8 != 0 { operand.word = try text() }
        if flags & 16 != 0 {
            let end = try instant()
            let samples = try count(upTo: 1 << 40, of: "samples")
            let flags = try byte()
            let value = flags & 1 == 0 ? nil : try number()
            let coverage = flags & 2 == 0 ? nil : try number()
            operand.closed = TermState.Closed(
                end: end, value: value, samples: samples, coverage: coverage)
        }
        if flags & 32 != 0 { operand.since = try instant() }
        operand.isHistory = flags & 64 != 0
        operand.repeats = try count(upTo: 1 << 40, of: "repeated readings")
        return operand
    }

    private mutating func window() throws(Damage) -> RollingWindow {
        let code = try byte()
        guard let statistic = AlarmTerm.Statistic(code: code) else {
            throw damage("an unknown statistic \(code)")
        }
        return try window(statistic)
    }

    /// What stands behind the statistic of a window.
    mutating func window(_ statistic: AlarmTerm.Statistic) throws(Damage) -> RollingWindow {
        var window = RollingWindow(statistic)
        let count = try count(
            upTo: min(remaining / 2, RollingWindow.capacity), of: "readings of a window")
        var times: [Timestamp] = []
        var (last, step) = (Int64(0), Int64(0))
        for _ in 0..<count {
            step = step &+ (try zigzag())
            last = last &+ step
            let time = try plausible(last)
            guard times.last.map({ $0 <= time }) ?? true else {
                throw damage("readings of a window out of order")
            }
            times.append(time)
        }
        for time in times {
            let value = try number()
            guard value.isFinite else { throw damage("a reading that is no number") }
            _ = window.add(value, at: time)
        }
        return window
    }

    mutating func code<T: CaseIterable>(_: T.Type) throws(Damage) -> T {
        let place = Int(try byte())
        let cases = Array(T.allCases)
        guard place < cases.count else { throw damage("an unknown word \(place)") }
        return cases[place]
    }
}
