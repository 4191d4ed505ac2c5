import Telemetry

// The alarms' part of a checkpoint.
//
//     state    late scans, count of monitors, each:
//     monitor  rule, version, device, point (texts), phase, standing (bytes, see below),
//              flags (1 newest, 2 onset, 4 backfill, 8 evidence, 16 window), [newest], [onset],
//              [evidence], count of returned alarms, each: onset, evidence; [window]
//     evidence value, unit, limit, window start, window end, samples, flags (1 coverage), [coverage]
//     window   statistic (byte), count, times (differences of differences), values (numbers)
//
// Codes are the places in `AlarmState.allCases`, `Judgement.allCases` and `Statistic.allCases`:
// new cases go to the end.

extension AlarmMachineState {
    /// The state as bytes; equal states give equal bytes.
    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.varint(UInt64(clamping: lateScans))
        writer.varint(UInt64(monitors.count))
        for monitor in monitors { writer.monitor(monitor) }
        return writer.bytes
    }

    /// - Throws: `Damage` for anything that `encoded()` would not write; it never traps.
    package init(decoding bytes: [UInt8]) throws(Damage) {
        var reader = ByteReader(bytes)
        lateScans = try reader.count(upTo: 1 << 60, of: "late scans")
        monitors = []
        for _ in 0..<(try reader.count(upTo: reader.remaining, of: "monitors")) {
            monitors.append(try reader.monitor())
        }
        guard reader.remaining == 0 else { throw reader.damage("bytes after the alarms") }
    }
}

extension ByteWriter {
    fileprivate mutating func monitor(_ state: AlarmMonitor.State) {
        text(state.rule)
        text(state.version)
        text(state.series.device.text)
        text(state.series.point.text)
        code(state.phase)
        code(state.standing)
        byte(
            (state.newest == nil ? 0 : 1) | (state.onset == nil ? 0 : 2)
                | (state.isBackfill ? 4 : 0) | (state.evidence == nil ? 0 : 8)
                | (state.window == nil ? 0 : 16))
        if let newest = state.newest { instant(newest) }
        if let onset = state.onset { instant(onset) }
        if let evidence = state.evidence { self.evidence(evidence) }
        varint(UInt64(state.returned.count))
        for alarm in state.returned {
            instant(alarm.onset)
            evidence(alarm.evidence)
        }
        if let window = state.window { self.window(window) }
    }

    private mutating func evidence(_ evidence: AlarmEvidence) {
        number(evidence.value)
        text(evidence.unit)
        number(evidence.limit)
        instant(evidence.windowStart)
        instant(evidence.windowEnd)
        varint(UInt64(clamping: evidence.samples))
        byte(evidence.coverage == nil ? 0 : 1)
        if let coverage = evidence.coverage { number(coverage) }
    }

    private mutating func window(_ window: RollingWindow) {
        let readings = window.readings
        code(window.statistic)
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
        let device = try text()
        let point = try text()
        var state = AlarmMonitor.State(
            rule: rule, version: version,
            series: SeriesID(device: DeviceID(device), point: PointKey(point)))
        state.phase = try code(AlarmState.self)
        state.standing = try code(AlarmMonitor.Judgement.self)
        let flags = try byte()
        if flags & 1 != 0 { state.newest = try instant() }
        if flags & 2 != 0 { state.onset = try instant() }
        state.isBackfill = flags & 4 != 0
        if flags & 8 != 0 { state.evidence = try evidence() }
        for _ in 0..<(try count(upTo: AlarmMonitor.returnedCapacity, of: "returned alarms")) {
            let onset = try instant()
            state.returned.append(AlarmMonitor.Returned(onset: onset, evidence: try evidence()))
        }
        if flags & 16 != 0 { state.window = try window() }
        return state
    }

    private mutating func evidence() throws(Damage) -> AlarmEvidence {
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

    private mutating func window() throws(Damage) -> RollingWindow {
        var window = RollingWindow(try code(AlarmRule.Statistic.self))
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

    private mutating func code<T: CaseIterable>(_: T.Type) throws(Damage) -> T {
        let place = Int(try byte())
        let cases = Array(T.allCases)
        guard place < cases.count else { throw damage("an unknown word \(place)") }
        return cases[place]
    }
}
