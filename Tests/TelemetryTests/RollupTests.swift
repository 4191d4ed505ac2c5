import TestSeeds
import Testing

@testable import Telemetry

@Suite("Rollup")
struct RollupTests {
    /// What ten lines on plain arrays make of the samples of a bucket. Knows no `Rollup`; counts in
    /// whole tenths, so that its sums are exact.
    struct Reference: Equatable {
        var count = 0
        var bad = 0
        var sumTenths = 0
        var minimum: Int?
        var maximum: Int?
        var first: Int?
        var last: Int?

        init(_ tenths: [Int?]) {
            let good = tenths.compactMap { $0 }
            count = good.count
            bad = tenths.count - good.count
            sumTenths = good.reduce(0, +)
            minimum = good.min()
            maximum = good.max()
            first = good.first
            last = good.last
        }
    }

    static let bucket = Bucket(
        .quarterHour, containing: Timestamp(milliseconds: 1_763_683_200_000), calendar: .utc)
    static let gauge = Series(
        id: SeriesID(device: DeviceID("d"), point: PointKey("pm10")), kind: .gauge, unit: "ug/m3")
    static let counter = Series(
        id: SeriesID(device: DeviceID("d"), point: PointKey("energy")), kind: .counter,
        unit: "kWh", counter: CounterPolicy(modulus: nil, resets: .never))

    /// Random samples inside the bucket, in order of time: tenths, nil is a bad reading.
    private func samples(
        _ random: inout SeededGenerator, at most: Int = 40
    ) -> [(time: Timestamp, tenths: Int?)] {
        let count = Int.random(in: 0...most, using: &random)
        return (0..<count)
            .map { _ in Int64.random(in: 0..<900_000, using: &random) }.sorted()
            .map { offset in
                (
                    Self.bucket.start + .milliseconds(offset),
                    random.oneIn(6) ? nil : Int.random(in: -5000...5000, using: &random)
                )
            }
    }

    private func reading(_ tenths: Int?) -> Reading {
        tenths.map { .number(Double($0) / 10) } ?? .bad(.timeout)
    }

    private func check(_ rollup: Rollup, is reference: Reference) {
        #expect(rollup.count == reference.count)
        #expect(rollup.bad == reference.bad)
        #expect(rollup.sum.value == Double(reference.sumTenths) / 10)
        #expect(rollup.minimum == reference.minimum.map { Double($0) / 10 })
        #expect(rollup.maximum == reference.maximum.map { Double($0) / 10 })
        #expect(rollup.first?.value == reference.first.map { Double($0) / 10 })
        #expect(rollup.last?.value == reference.last.map { Double($0) / 10 })
        #expect(
            rollup.mean
                == (reference.count == 0
                    ? nil : Double(reference.sumTenths) / 10 / Double(reference.count)))
    }

    @Test("the fold of a gauge is what ten lines on plain arrays say")
    func gaugeFold() {
        var random = SeededGenerator(51)
        for _ in 0..<2000 {
            let samples = samples(&random)
            let rollup = Rollup.fold(
                Self.gauge, over: Self.bucket, previous: nil,
                samples: samples.map { ($0.time, reading($0.tenths)) }, next: nil,
                period: .seconds(10), expected: 90)
            check(rollup, is: Reference(samples.map(\.tenths)))
            #expect(rollup.increase == nil && !rollup.isEstimated)
            #expect(rollup.coverage == min(1, Double(rollup.count) / 90))
        }
    }

    @Test("rollups of parts merge, in any order, to the fold of all samples, bit for bit")
    func merge() throws {
        var random = SeededGenerator(52)
        for _ in 0..<1000 {
            // Distinct times: `first` and `last` of two samples at one instant depend on order.
            var seen: Set<Timestamp> = []
            let all = samples(&random).filter { seen.insert($0.time).inserted }
            let whole = fold(all)
            var parts: [Rollup] = []
            var owner = all.map { _ in Int.random(in: 0..<5, using: &random) }
            if random.oneIn(2) { owner.sort() }
            for part in 0..<5 {
                parts.append(fold(zip(all, owner).filter { $0.1 == part }.map(\.0)))
            }
            parts.shuffle(using: &random)
            // Not always from the left: (a b) (c (d e)).
            while parts.count > 1 {
                let place = Int.random(in: 0..<parts.count - 1, using: &random)
                parts[place] = parts[place].merging(parts.remove(at: place + 1))
            }
            var merged = try #require(parts.first)
            merged.expected = whole.expected
            #expect(merged == whole)
            #expect(merged.sum.value.bitPattern == whole.sum.value.bitPattern)
        }
    }

    private func fold(_ samples: [(time: Timestamp, tenths: Int?)]) -> Rollup {
        var rollup = Rollup(expected: 90)
        for sample in samples { rollup.add(reading(sample.tenths), at: sample.time) }
        return rollup
    }

    @Test("expected counts add up, and an unknown one makes the sum unknown")
    func expected() {
        let known = Rollup(count: 3, expected: 4)
        #expect(known.merging(Rollup(count: 1, expected: 4)).coverage == 0.5)
        #expect(known.merging(Rollup(count: 1)).coverage == nil)
        #expect(Rollup(count: 5, expected: 4).coverage == 1)
        #expect(Rollup(count: 5, expected: 0).coverage == nil)
    }

    @Test("text readings count and have no mean")
    func text() {
        var rollup = Rollup()
        rollup.add(.text("lifting"), at: Self.bucket.start)
        #expect(rollup.count == 1 && rollup.bad == 0 && rollup.mean == nil && rollup.last == nil)
    }

    @Test("increases over consecutive buckets add up to the counter's increase, through gaps")
    func conservation() throws {
        var random = SeededGenerator(53)
        for round in 0..<500 {
            // A day of counter readings in hundredths, with gaps of up to three hours.
            var readings: [(time: Timestamp, hundredths: Int)] = []
            var now =
                Self.bucket.start + .milliseconds(Int64.random(in: 0..<900_000, using: &random))
            var value = Int.random(in: 0...1 << 40, using: &random)
            while now < Self.bucket.start + .seconds(86_400) {
                readings.append((now, value))
                value += Int.random(in: 0...500, using: &random)
                now =
                    now
                    + .seconds(random.oneIn(20) ? 10_800 : Int.random(in: 1...600, using: &random))
            }
            var bucket = Self.bucket
            var total = ScaledInteger.zero
            let last = try #require(readings.last)
            while bucket.start <= last.time {
                let rollup = foldCounter(readings, over: bucket)
                if let increase = rollup.increase { total = total + increase }
                bucket = bucket.next(calendar: .utc)
            }
            let first = try #require(readings.first)
            let expected = ScaledInteger(
                mantissa: Int128(last.hundredths - first.hundredths), exponent: 2)
            #expect(total.rescaled(to: 9) == expected.rescaled(to: 9), "round \(round)")
        }
    }

    private func foldCounter(
        _ readings: [(time: Timestamp, hundredths: Int)], over bucket: Bucket
    ) -> Rollup {
        func timed(_ reading: (time: Timestamp, hundredths: Int)?) -> Rollup.Timed? {
            reading.map { .init(time: $0.time, value: Double($0.hundredths) / 100) }
        }
        return Rollup.fold(
            Self.counter, over: bucket, previous: timed(readings.last { $0.time < bucket.start }),
            samples: readings.filter { bucket.contains($0.time) }
                .map { ($0.time, .number(Double($0.hundredths) / 100)) },
            next: timed(readings.first { $0.time >= bucket.end }), period: .seconds(600),
            expected: nil)
    }

    @Test("a counter's bucket is estimated with a gap across its border, a reset or no end")
    func estimated() throws {
        let start = Self.bucket.start
        func at(_ seconds: Int, _ value: Double) -> Rollup.Timed {
            .init(time: start + .seconds(seconds), value: value)
        }
        func fold(_ previous: Rollup.Timed?, _ inside: [Rollup.Timed], _ next: Rollup.Timed?)
            -> Rollup
        {
            Rollup.fold(
                Self.counter, over: Self.bucket, previous: previous,
                samples: inside.map { ($0.time, .number($0.value)) }, next: next,
                period: .seconds(60), expected: 15)
        }
        let inside = stride(from: 30, to: 900, by: 60).map { at($0, Double($0)) }
        let regular = fold(at(-30, -30), inside, at(930, 930))
        #expect(!regular.isEstimated)
        #expect(regular.increase?.double == 900)
        #expect(fold(at(-30, -30), inside, nil).isEstimated)
        #expect(fold(at(-600, -30), inside, at(930, 930)).isEstimated)
        // Inside the bucket a gap hides nothing of the bucket's own increase.
        #expect(!fold(at(-30, -30), [at(30, 30), at(870, 870)], at(930, 930)).isEstimated)
        let reset = fold(at(-30, 970), [at(30, 1030), at(90, 5), at(870, 785)], at(930, 845))
        #expect(reset.isEstimated)
        #expect(reset.increase?.double == 840)
    }

    @Test("two readings of a counter at one instant lose nothing")
    func sameInstant() {
        let start = Self.bucket.start
        let rollup = Rollup.fold(
            Self.counter, over: Self.bucket, previous: .init(time: start, value: 0),
            samples: [
                (start + .seconds(10), .number(10)), (start + .seconds(10), .number(12)),
                (start + .seconds(20), .number(20)),
            ],
            next: .init(time: Self.bucket.end, value: 30), period: nil, expected: nil)
        #expect(rollup.increase?.double == 30)
    }
}
