/// One contiguous read.
package struct RegisterRequest: Hashable, Sendable {
    package var area: RegisterArea
    /// 0-based, as on the wire.
    package var address: Int
    /// Registers or bits.
    package var count: Int

    package init(area: RegisterArea, address: Int, count: Int) {
        self.area = area
        self.address = address
        self.count = count
    }

    package var addresses: Range<Int> { address..<(address + count) }

    func holds(_ source: RegisterSource) -> Bool {
        area == source.area && address <= source.address
            && source.address + source.count <= address + count
    }
}

/// What a request costs, counted in registers read, so that a plan can weigh a hole against a
/// second request.
package struct RequestCost: Hashable, Sendable {
    /// The fixed part: frames, the unit's turnaround, the quiet time.
    package var overhead: Double

    package init(overhead: Double) { self.overhead = max(0, overhead) }

    /// A network: few requests are all that counts.
    package static let network = RequestCost(overhead: 10_000)
}

/// Merges the sources of one poll class into the cheapest requests that the device takes.
///
/// A pure function of the profile and the line. No value is split, the limits of the device hold, no
/// hole is wider than `joinGaps`; among all plans that keep this it is the cheapest, found by dynamic
/// programming over the sources in the order of their addresses:
///
///     cost[end] = min over begin of cost[begin] + overhead + registers(begin ..< end)
///
/// If the profile names blocks, exactly those that are needed are read.
package enum ReadPlan {
    static func requests(
        for sources: [(source: RegisterSource, isAlone: Bool)], of interface: ModbusInterface,
        cost: RequestCost
    ) -> [RegisterRequest] {
        if !interface.blocks.isEmpty {
            return interface.blocks.filter { block in
                sources.contains { block.holds($0.source) }
            }
        }
        func request(_ source: RegisterSource) -> RegisterRequest {
            RegisterRequest(area: source.area, address: source.address, count: source.count)
        }
        // A value of a model that the device does not have is nowhere.
        let here = sources.filter { !$0.source.isUnplaced }
        var plan = Set(here.filter(\.isAlone).map { request($0.source) })
        let rest = Set(here.filter { !$0.isAlone }.map { request($0.source) })
        for area in RegisterArea.allCases {
            let limit = area.isBits ? interface.limits.maxBits : interface.limits.maxRegisters
            // A register takes sixteen times the room of a bit.
            let weight = area.isBits ? 1.0 / 16 : 1
            plan.formUnion(
                cheapest(
                    rest.filter { $0.area == area }, limit: limit,
                    joinGaps: interface.limits.joinGaps, overhead: cost.overhead, weight: weight))
        }
        return plan.sorted { ($0.area.rawValue, $0.address) < ($1.area.rawValue, $1.address) }
    }

    /// The cheapest requests that hold all of `values`, which lie in one area.
    ///
    /// - Parameters:
    ///   - limit: the longest request; a value that is longer stays alone.
    ///   - joinGaps: the widest hole that a request may cross.
    ///   - overhead: the fixed cost of a request.
    ///   - weight: the cost of one register or bit.
    package static func cheapest(
        _ values: Set<RegisterRequest>, limit: Int, joinGaps: Int, overhead: Double, weight: Double
    ) -> [RegisterRequest] {
        let values = values.sorted { ($0.address, $0.count) < ($1.address, $1.count) }
        guard let first = values.first else { return [] }
        var costs = [0.0]
        var begins = [0]
        for last in values.indices {
            var best = (cost: Double.infinity, begin: last)
            var end = 0
            // Leftwards from the last value; a hole is judged against what lies left of it.
            for begin in values.indices[...last].reversed() {
                end = max(end, values[begin].addresses.upperBound)
                let length = end - values[begin].address
                if length > limit, begin != last { break }
                let cost = costs[begin] + overhead + weight * Double(length)
                if cost < best.cost { best = (cost, begin) }
                guard begin > 0 else { break }
                // Values before may overlap, so the hole is measured to the farthest end of them.
                let reach = values[..<begin].reduce(0) { max($0, $1.addresses.upperBound) }
                if values[begin].address - reach > joinGaps { break }
            }
            costs.append(best.cost)
            begins.append(best.begin)
        }
        var requests: [RegisterRequest] = []
        var last = values.count
        while last > 0 {
            let begin = begins[last]
            let run = values[begin..<last]
            let end = run.reduce(0) { max($0, $1.addresses.upperBound) }
            requests.append(
                RegisterRequest(
                    area: first.area, address: values[begin].address,
                    count: end - values[begin].address))
            last = begin
        }
        return requests.reversed()
    }
}
