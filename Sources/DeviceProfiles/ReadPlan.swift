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

/// Merges the sources of one poll class into few requests.
///
/// A pure function of the profile: neighbours are joined while no value is split, the limits of
/// the device hold and no hole is wider than `joinGaps`. If the profile names blocks, exactly those
/// that are needed are read.
enum ReadPlan {
    static func requests(
        for sources: [(source: RegisterSource, isAlone: Bool)], of interface: ModbusInterface
    ) -> [RegisterRequest] {
        if !interface.blocks.isEmpty {
            return interface.blocks.filter { block in
                sources.contains { block.holds($0.source) }
            }
        }
        let single = Set(sources.filter(\.isAlone).map(\.source))
        var plan = single.map {
            RegisterRequest(area: $0.area, address: $0.address, count: $0.count)
        }
        var open: RegisterRequest?
        let rest = Set(sources.filter { !$0.isAlone }.map(\.source)).sorted(by: isBefore)
        for source in rest {
            if var request = open, request.area == source.area,
                source.address <= request.address + request.count + interface.limits.joinGaps
            {
                let end = max(request.address + request.count, source.address + source.count)
                let limit =
                    source.area.isBits ? interface.limits.maxBits : interface.limits.maxRegisters
                if end - request.address <= limit {
                    request.count = end - request.address
                    open = request
                    continue
                }
            }
            if let open { plan.append(open) }
            open = RegisterRequest(
                area: source.area, address: source.address, count: source.count)
        }
        if let open { plan.append(open) }
        return Array(Set(plan)).sorted {
            ($0.area.rawValue, $0.address) < ($1.area.rawValue, $1.address)
        }
    }

    private static func isBefore(_ a: RegisterSource, _ b: RegisterSource) -> Bool {
        (a.area.rawValue, a.address, a.count, a.type.rawValue)
            < (b.area.rawValue, b.address, b.count, b.type.rawValue)
    }
}
