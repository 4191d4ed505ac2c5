import DeviceProfiles
import TestSeeds
import Testing

@Suite("The read plan is the cheapest that there is")
struct ReadPlanOptimumTests {
    /// The cost of the best of all ways to cut the values into runs, tried one by one.
    private func bruteForce(
        _ values: [RegisterRequest], limit: Int, joinGaps: Int, overhead: Double
    ) -> Double {
        var best = Double.infinity
        for cuts in 0..<(1 << max(0, values.count - 1)) {
            var cost = 0.0
            var isAllowed = true
            var begin = 0
            for index in values.indices
            where index == values.count - 1 || cuts >> index & 1 == 1 {
                let run = values[begin...index]
                var end = run[begin].address
                for value in run {
                    if value.address - end > joinGaps { isAllowed = false }
                    end = max(end, value.address + value.count)
                }
                let length = end - run[begin].address
                if length > limit, run.count > 1 { isAllowed = false }
                cost += overhead + Double(length)
                begin = index + 1
            }
            if isAllowed { best = min(best, cost) }
        }
        return best
    }

    @Test("no cut of random maps is cheaper, on slow lines and on fast ones")
    func optimum() {
        var random = SeededGenerator(404)
        for round in 0..<600 {
            var values: [RegisterRequest] = []
            var address = 0
            for _ in 0..<Int.random(in: 1...11, using: &random) {
                address += random.oneIn(2) ? 0 : Int.random(in: 0...30, using: &random)
                let count = [1, 1, 2, 2, 4].randomElement(using: &random) ?? 1
                values.append(RegisterRequest(area: .holding, address: address, count: count))
                address += count
            }
            let limit = [4, 10, 40, 125].randomElement(using: &random) ?? 40
            let joinGaps = [0, 3, 12, 124].randomElement(using: &random) ?? 0
            let overhead: Double = [0, 6, 25, 10_000].randomElement(using: &random) ?? 6
            let plan = ReadPlan.cheapest(
                Set(values), limit: limit, joinGaps: joinGaps, overhead: overhead, weight: 1)
            let cost = plan.reduce(0) { $0 + overhead + Double($1.count) }
            let best = bruteForce(
                values, limit: limit, joinGaps: joinGaps, overhead: overhead)
            #expect(cost == best, "round \(round): \(values)")
            for value in values {
                #expect(
                    plan.contains {
                        $0.address <= value.address
                            && value.address + value.count <= $0.address + $0.count
                    }, "round \(round): \(value) is split")
            }
            #expect(plan.allSatisfy { $0.count <= max(limit, 4) })
        }
    }

    @Test("a hole is crossed where reading it costs less than asking twice")
    func holes() {
        let values: Set = [
            RegisterRequest(area: .input, address: 0, count: 2),
            RegisterRequest(area: .input, address: 20, count: 2),
        ]
        func requests(_ overhead: Double) -> Int {
            ReadPlan.cheapest(
                values, limit: 125, joinGaps: 124, overhead: overhead, weight: 1
            ).count
        }
        #expect(requests(17.9) == 2)
        #expect(requests(18.1) == 1)
    }
}
