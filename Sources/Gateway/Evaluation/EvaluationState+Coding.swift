import Alarms
import Telemetry

// The checkpoint's blob, version 4. Little endian; varints and zigzag as in `ByteCoding`,
// instants in milliseconds, numbers as in `ByteCoding+Numbers`.
//
//     state  │ folds │ due │ late │ alarms │ feeds │ cranes │ CRC-32 of all before (4 bytes) │
//     folds    count, then for each group in ascending order:
//       group    number, flags (1 newest, 2 backfilled at), [newest], [backfilled at], columns
//       counters count, each: column, instant, number
//       lanes    count, each: resolution (1 = 1 min, 2 = 15 min), flags (1 closed until),
//                [closed until], count of open buckets, [start of the first]
//         open     they follow one another without a hole, so the first start tells all:
//                  flags (1 disordered), a rollup for each column (`RollupCoding`)
//     due      count, each: group, resolution (1, 2, 3 = 1 h, 4 = 1 d, 5 = month), from, to − from
//     late     count, each: group, instant
//     alarms   length, then what `AlarmMachineState` writes
//     feeds    count, each: name (text), length, then what its `NoticePlanner` writes
//     cranes   count, each: group, length, then what its `LiftDetectorState` writes
//
// Everything is written in ascending order, so equal states are equal bytes. Version 3 had no feeds
// and no cranes, and differs in what `AlarmMachineState` wrote; it is still read.

extension EvaluationMachine.State {
    /// The version of what `encoded()` writes.
    static let version = 4

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.varint(UInt64(folds.count))
        for (number, fold) in folds.sorted(by: { $0.key < $1.key }) {
            writer.zigzag(Int64(number))
            writer.fold(fold)
        }
        writer.varint(UInt64(due.count))
        for fold in due.sorted() {
            writer.zigzag(Int64(fold.group.number))
            writer.byte(fold.resolution.code)
            writer.instant(fold.from)
            writer.zigzag(fold.to.milliseconds &- fold.from.milliseconds)
        }
        writer.varint(UInt64(late.count))
        for scan in late.sorted(by: { ($0.group, $0.time) < ($1.group, $1.time) }) {
            writer.zigzag(Int64(scan.group.number))
            writer.instant(scan.time)
        }
        let alarms = self.alarms.alarms.encoded()
        writer.varint(UInt64(alarms.count))
        writer.append(alarms)
        writer.varint(UInt64(self.alarms.feeds.count))
        for (name, bytes) in self.alarms.feeds.sorted(by: { $0.key < $1.key }) {
            writer.text(name)
            writer.varint(UInt64(bytes.count))
            writer.append(bytes)
        }
        writer.varint(UInt64(cranes.count))
        for (number, bytes) in cranes.sorted(by: { $0.key < $1.key }) {
            writer.zigzag(Int64(number))
            writer.varint(UInt64(bytes.count))
            writer.append(bytes)
        }
        writer.fixed(CRC32.checksum(writer.bytes[...]))
        return writer.bytes
    }

    /// - Throws: `Damage` for anything that `encoded()` would not write; it never traps.
    init(decoding bytes: [UInt8], version: Int = Self.version) throws(Damage) {
        var tail = ByteReader(bytes, from: max(0, bytes.count - 4))
        let body = bytes.prefix(max(0, bytes.count - 4))
        guard try tail.fixed(UInt32.self) == CRC32.checksum(body) else {
            throw Damage(what: "a wrong checksum", position: body.count)
        }
        try self.init(body: Array(body), version: version)
    }

    /// What lies before the checksum.
    init(body: [UInt8], version: Int = Self.version) throws(Damage) {
        var reader = ByteReader(body)
        var folds: [Int: GroupFold] = [:]
        for _ in 0..<(try reader.count(upTo: reader.remaining, of: "groups")) {
            let number = Int(try reader.zigzag())
            folds[number] = try reader.fold()
        }
        var due: Set<DueFold> = []
        for _ in 0..<(try reader.count(upTo: reader.remaining, of: "due folds")) {
            let group = ScanGroup.ID(Int(try reader.zigzag()))
            let resolution = try reader.resolution()
            let from = try reader.instant()
            let to = try reader.plausible(from.milliseconds &+ (try reader.zigzag()))
            guard from < to else { throw reader.damage("a due fold that ends before it begins") }
            due.insert(DueFold(group, resolution, from..<to))
        }
        var late: Set<EvaluationMachine.LateScan> = []
        for _ in 0..<(try reader.count(upTo: reader.remaining, of: "late scans")) {
            let group = ScanGroup.ID(Int(try reader.zigzag()))
            late.insert(EvaluationMachine.LateScan(group: group, time: try reader.instant()))
        }
        let length = try reader.length(of: "alarms")
        let part = Array(body[reader.position..<reader.position + length])
        let alarms =
            version == 3
            ? try AlarmMachineState(decodingVersion3: part)
            : try AlarmMachineState(decoding: part)
        try reader.skip(length)
        var feeds: [String: [UInt8]] = [:]
        var cranes: [Int: [UInt8]] = [:]
        if version > 3 {
            for _ in 0..<(try reader.count(upTo: reader.remaining, of: "feeds")) {
                let name = try reader.text()
                let length = try reader.length(of: "a feed")
                feeds[name] = Array(body[reader.position..<reader.position + length])
                try reader.skip(length)
            }
            for _ in 0..<(try reader.count(upTo: reader.remaining, of: "cranes")) {
                let number = Int(try reader.zigzag())
                let length = try reader.length(of: "a crane")
                cranes[number] = Array(body[reader.position..<reader.position + length])
                try reader.skip(length)
            }
        }
        guard reader.remaining == 0 else { throw reader.damage("bytes after the end") }
        self.init(
            folds: folds, due: due, late: late,
            alarms: AlarmFold.State(alarms: alarms, feeds: feeds), cranes: cranes)
    }
}

extension ByteWriter {
    fileprivate mutating func fold(_ fold: GroupFold) {
        let parts = fold.parts
        byte((parts.newest == nil ? 0 : 1) | (parts.backfilledAt == nil ? 0 : 2))
        if let newest = parts.newest { instant(newest) }
        if let backfilledAt = parts.backfilledAt { instant(backfilledAt) }
        let columns = parts.lanes.compactMap { $0.open.first?.rollups.count }.max() ?? 0
        varint(UInt64(columns))
        varint(UInt64(parts.counters.count))
        for (column, reading) in parts.counters.sorted(by: { $0.key < $1.key }) {
            varint(UInt64(column))
            instant(reading.time)
            number(reading.value)
        }
        varint(UInt64(parts.lanes.count))
        for lane in parts.lanes { self.lane(lane) }
    }

    private mutating func lane(_ lane: Lane) {
        byte(lane.resolution.code)
        byte(lane.closedUntil == nil ? 0 : 1)
        if let closedUntil = lane.closedUntil { instant(closedUntil) }
        varint(UInt64(lane.open.count))
        if let first = lane.open.first { instant(first.start) }
        for bucket in lane.open {
            byte(bucket.isDisordered ? 1 : 0)
            for rollup in bucket.rollups { self.rollup(rollup, from: bucket.start) }
        }
    }
}

extension ByteReader {
    fileprivate mutating func fold() throws(Damage) -> GroupFold {
        let flags = try byte()
        let newest = flags & 1 == 0 ? nil : try instant()
        let backfilledAt = flags & 2 == 0 ? nil : try instant()
        let columns = try count(upTo: remaining, of: "columns")
        var counters: [Int: Rollup.Timed] = [:]
        for _ in 0..<(try count(upTo: remaining, of: "counters")) {
            let column = try count(upTo: Int(UInt16.max), of: "columns")
            let time = try instant()
            let value = try number()
            guard value.isFinite else { throw damage("a counter that is no number") }
            counters[column] = Rollup.Timed(time: time, value: value)
        }
        var lanes: [Lane] = []
        for _ in 0..<(try count(upTo: 2, of: "lanes")) {
            let lane = try lane(columns: columns)
            guard !lanes.contains(where: { $0.resolution == lane.resolution }) else {
                throw damage("two lanes of one resolution")
            }
            lanes.append(lane)
        }
        return GroupFold(
            GroupFold.Parts(
                newest: newest, counters: counters, lanes: lanes, backfilledAt: backfilledAt))
    }

    private mutating func lane(columns: Int) throws(Damage) -> Lane {
        let resolution = try resolution()
        guard resolution.finer == nil else { throw damage("a lane that is not cut in UTC") }
        var lane = Lane(resolution)
        if try byte() & 1 != 0 { lane.closedUntil = try aligned(resolution) }
        let count = try count(upTo: remaining, of: "open buckets")
        if count == 0 { return lane }
        var start = try aligned(resolution)
        for _ in 0..<count {
            var bucket = OpenBucket(start: start, rollups: [])
            bucket.isDisordered = try byte() & 1 != 0
            for _ in 0..<columns { bucket.rollups.append(try rollup(from: start)) }
            lane.open.append(bucket)
            start = try plausible((start + resolution.nominal).milliseconds)
        }
        return lane
    }

    private mutating func aligned(_ resolution: Resolution) throws(Damage) -> Timestamp {
        let time = try instant()
        guard time.slot(every: resolution.nominal) == time else {
            throw damage("an instant at which no bucket begins")
        }
        return time
    }

    fileprivate mutating func resolution() throws(Damage) -> Resolution {
        let code = try byte()
        guard let resolution = Resolution.allCases.first(where: { $0.code == code }) else {
            throw damage("an unknown resolution \(code)")
        }
        return resolution
    }
}

extension Resolution {
    /// Its number in a checkpoint: never renumber, only append.
    fileprivate var code: UInt8 {
        switch self {
        case .minute: 1
        case .quarterHour: 2
        case .hour: 3
        case .day: 4
        case .month: 5
        }
    }
}
