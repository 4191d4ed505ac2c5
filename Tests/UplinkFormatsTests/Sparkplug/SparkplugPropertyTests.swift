import SparkplugWire
import Telemetry
import TestSeeds
import Testing
import UplinkFormats

/// What a strict host knows of one node.
private struct StrictHost {
    var bdSeq: SparkplugPayload.Value?
    var next: UInt64?
    /// Device → metric → datatype, of this birth alone.
    var born: [String: [String: UInt32]] = [:]
    var faults: [String] = []

    mutating func take(_ said: SparkplugBench.Said) {
        if said.kind == "NDEATH" {
            next = nil
            return
        }
        if said.kind == "NBIRTH" {
            (bdSeq, next, born) = (said.bdSeq, 0, [:])
        }
        if said.payload.sequence != next || next == nil {
            faults.append("\(said.topic): \(String(describing: said.payload.sequence))")
        }
        next = next.map { ($0 + 1) % 256 }
        guard let device = said.device else { return }
        if said.kind == "DBIRTH" {
            born[device] = Dictionary(
                uniqueKeysWithValues: said.payload.metrics.map { ($0.name ?? "", $0.datatype ?? 0) }
            )
        }
        for metric in said.payload.metrics {
            if born[device]?[metric.name ?? ""] != metric.datatype {
                faults.append("\(said.topic): \(metric.name ?? "") was never born")
            }
            if metric.isNull != (metric.value == nil) || metric.timestamp == nil {
                faults.append("\(said.topic): \(metric)")
            }
        }
    }
}

@Suite("Properties of a Sparkplug edge node")
struct SparkplugPropertyTests {
    @Test("whatever happens, metrics are born before their data, and the sequence has no gap")
    func neverUnborn() throws {
        var random = SeededGenerator(0x5350_4221)
        var (data, restarts) = (0, 0)
        for _ in 0..<30 {
            let host = random.oneIn(2) ? "scada" : nil
            var bench = SparkplugBench(host: host)
            var judge = StrictHost()
            func hear(_ publications: [SparkplugPublication]) throws {
                for said in try SparkplugBench.read(publications) { judge.take(said) }
            }
            var clock = 0
            for step in 0..<200 {
                switch Int.random(in: 0..<12, using: &random) {
                case 0:
                    restarts += 1
                    // Half of the connections end without a word; then the broker says the will.
                    if random.oneIn(2) { try hear(bench.node.leaving(at: bench.time)) }
                    bench.node.disconnected()
                    judge.next = nil
                    for said in try bench.connect().births { judge.take(said) }
                case 1: for said in try bench.rebirth() { judge.take(said) }
                case 2, 3:
                    clock += Int.random(in: -1...3, using: &random)
                    let hearing = bench.host(random.oneIn(3) ? false : true, at: max(0, clock))
                    try hear(hearing.publications)
                    if hearing.leaves {
                        try hear(bench.node.leaving(at: bench.time))
                        for said in try bench.connect().births { judge.take(said) }
                    }
                default:
                    let item = rawMinute(
                        ["dust", "crane", "a/b"].randomElement(using: &random) ?? "dust",
                        "p\(Int.random(in: 0..<6, using: &random))",
                        (0..<Int.random(in: 0..<4, using: &random)).map { _ in
                            random.oneIn(4) ? .bad(.timeout) : .number(random.decimal())
                        }, minute: Int64(step) - (random.oneIn(4) ? 20 : 0),
                        revision: random.oneIn(4) ? 1 : 0, isBacklog: random.oneIn(4))
                    for said in try bench.tell(item) ?? [] {
                        judge.take(said)
                        if said.kind == "DDATA" { data += 1 }
                    }
                }
            }
            #expect(judge.faults.isEmpty)
        }
        // The walk went where it matters.
        #expect(data > 1000 && restarts > 100)
    }

    @Test("what was told once is in every later birth, as it was last told")
    func birthsRemember() throws {
        var random = SeededGenerator(0x5350_4222)
        var bench = SparkplugBench()
        _ = try bench.connect()
        var last: [String: SparkplugPayload.Value?] = [:]
        for minute in 0..<60 {
            let point = "p\(Int.random(in: 0..<6, using: &random))"
            let reading: Reading =
                random.oneIn(4) ? .bad(.timeout) : .number(random.decimal())
            _ = try bench.tell(rawMinute("dust", point, [reading], minute: Int64(minute)))
            last.updateValue(reading.number.map { .double($0) }, forKey: point)
            let births = random.oneIn(2) ? try bench.rebirth() : try bench.connect().births
            let told = births.last?.payload.metrics.map { ($0.name ?? "", $0.value) } ?? []
            let isRemembered = Dictionary(uniqueKeysWithValues: told) == last
            #expect(isRemembered)
        }
    }
}
