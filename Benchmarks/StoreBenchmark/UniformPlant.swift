import Telemetry

/// Groups whose numbers wander on the grid of a register, each scan made when it is asked for.
struct UniformPlant {
    let groups: [ScanGroup]
    private var mantissas: [[Int64]]
    private var noise = Noise(seed: 7)

    /// - Parameter groups: any groups; counters grow, everything else wanders.
    init(_ groups: [ScanGroup]) {
        self.groups = groups
        mantissas = groups.map { group in group.series.map { _ in 2000 } }
    }

    /// Groups of equal width, polled each second.
    init(groups count: Int, width: Int) {
        self.init(
            (0..<count).map { number in
                let device = DeviceID("plant-\(number)")
                return ScanGroup(
                    device: device, interface: "rs485", name: "fast",
                    series: (0..<width).map { column in
                        Series(
                            id: SeriesID(device: device, point: PointKey("value\(column)")),
                            kind: column % 5 == 4 ? .counter : .gauge,
                            unit: column % 5 == 4 ? "kWh" : "V",
                            counter: column % 5 == 4
                                ? CounterPolicy(modulus: nil, resets: .manual) : nil)
                    },
                    period: .seconds(1), isPolled: true)
            })
    }

    /// The shortest period of the groups, in seconds.
    var finestPeriod: Int {
        Int(groups.compactMap { $0.period?.components.seconds }.min() ?? 60)
    }

    /// What the groups whose slot begins at `time` say.
    ///
    /// - Parameter every: seconds between scans; 0 takes each group's own period.
    mutating func scans(at time: Timestamp, ids: [ScanGroup.ID], every: Int = 0) -> [Scan] {
        var scans: [Scan] = []
        for (index, group) in groups.enumerated() {
            let period = every > 0 ? .seconds(every) : group.period ?? .seconds(60)
            guard time.slot(every: period) == time else { continue }
            var readings: [Reading] = []
            readings.reserveCapacity(group.series.count)
            for column in group.series.indices {
                let draw = noise.next()
                let isCounter = group.series[column].kind == .counter
                // Most of the time a value stands still; else it goes a few steps.
                let step = Int64(draw >> 8 & 7) - (isCounter ? 0 : 3)
                if draw & 7 < 3 { mantissas[index][column] += step }
                readings.append(.number(Double(mantissas[index][column]) / 10))
            }
            scans.append(Scan(group: ids[index], time: time, readings: readings))
        }
        return scans
    }
}
