import CraneWork
import Telemetry
import Testing

@Suite("Overloads and near misses")
struct OverloadTests {
    /// A lift from 20 s on, whose moment is given reading by reading, 5 s apart.
    private func records(
        moments: [Double?], before: Double? = nil,
        _ change: (inout [CraneInstant]) -> Void = { _ in }
    ) -> [CraneRecord] {
        var instants = loads("0x4 2x\(moments.count) 0x12")
        if let before { instants[2].momentRatio = before }
        for (index, moment) in moments.enumerated() { instants[4 + index].momentRatio = moment }
        for index in 4 + moments.count..<instants.count { instants[index].momentRatio = 3 }
        change(&instants)
        return fold(instants)
    }

    @Test(
        "90 % is a warning and 100 % an overload, a tenth less is neither",
        arguments: [
            (89.9, 0, 0), (90, 1, 0), (94.9, 1, 0), (95, 1, 0), (99.9, 1, 0), (100, 1, 1),
            (130, 1, 1),
        ])
    func edges(moment: Double, warnings: Int, overloads: Int) throws {
        let records = records(moments: [50, 50, 50, moment, moment, 50, 50, 50, 50])
        let lift = try #require(records.lifts.first)
        #expect((lift.warnings, lift.overloads) == (warnings, overloads))
        #expect(lift.timeAtWarning == .seconds(10 * warnings))
        #expect(lift.timeAtOverload == .seconds(10 * overloads))
        #expect(lift.peakMomentRatio == moment)
        #expect(records.overloads.count == warnings)
        #expect(records.overloads.allSatisfy { $0.level == (overloads > 0 ? .overload : .warning) })
        #expect(records.nearMisses.count == (moment >= 95 && moment < 100 ? 1 : 0))
    }

    @Test("each rise counts, and a bad reading stands on")
    func counts() throws {
        let lift = try #require(
            records(moments: [50, 90, 100, 89.9, 90, nil, 99.9, 100, 89, 50]).lifts.first)
        #expect(lift.warnings == 2)
        #expect(lift.overloads == 2)
        #expect(lift.timeAtWarning == .seconds(30))
        #expect(lift.timeAtOverload == .seconds(10))
    }

    @Test("an episode says from when to when, how far, and shows the worst instant")
    func episode() throws {
        let records = records(moments: [50, 91, 97, 93, nil, 50, 50, 50, 50, 50, 50, 50]) {
            $0[6].radius = 33
            $0[6].ratedLoad = 2.5
            $0[0].logged = .id("17")
        }
        let lift = try #require(records.lifts.first)
        let episode = try #require(records.overloads.first)
        #expect(records.overloads.count == 1)
        #expect((episode.quantity, episode.level) == (.moment, .warning))
        #expect((episode.start, episode.end) == (at(25), at(45)))
        #expect((episode.peak, episode.samples) == (97, 3))
        #expect((episode.timeAtWarning, episode.timeAtOverload) == (.seconds(20), .zero))
        #expect((episode.lift, episode.operatorID) == (lift.start, "17"))
        #expect(!episode.isTruncated)
        #expect(episode.key == "crane-1|moment|\(at(25).milliseconds)")
        let miss = try #require(records.nearMisses.first)
        #expect(records.nearMisses.count == 1)
        #expect(miss.kind == .moment)
        #expect((miss.start, miss.end) == (at(30), at(35)))
        #expect((miss.peak, miss.limit, miss.samples) == (97, 95, 1))
        #expect(miss.evidence.time == at(30))
        #expect((miss.evidence.load, miss.evidence.ratedLoad) == (2, 2.5))
        #expect((miss.evidence.loadRatio, miss.evidence.radius) == (80, 33))
        #expect(miss.evidence == episode.evidence)
    }

    @Test("the load ratio is the crane's, else load over rated load, exactly")
    func loadRatio() {
        func level(_ load: Double, rated: Double, ratio: Double? = nil) -> [OverloadLevel] {
            fold(
                loads("0x4 \(load)x6 0x14").map {
                    var instant = $0
                    instant.ratedLoad = rated
                    instant.loadRatio = ratio
                    return instant
                }
            ).overloads.filter { $0.quantity == .load }.map(\.level)
        }
        #expect(level(3.69, rated: 4.1) == [.warning])
        #expect(level(3.68, rated: 4.1) == [])
        #expect(level(4.1, rated: 4.1) == [.overload])
        #expect(level(4.1, rated: 4.1, ratio: 50) == [])
        #expect(level(2, rated: 0) == [])
    }

    @Test("excursions parted by half a minute or less are one")
    func lull() {
        let one = records(
            moments: [92, 50, 50, 50, 50, 50, 50, 93, 50] + Array(repeating: 50, count: 8))
        #expect(one.overloads.map(\.end) == [at(60)])
        #expect(one.overloads.map(\.peak) == [93])
        #expect(one.lifts.map(\.warnings) == [2])
        let two = records(
            moments: [92, 50, 50, 50, 50, 50, 50, 50, 93, 50] + Array(repeating: 50, count: 8))
        #expect(two.overloads.map(\.start) == [at(20), at(60)])
        #expect(two.overloads.map(\.end) == [at(25), at(65)])
    }

    @Test("an overload without a lift is an episode without a lift")
    func outside() {
        var instants = loads("0x20", rising: 0)
        instants[3].momentRatio = 104
        instants[4].momentRatio = 30
        instants[12].momentRatio = 30
        let records = fold(instants)
        #expect(records.overloads.map(\.lift) == [nil])
        #expect(records.overloads.map(\.level) == [.overload])
        #expect(records.nearMisses.isEmpty)
    }

    @Test("readings that stop at an overload end it there, truncated")
    func truncated() {
        var instants = loads("0x4 2x8")
        for index in 8...11 { instants[index].momentRatio = 96 }
        let records = fold(instants)
        #expect(records.overloads.map(\.end) == [at(55)])
        #expect(records.overloads.map(\.isTruncated) == [true])
        #expect(records.nearMisses.map(\.isTruncated) == [true])
    }

    @Test("a collision alarm is a near miss in a lift, and none with an empty hook")
    func collision() throws {
        var instants = loads("0x20 2x12 0x12")
        for index in [3, 4] { instants[index].alarms.raised = CraneAlarmSet(.collision) }
        instants[24].alarms.warned = CraneAlarmSet(.collision)
        instants[25].alarms.raised = CraneAlarmSet(.collision)
        // Silence about the alarm is not its end.
        instants[28].alarms.normal = CraneAlarmSet(.collision)
        let records = fold(instants)
        let miss = try #require(records.nearMisses.first)
        #expect(records.nearMisses.count == 1)
        #expect(miss.kind == .collision)
        #expect((miss.start, miss.end) == (at(120), at(140)))
        #expect((miss.peak, miss.samples) == (nil, 2))
        #expect(miss.evidence.time == at(125))
        #expect(miss.evidence.raisedAlarms.words == ["alarm_collision"])
        #expect(miss.lift == at(100))
    }

    @Test("wind at the limit while lifting is a near miss that ends with the lift")
    func wind() {
        func misses(_ wind: Double, rising: Double = 0.5) -> [NearMiss] {
            var instants = loads("0x4 2x12 0x12", rising: rising)
            for index in 2..<instants.count { instants[index].windSpeed = wind }
            return fold(instants).nearMisses
        }
        #expect(misses(13.7).isEmpty)
        let miss = misses(13.8)
        #expect(miss.map(\.kind) == [.wind])
        #expect(miss.map(\.start) == [at(20)])
        #expect(miss.map(\.end) == [at(80)])
        #expect(miss.map(\.peak) == [13.8])
        #expect(miss.map(\.limit) == [13.8])
        #expect(misses(20, rising: 0).isEmpty)
    }

    @Test("episodes follow each other, stand around their peak, and name lifts that are there")
    func properties() {
        var seen = 0
        for seed in UInt64(900)..<908 {
            let records = fold(fullDay(seed))
            let starts = Set(records.lifts.map(\.start))
            for kind in OverloadQuantity.allCases {
                let episodes = records.overloads.filter { $0.quantity == kind }
                for (episode, next) in zip(episodes, episodes.dropFirst()) {
                    #expect(episode.end < next.start, "seed \(seed)")
                }
                for episode in episodes {
                    #expect(episode.start <= episode.evidence.time, "seed \(seed)")
                    #expect(episode.evidence.time <= episode.end, "seed \(seed)")
                    #expect(episode.timeAtOverload <= episode.timeAtWarning)
                    #expect((episode.level == .overload) == (episode.peak >= 100))
                }
                seen += episodes.count
            }
            let named = records.overloads.compactMap(\.lift) + records.nearMisses.compactMap(\.lift)
            #expect(starts.isSuperset(of: named), "seed \(seed)")
            for lift in records.lifts where lift.overloads > 0 {
                let isTold = records.overloads.contains {
                    $0.level == .overload && $0.start < lift.end && $0.end >= lift.start
                }
                #expect(isTold, "seed \(seed), \(seconds(lift.start))")
            }
            #expect(Set(records.map { "\($0.kind) \($0.key)" }).count == records.count)
        }
        #expect(seen > 50, "only \(seen) episodes")
    }
}

extension CraneRecord {
    fileprivate var kind: String {
        switch self {
        case .lift: "lift"
        case .overload: "overload"
        case .nearMiss: "near miss"
        }
    }
}
