import Store
import Telemetry

/// What the exerciser writes: batch `k` follows from `k` alone, so any reader knows what belongs.
///
/// A crane is read each second, a meter each 15 s, and a dust station sends messages when it likes.
/// Batch `k` holds what came in the k-th span of 20 s, less the scans that are late, plus those
/// that are late from earlier spans.
struct Workload {
    static let start = Timestamp(milliseconds: 1_795_000_500_000 - 1_795_000_500_000 % 86_400_000)
    static let span: Int64 = 20
    /// How many batches a late scan waits; the longer ones come when their hour is sealed.
    static let delays: [Int64] = [3, 40, 250]

    var groups: [ScanGroup]

    /// The groups before the store has numbered them.
    static let unnumbered: [ScanGroup] = [
        group(
            "crane", "mqtt", "fast", period: 1,
            [("wind", .gauge, "m/s"), ("energy", .counter, "kWh"), ("load", .gauge, "t")]),
        group(
            "meter", "rs485", "slow", period: 15,
            [
                ("voltage", .gauge, "V"), ("current", .gauge, "A"), ("power", .gauge, "kW"),
                ("energy", .counter, "kWh"), ("flow", .gauge, "m3/h"),
            ]),
        group(
            "dust", "mqtt", "report", period: nil,
            [("pm10", .gauge, "ug/m3"), ("pump", .state, ""), ("note", .text, "")]),
    ]

    private static func group(
        _ device: String, _ interface: String, _ name: String, period: Int64?,
        _ points: [(String, SeriesKind, String)]
    ) -> ScanGroup {
        let id = DeviceID(device)
        return ScanGroup(
            device: id, interface: interface, name: name,
            series: points.map { point, kind, unit in
                Series(
                    id: SeriesID(device: id, point: PointKey(point)), kind: kind, unit: unit,
                    counter: kind == .counter
                        ? CounterPolicy(modulus: 1_000_000, resets: .manual) : nil)
            }, period: period.map { .seconds($0) }, isPolled: period != nil)
    }

    /// The scans that batch `k` (from 1) makes durable.
    func scans(ofBatch k: Int64) -> [Scan] {
        var scans = arrivals(in: k).filter { delay(of: $0) == 0 }
        for delay in Self.delays where k > delay {
            scans += arrivals(in: k - delay).filter { self.delay(of: $0) == delay }
        }
        return scans
    }

    /// All scans whose time lies in span `k` and that the batches up to `newest` hold, in order.
    func scans(inSpan k: Int64, upTo newest: Int64, of group: Int) -> [Scan] {
        arrivals(in: k).filter { $0.group == groups[group].id && k + delay(of: $0) <= newest }
            .sorted(by: Scan.isBefore)
    }

    /// The newest batch that a store holds; 0 when it holds none.
    ///
    /// The crane's newest scan is never a late one, because most scans of a span are in time.
    func newestBatch(in store: Store) async throws(StoreError) -> Int64 {
        let end = Timestamp(milliseconds: 4_000_000_000_000)
        let last = try await store.reader.lastScans(group: groups[0].id, before: end, limit: 1)
        return last.first.map { ($0.time - Self.start).milliseconds / (Self.span * 1000) + 1 } ?? 0
    }

    static func time(ofSpan k: Int64) -> Timestamp { start + .seconds((k - 1) * span) }

    private func arrivals(in k: Int64) -> [Scan] {
        let base = Self.time(ofSpan: k)
        var scans: [Scan] = []
        for second in 0..<Self.span {
            let time = base + .seconds(second)
            scans.append(crane(time))
            if time.milliseconds % 15_000 == 0 { scans.append(meter(time)) }
            if Self.noise(time, 7) % 9 == 0 { scans += dust(time) }
        }
        return scans
    }

    private func delay(of scan: Scan) -> Int64 {
        let noise = Self.noise(scan.time, 1000 + UInt64(scan.group.number))
        return switch noise % 200 {
        case 0...4: Self.delays[0]
        case 5...6: Self.delays[1]
        case 7: Self.delays[2]
        default: 0
        }
    }

    private func crane(_ time: Timestamp) -> Scan {
        let passed = (time - Self.start).milliseconds / 1000
        let noise = Self.noise(time, 1)
        let load: Reading = noise % 50 == 0 ? .bad(.timeout) : .number(Double(noise >> 11) / 3e12)
        return Scan(
            group: groups[0].id, time: time,
            readings: [
                .number(Double(noise % 250) / 10), .number(Double(passed / 3 % 90_000_000) / 100),
                load,
            ])
    }

    private func meter(_ time: Timestamp) -> Scan {
        let noise = Self.noise(time, 2)
        if noise % 40 == 0 {
            return Scan(
                group: groups[1].id, time: time,
                readings: [Reading](repeating: .bad(.disconnected), count: 5))
        }
        let passed = (time - Self.start).milliseconds / 1000
        return Scan(
            group: groups[1].id, time: time,
            readings: [
                .number(Double(2200 + noise % 200) / 10), .number(Double(noise % 900) / 100),
                .number(Double(noise % 5000) / 1000), .number(Double(passed % 90_000_000) / 100),
                noise % 7 == 0 ? .bad(.outOfRange) : .number(-0.125),
            ])
    }

    /// One message, now and then two different ones of the same instant.
    private func dust(_ time: Timestamp) -> [Scan] {
        let noise = Self.noise(time, 3)
        let instant = time + .milliseconds(Int64(noise % 990))
        return (0...(noise % 8 == 0 ? 1 : 0)).map { sequence in
            Scan(
                group: groups[2].id, time: instant, sequence: UInt16(sequence),
                flags: noise % 3 == 0 ? .arrivalTime : [],
                readings: [
                    .number(Double(noise % 3000) / 10 + Double(sequence)),
                    .text(noise % 2 == 0 ? "running" : "stopped"),
                    noise % 5 == 0 ? .bad(.absent) : .text("喷淋 \(noise % 12)"),
                ])
        }
    }

    /// SplitMix64 of an instant: the same numbers on every machine.
    private static func noise(_ time: Timestamp, _ salt: UInt64) -> UInt64 {
        var z = UInt64(bitPattern: time.milliseconds) &+ salt &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
