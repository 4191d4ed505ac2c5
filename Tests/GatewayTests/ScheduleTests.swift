import Foundation
import Store
import Telemetry
import TestSeeds
import Testing

@testable import Gateway

/// One stream, told to many groups: to the first in order, to every other by a schedule of its own.
///
/// Groups know nothing of each other, so one store answers for many schedules at once.
private struct Schedules {
    static let start = RollupsOfTheStoreTests.start
    static let minutesPerRow = 10
    let seed: UInt64
    var random: SeededGenerator
    let folded: FoldedStore
    /// What the device said, by group; those of one instant in no particular order.
    var streams: [[Scan]] = []

    /// - Parameter schedules: besides the two in order: half of them of polls, half of messages.
    init(seed: UInt64, schedules: Int) async throws {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        folded = try await FoldedStore(
            groups: (0..<schedules + 2).map(Self.group), start: Self.start,
            selections: [OwedSelection(uplink: "boss", resolution: .hour)])
        for isPolled in [true, false] {
            streams.append(stream(hours: Int.random(in: 2...3, using: &random), isPolled))
        }
    }

    private static func group(_ number: Int) -> ScanGroup {
        var group = RollupsOfTheStoreTests.group()
        group.device = DeviceID("m\(number)")
        group.name = number % 2 == 0 ? "polls" : "messages"
        group.isPolled = number % 2 == 0
        // Nobody has said how often some devices send.
        group.period = number % 2 == 0 || number % 4 == 1 ? .seconds(120) : nil
        group.series = group.series.map {
            var series = $0
            series.id = SeriesID(device: group.device, point: $0.id.point)
            return series
        }
        return group
    }

    /// Gaps, failures, conflicts: several differing scans of one instant.
    private mutating func stream(hours: Int, _ isPolled: Bool) -> [Scan] {
        var scans: [Scan] = []
        var cents = 50_000
        let count = hours * 30
        let isShort = seed % 2 == 0
        let gap = Int.random(in: 0...count, using: &random)
        let length = Int.random(in: 0...35, using: &random)
        for index in 0..<count where !(gap..<gap + length).contains(index) {
            cents += Int.random(in: 0...40, using: &random)
            let noise = isPolled ? 0 : Int.random(in: -40_000...40_000, using: &random)
            let conflicts =
                Int.random(in: 0..<8, using: &random) == 0
                ? Int.random(in: 2...3, using: &random) : 1
            for _ in 0..<conflicts {
                let power =
                    isShort
                    ? Double(Int.random(in: -900...900, using: &random)) / 10
                    : Double.random(in: -90...90, using: &random)
                let energy = Double(cents + Int.random(in: 0...3, using: &random)) / 100
                let fails = (0..<2).map { _ in Int.random(in: 0..<9, using: &random) == 0 }
                let scan = Scan(
                    group: folded.groups[0].id,
                    time: Self.start + .milliseconds(max(0, index * 120_000 + noise)),
                    readings: [
                        fails[0] ? .bad(.timeout) : .number(power),
                        fails[1] ? .bad(.absent) : .number(energy),
                    ])
                if !scans.contains(where: { $0.says(scan) }) { scans.append(scan) }
            }
            cents += 4
        }
        return scans
    }

    /// By row of the journal: what comes in it.
    private mutating func rows() -> [[Scan]] {
        var rows: [[Scan]] = Array(repeating: [], count: 18 + 19)
        for (number, group) in folded.groups.enumerated() {
            let isOrdered = number < 2
            let stream = streams[number % 2].map { scan in
                var scan = scan
                scan.group = group.id
                return scan
            }
            let (late, twice) = (
                [20, 2, 1][Int.random(in: 0..<3, using: &random)],
                Int.random(in: 1...6, using: &random)
            )
            let longest = [1, 3, 18][Int.random(in: 0..<3, using: &random)]
            for scan in isOrdered ? stream.sorted(by: Scan.isBefore) : stream {
                let own = Int((scan.time - Self.start).milliseconds) / (Self.minutesPerRow * 60_000)
                let isLate = !isOrdered && Int.random(in: 0..<late, using: &random) == 0
                let row = own + (isLate ? Int.random(in: 1...longest, using: &random) : 0)
                rows[row].append(scan)
                if !isOrdered, Int.random(in: 0..<twice, using: &random) == 0 {
                    rows[row + Int.random(in: 0..<rows.count - row, using: &random)].append(scan)
                }
            }
        }
        return rows
    }

    private func isOrdered(_ scan: Scan) -> Bool {
        folded.groups[..<2].contains { $0.id == scan.group }
    }

    /// Tells it all, with restarts and seals at random moments.
    mutating func run() async throws {
        let rows = rows()
        let evaluation = folded.evaluation
        var progress = try await evaluation.begin()
        for (index, row) in rows.enumerated() {
            folded.clock.advance(
                to: Self.start + .seconds(60 * Self.minutesPerRow * (index + 1)))
            let ordered = row.filter { isOrdered($0) }
            let others = row.filter { !isOrdered($0) }
            try await folded.commit(ordered + others.shuffled(using: &random))
            if Int.random(in: 0..<3, using: &random) == 0 {
                progress = try await evaluation.begin()
            }
            try await evaluation.catchUp(&progress)
            if Int.random(in: 0..<3, using: &random) == 0 {
                _ = try await evaluation.seal(
                    &progress, atMost: Int.random(in: 1...folded.groups.count, using: &random),
                    everything: true)
            }
        }
        try await folded.pass(.seconds(4 * 3600))
        try await evaluation.catchUp(&progress)
    }

    /// All samples of a group, to the bit.
    func samples(_ group: ScanGroup) async throws -> [String] {
        try await folded.store.reader.scans(
            group: group.id, from: Self.start, to: Self.start + .seconds(86_400)
        ).map { scan in
            let readings = scan.readings.map { reading in
                reading.number.map { String($0.bitPattern, radix: 16) } ?? "\(reading)"
            }
            return "\(scan.time.milliseconds) \(scan.sequence) \(scan.flags.rawValue) \(readings)"
        }
    }

    /// All rollups of a group, to the bit. Revisions count how often a figure was corrected, which
    /// depends on when the late scan came: they alone may differ.
    func rollups(_ group: ScanGroup) async throws -> [String] {
        var lines: [String] = []
        for (column, series) in group.series.enumerated() {
            for resolution in [Resolution.quarterHour, .hour] {
                lines += try await folded.store.reader.rollups(
                    series: series.number, resolution: resolution, from: Self.start,
                    to: Self.start + .seconds(86_400)
                ).map { "\(column) \(resolution) \($0.bucket.start.rfc3339()) \($0.rollup)" }
            }
        }
        return lines
    }
}

@Suite("Schedules")
struct ScheduleTests {
    // Each takes seconds; the long run raises it (SCHEDULE_STORES=44 makes two thousand schedules).
    private static let stores =
        ProcessInfo.processInfo.environment["SCHEDULE_STORES"].flatMap { Int($0) } ?? 8
    private static let schedulesPerStore = 46

    @Test(
        "of one stream, late, doubled, shuffled and conflicting, all leave the same store",
        arguments: 0..<stores)
    func sameContent(round: Int) async throws {
        let seed = UInt64(0x5C_ED_00 + round)
        var schedules = try await Schedules(seed: seed, schedules: Self.schedulesPerStore)
        defer { schedules.folded.remove() }
        try await schedules.run()
        let groups = schedules.folded.groups
        for isMessages in [0, 1] {
            try await Self.check(schedules, groups[isMessages], schedules.streams[isMessages])
        }
        let samples = [
            try await schedules.samples(groups[0]), try await schedules.samples(groups[1]),
        ]
        // What is expected of a group that has no period is unknown, so each kind has its own.
        var rollups: [Int: [String]] = [:]
        for (number, group) in groups.enumerated() {
            let found = try await schedules.samples(group)
            let hasSameSamples = found == samples[number % 2]
            #expect(hasSameSamples, "seed \(seed), schedule \(number)")
            let lines = try await schedules.rollups(group)
            let kind = number % 2 == 0 ? 0 : number % 4
            if let ordered = rollups[kind] {
                let difference = zip(ordered, lines).first { $0 != $1 }
                let hasSameRollups = ordered == lines
                #expect(
                    hasSameRollups,
                    "seed \(seed), schedule \(number): \(difference.map { "\($0)" } ?? "")")
            } else {
                rollups[kind] = lines
            }
        }
        #expect(schedules.folded.counters.values.dropped[.duplicate, default: 0] > 0)
    }

    /// What an ordered stream must come to, told in plain arrays by somebody who knows no `Rollup`.
    private static func check(
        _ schedules: Schedules, _ group: ScanGroup, _ stream: [Scan]
    ) async throws {
        let day = Schedules.start + .seconds(86_400)
        let scans = stream.sorted(by: Scan.isBefore)
        let quarters = try await schedules.folded.store.reader.rollups(
            series: group.series[0].number, resolution: .quarterHour, from: Schedules.start, to: day
        )
        for row in quarters {
            let inside = scans.filter { row.bucket.start <= $0.time && $0.time < row.bucket.end }
            let numbers = inside.compactMap { $0.readings[0].number }
            #expect(row.rollup.count == numbers.count)
            #expect(row.rollup.bad == inside.count - numbers.count)
            #expect(row.rollup.minimum == numbers.min())
            #expect(row.rollup.maximum == numbers.max())
            #expect(row.rollup.first?.value == numbers.first)
            #expect(row.rollup.last?.value == numbers.last)
            #expect(abs(row.rollup.sum.value - numbers.reduce(0, +)) < 1e-9)
        }
        #expect(quarters.reduce(0) { $0 + $1.rollup.count + $1.rollup.bad } == scans.count)
        // Nothing is counted twice and nothing is lost: the increases add up to the counter's own.
        let energies = scans.compactMap { scan in
            scan.readings[1].number.map { (scan.time, Int128(($0 * 100).rounded())) }
        }
        let first = energies.filter { $0.0 == energies.first?.0 }.map(\.1).min() ?? 0
        let last = energies.filter { $0.0 == energies.last?.0 }.map(\.1).min() ?? 0
        for resolution in [Resolution.quarterHour, .hour] {
            let rows = try await schedules.folded.store.reader.rollups(
                series: group.series[1].number, resolution: resolution, from: Schedules.start,
                to: day)
            let counted = rows.compactMap { $0.rollup.increase?.rescaled(to: 2).mantissa }
            #expect(counted.reduce(0, +) == last - first, "\(resolution), seed \(schedules.seed)")
        }
    }
}
