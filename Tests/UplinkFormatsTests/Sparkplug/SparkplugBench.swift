import SparkplugWire
import Telemetry
import UplinkFormats

/// 2024-05-10T04:00:00Z, the instant of the public vectors.
let vectorTime = Timestamp(milliseconds: 1_715_313_600_000)

/// A node, a clock that the test moves, and everything that was said, read again.
struct SparkplugBench {
    /// A message as a host reads it.
    struct Said: Hashable {
        var topic: String
        var qos: Int
        var payload: SparkplugPayload

        var kind: String { topic.split(separator: "/").dropFirst(2).first.map(String.init) ?? "" }
        var device: String? {
            let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
            return levels.count == 5 ? String(levels[4]) : nil
        }
        func metric(_ name: String) -> SparkplugPayload.Metric? {
            payload.metrics.first { $0.name == name }
        }
        var bdSeq: SparkplugPayload.Value? { metric("bdSeq")?.value }
    }

    var node: SparkplugNode
    var elapsed = Duration.seconds(10)
    var isTrusted = true

    init(host: String? = nil, last: UInt8? = nil) {
        node = SparkplugNode(
            SparkplugIdentity(group: "site", node: "gw", primaryHost: host), last: last)
    }

    var time: ConversationTime {
        ConversationTime(elapsed: elapsed, wall: vectorTime, isTrusted: isTrusted)
    }

    static func read(_ publications: [SparkplugPublication]) throws -> [Said] {
        try publications.map {
            Said(topic: $0.topic, qos: $0.qos, payload: try SparkplugPayload($0.payload))
        }
    }

    /// A new connection; returns the will and what is said at once.
    mutating func connect() throws -> (will: Said, births: [Said]) {
        let will = try Self.read([node.connecting(at: time)])
        return (will[0], try Self.read(node.connected(at: time)))
    }

    /// What is said of the items; nil when they wait.
    mutating func tell(_ items: UplinkItem...) throws -> [Said]? {
        elapsed += .seconds(1)
        guard case .say(let publications) = node.tell(items, at: time) else { return nil }
        return try Self.read(publications)
    }

    mutating func hear(
        _ topic: String, _ payload: [UInt8], isRetained: Bool = false
    ) -> SparkplugNode.Hearing {
        elapsed += .seconds(1)
        return node.receive(topic, payload, isRetained: isRetained, at: time)
    }

    mutating func host(_ text: String) -> SparkplugNode.Hearing {
        hear("spBv1.0/STATE/scada", Array(text.utf8), isRetained: true)
    }

    mutating func host(_ isOnline: Bool, at time: Int) -> SparkplugNode.Hearing {
        host("{\"online\":\(isOnline),\"timestamp\":\(time)}")
    }

    mutating func rebirth(isRetained: Bool = false) throws -> [Said] {
        let command = SparkplugPayload(
            timestamp: 1,
            metrics: [.init(name: "Node Control/Rebirth", datatype: 11, value: .boolean(true))])
        return try Self.read(
            hear("spBv1.0/site/NCMD/gw", command.bytes, isRetained: isRetained).publications)
    }
}

/// One minute of readings of a gauge, beginning at the vectors' time and `minute` minutes.
func rawMinute(
    _ device: String, _ point: String, _ readings: [Reading], kind: SeriesKind = .gauge,
    unit: String = "ug/m3", minute: Int64 = 0, point wanted: UplinkPoint = .asStored,
    revision: Int = 0, isBacklog: Bool = false
) -> UplinkItem {
    let start = vectorTime + .seconds(60 * minute)
    return UplinkItem(
        site: SiteID("hz"), kind: UplinkItem.kind(.raw, .minute), scope: "\(device)/rs485/normal",
        device: DeviceID(device), start: start, end: start + .seconds(60), revision: revision,
        isBacklog: isBacklog,
        entries: [
            UplinkItem.Entry(
                series: series("\(device).\(point)", kind, unit), rollup: Rollup(), point: wanted,
                samples: readings.enumerated().map {
                    Sample(time: start + .seconds(10 * $0.offset), reading: $0.element)
                })
        ])
}
