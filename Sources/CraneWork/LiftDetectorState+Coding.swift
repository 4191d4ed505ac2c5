import Telemetry

// The crane work's part of a checkpoint.
//
//     state      version (byte), late instants, resting loads, flags (1 newest, 2 newest load,
//                4 backfill, 8 rated), [newest], [newest load], [rated], operator, hook, phase,
//                excursions: one flag byte (bit = place in `Hazard`), then each that stands
//     operator   byte: 0 unknown, 1 nobody, 2 an id as text
//     hook       zero, flags (1 former, 2 returning, 4 still), [former], [returning], [still]
//     still      since, load, sum, count, flags (1 height, 2 radius, 4 slew, 8 doubted), numbers
//     phase      byte: 0 idle, 1 rising, 2 loaded, 3 falling; then none, one lift, or two, the
//                end, flags (1 back), [back]
//     lift       see `OpenLift+Coding.swift`
//
// `instant`, `number` and `zigzag` are those of `ByteCoding+Numbers.swift`; durations are varints of
// milliseconds.

extension LiftDetectorState {
    private static let version: UInt8 = 1

    /// The state as bytes; equal states give equal bytes.
    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.byte(Self.version)
        writer.varint(UInt64(clamping: lateInstants))
        writer.varint(UInt64(clamping: restingLoads))
        writer.flags([newest != nil, newestLoad != nil, isBackfill, rated != nil])
        if let newest { writer.instant(newest) }
        if let newestLoad { writer.instant(newestLoad) }
        if let rated { writer.number(rated) }
        writer.logged(logged)
        writer.hook(hook)
        writer.phase(phase)
        writer.flags(excursions.map { $0 != nil })
        for case let excursion? in excursions { writer.excursion(excursion) }
        return writer.bytes
    }

    /// - Throws: `Damage` for anything that `encoded()` would not write; it never traps.
    package init(decoding bytes: [UInt8]) throws(Damage) {
        self.init()
        var reader = ByteReader(bytes)
        let version = try reader.byte()
        guard version == Self.version else {
            throw reader.damage("crane work of version \(version)")
        }
        lateInstants = try reader.count(upTo: 1 << 60, of: "late instants")
        restingLoads = try reader.count(upTo: 1 << 60, of: "resting loads")
        let flags = try reader.flags(4)
        if flags[0] { newest = try reader.instant() }
        if flags[1] { newestLoad = try reader.instant() }
        isBackfill = flags[2]
        if flags[3] { rated = try reader.finite() }
        logged = try reader.logged()
        hook = try reader.hook()
        phase = try reader.phase()
        for (place, stands) in try reader.flags(Hazard.allCases.count).enumerated() where stands {
            excursions[place] = try reader.excursion()
        }
        guard reader.remaining == 0 else { throw reader.damage("bytes after the crane work") }
    }
}

extension ByteWriter {
    fileprivate mutating func hook(_ hook: EmptyHook) {
        number(hook.zero)
        flags([hook.former != nil, hook.returning != nil, hook.still != nil])
        if let former = hook.former { number(former) }
        if let returning = hook.returning { instant(returning) }
        guard let still = hook.still else { return }
        instant(still.since)
        number(still.load)
        number(still.sum)
        varint(UInt64(clamping: still.count))
        flags([still.isDoubted])
        optionals([still.height, still.radius, still.slew])
    }

    fileprivate mutating func phase(_ phase: LiftDetectorState.Phase) {
        switch phase {
        case .idle: byte(0)
        case .rising(let lift):
            byte(1)
            self.lift(lift)
        case .loaded(let lift):
            byte(2)
            self.lift(lift)
        case .falling(let lift, let landing):
            byte(3)
            self.lift(lift)
            self.lift(landing.lift)
            instant(landing.end)
            flags([landing.back != nil])
            if let back = landing.back { instant(back) }
        }
    }
}

extension ByteReader {
    fileprivate mutating func hook() throws(Damage) -> EmptyHook {
        var hook = EmptyHook()
        hook.zero = try finite()
        let flags = try flags(3)
        if flags[0] { hook.former = try finite() }
        if flags[1] { hook.returning = try instant() }
        guard flags[2] else { return hook }
        let since = try instant()
        let load = try finite()
        let sum = try finite()
        let count = try count(upTo: 1 << 52, of: "readings of a still hook")
        guard count > 0 else { throw damage("a stillness without a reading") }
        let isDoubted = try self.flags(1)[0]
        let place = try optionals(3)
        hook.still = EmptyHook.Still(
            since: since, load: load, height: place[0], radius: place[1], slew: place[2], sum: sum,
            count: count, isDoubted: isDoubted)
        return hook
    }

    fileprivate mutating func phase() throws(Damage) -> LiftDetectorState.Phase {
        switch try byte() {
        case 0: return .idle
        case 1: return .rising(try lift())
        case 2: return .loaded(try lift())
        case 3:
            let lift = try lift()
            var landing = LiftDetectorState.Landing(lift: try self.lift(), end: try instant())
            if try flags(1)[0] { landing.back = try instant() }
            return .falling(lift, landing)
        case let code: throw damage("an unknown phase \(code)")
        }
    }
}
