import CraneWork
import Telemetry
import Testing

/// How well a day's lifts were found.
private struct Score {
    var truth = 0
    var found = 0
    var matched = 0
    var goodLoads = 0
    /// Lifts whose start and end fell into no spell without readings.
    var clear = 0
    var clearMatched = 0
    var misses: [String] = []

    init() {}

    mutating func add(_ other: Score) {
        truth += other.truth
        found += other.found
        matched += other.matched
        goodLoads += other.goodLoads
        clear += other.clear
        clearMatched += other.clearMatched
        misses += other.misses
    }

    var recall: Double { Double(matched) / Double(max(1, truth)) }
    var precision: Double { Double(matched) / Double(max(1, found)) }
    var clearRecall: Double { Double(clearMatched) / Double(max(1, clear)) }
    var loadShare: Double { Double(goodLoads) / Double(max(1, matched)) }
    var text: String {
        "of \(truth) lifts: recall \(recall), precision \(precision); of \(clear) clear ones "
            + "\(clearRecall); loads right \(loadShare)\n"
            + misses.prefix(40).joined(separator: "\n")
    }

    /// A lift is found when a record begins and ends where it did, within two readings and 8 s.
    init(_ day: CraneDay, _ lifts: [Lift]) {
        let tolerance = 2 * day.period + 8
        var left = lifts
        let place = "seed \(day.seed), every \(day.period) s:"
        for lift in day.lifts {
            let match = left.firstIndex {
                abs(seconds($0.start) - lift.start) <= tolerance
                    && abs(seconds($0.end) - lift.end) <= tolerance
            }
            if lift.isHidden {
                // Whatever was made of it is neither right nor wrong.
                left.removeAll { seconds($0.start) < lift.end && seconds($0.end) > lift.start }
                continue
            }
            truth += 1
            if !lift.isBlurred { clear += 1 }
            guard let match else {
                misses.append("\(place) missed \(lift)")
                continue
            }
            matched += 1
            if !lift.isBlurred { clearMatched += 1 }
            found += 1
            if abs(left[match].liftedLoad - lift.load) <= 0.15 + 0.07 * lift.load {
                goodLoads += 1
            }
            left.remove(at: match)
        }
        found += left.count
        for lift in left {
            misses.append(
                "\(place) invented \(seconds(lift.start))...\(seconds(lift.end)) "
                    + "\(lift.peakLoad) t, zero \(lift.zeroLoad)")
        }
    }
}

@Suite("Lifts beside a day of which the truth is known")
struct GroundTruthTests {
    @Test("finds at least 98 % of the lifts, and invents less than 2 %", arguments: 0..<4)
    func recallAndPrecision(sampling: Int) {
        var total = Score()
        for number in 0..<12 {
            let day = CraneDay(seed: UInt64(20_260_000 + number * 4 + sampling))
            total.add(Score(day, fold(day.instants).lifts))
        }
        // Days on which nothing happens would prove nothing.
        #expect(total.truth > 500, "only \(total.truth) lifts")
        #expect(total.recall >= 0.98, "\(total.text)")
        #expect(total.precision >= 0.98, "\(total.text)")
        #expect(total.clearRecall >= 0.998, "\(total.text)")
        #expect(total.loadShare >= 0.98, "\(total.text)")
    }

    @Test("lifts of one crane follow each other, and each lifts something", arguments: 0..<24)
    func orderOfLifts(number: Int) {
        let day = CraneDay(seed: UInt64(700 + number))
        let options = shipped
        let lifts = fold(day.instants).lifts
        #expect(lifts.count > 10, "seed \(day.seed)")
        for (lift, next) in zip(lifts, lifts.dropFirst()) {
            #expect(lift.end <= next.start, "seed \(day.seed), \(seconds(lift.start))")
        }
        for lift in lifts {
            #expect(lift.duration >= options.minimumDuration)
            #expect(lift.peakLoad - lift.zeroLoad >= options.startLoad)
            #expect(lift.heldLoad <= lift.peakLoad)
            #expect(lift.samples > 1)
            #expect(lift.start < lift.end)
        }
        #expect(Set(lifts.map(\.key)).count == lifts.count)
    }
}
