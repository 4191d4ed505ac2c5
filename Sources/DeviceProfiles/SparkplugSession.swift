import SparkplugWire
import Telemetry

/// Whose metrics: a node's own, or those of a device behind it.
package struct SparkplugAddress: Hashable, Sendable {
    package let group: String
    package let node: String
    package let device: String?

    /// What an interface says in place of a topic pattern.
    static let pattern = "spBv1.0/{device}"

    /// `GROUP/NODE/DEVICE`, or `GROUP/NODE` for the node itself; nil when the text is neither.
    package init?(key: String) {
        let levels = key.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(levels.count),
            !levels.contains(where: { $0.isEmpty || $0.contains("+") || $0.contains("#") })
        else { return nil }
        self.init(levels[0], levels[1], levels.count == 3 ? levels[2] : nil)
    }

    init(_ group: String, _ node: String, _ device: String?) {
        self.group = group
        self.node = node
        self.device = device
    }

    package var key: String { "\(group)/\(node)" + (device.map { "/" + $0 } ?? "") }
    package var owner: SparkplugAddress { SparkplugAddress(group, node, nil) }
    /// Everything of the node: sequence numbers count over all of its devices.
    var filter: String { "spBv1.0/\(group)/+/\(node)/#" }
    /// Where the node hears commands.
    package var commandTopic: String { "spBv1.0/\(group)/NCMD/\(node)" }
}

/// What a topic says of a message: `spBv1.0/GROUP/TYPE/NODE[/DEVICE]`.
struct SparkplugMessage: Hashable {
    enum Kind: String { case NBIRTH, NDATA, NDEATH, DBIRTH, DDATA, DDEATH }

    let kind: Kind
    let address: SparkplugAddress

    /// nil for commands, host states and all other topics.
    init?(topic: String) {
        let levels = topic.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard levels.count >= 4, levels[0] == "spBv1.0", let kind = Kind(rawValue: levels[2]) else {
            return nil
        }
        let isDevice = kind.rawValue.hasPrefix("D")
        guard levels.count == (isDevice ? 5 : 4) else { return nil }
        self.kind = kind
        address = SparkplugAddress(levels[1], levels[3], isDevice ? levels[4] : nil)
    }
}

/// What is known of the Sparkplug nodes of a link: a value without a clock or a socket.
///
/// A birth names all metrics and may give them aliases; data afterwards hold what has changed, by name
/// or alias. A metric that was not sent again still has its value, until the node dies, or a number
/// is missing in its sequence: then nobody knows what has changed.
///
///     NBIRTH seq 0 ─▶ DBIRTH 1 ─▶ DDATA 2 ─▶ … 255 ─▶ 0 …    NDEATH with the birth's bdSeq
package struct SparkplugSession: Sendable {
    /// What a message means for the readings of one device.
    package enum Effect: Hashable, Sendable {
        /// Metrics with their names, one entry for each time, oldest first.
        case metrics(SparkplugAddress, isBirth: Bool, [Moment])
        /// The device, or everything of the node where `device` is nil, has gone.
        case died(SparkplugAddress)
        /// Something of the node was lost on the way; what it had said is uncertain.
        case gap(SparkplugAddress, detail: String)
        /// Data cannot be read without a new birth of the node.
        case needsBirth(SparkplugAddress, reason: String)
        case refused(BadReason, detail: String)
    }

    /// The metrics of one instant.
    package struct Moment: Hashable, Sendable {
        /// nil: the message says no time.
        package var time: Timestamp?
        package var isHistorical: Bool
        package var metrics: [SparkplugPayload.Metric]
    }

    private struct Node {
        var isBorn = false
        var nextSequence: UInt64?
        var birthSequence: UInt64?
        var bornDevices: Set<String> = []
        var bornBytes = 0
        var aliases: [UInt64: (name: String, datatype: UInt32?)] = [:]
        var datatypes: [String: UInt32] = [:]
    }

    /// Aliases that are kept of one node.
    private static let mostAliases = 65_536
    /// Devices of one node that are kept, and bytes of their names: of more than these, births are
    /// read but not remembered.
    private static let mostDevices = 4096
    private static let mostDeviceBytes = 262_144

    private var nodes: [SparkplugAddress: Node] = [:]

    package init() {}

    /// Takes a message in and says what follows from it, in order.
    ///
    /// - Returns: nothing for commands, host states and messages of no interest.
    package mutating func take(topic: String, payload bytes: [UInt8]) -> [Effect] {
        guard let message = SparkplugMessage(topic: topic) else { return [] }
        guard let payload = try? SparkplugPayload(bytes) else {
            return [.refused(.malformed, detail: "not a Sparkplug B payload")]
        }
        let owner = message.address.owner
        var node = nodes[owner] ?? Node()
        defer { nodes[owner] = node }
        switch message.kind {
        case .NBIRTH:
            let number = Self.birthSequence(payload)
            // A birth that was asked for keeps the number, and its devices follow at once. With
            // another one the node has been away.
            let isAgain = node.isBorn && number != nil && number == node.birthSequence
            node = Node(isBorn: true, nextSequence: Self.after(payload.sequence ?? 0))
            node.birthSequence = number
            return (isAgain ? [] : [.died(owner)]) + [birth(message, payload, &node)]
        case .NDEATH:
            // A will of an earlier connection may come after the new birth.
            let number = Self.birthSequence(payload)
            if let number, let born = node.birthSequence, number != born { return [] }
            node = Node()
            return [.died(owner)]
        case .DBIRTH:
            var effects = follow(owner, payload, &node)
            let name = message.address.device ?? ""
            let bytes = node.bornBytes + name.utf8.count
            if node.bornDevices.count < Self.mostDevices, bytes <= Self.mostDeviceBytes,
                node.bornDevices.insert(name).inserted
            {
                node.bornBytes = bytes
            }
            effects.append(birth(message, payload, &node))
            return effects
        case .DDEATH:
            let effects = follow(owner, payload, &node)
            if let name = node.bornDevices.remove(message.address.device ?? "") {
                node.bornBytes -= name.utf8.count
            }
            return effects + [.died(message.address)]
        case .NDATA, .DDATA:
            return follow(owner, payload, &node) + data(message, payload, node)
        }
    }

    private func birth(
        _ message: SparkplugMessage, _ payload: SparkplugPayload, _ node: inout Node
    ) -> Effect {
        for metric in payload.metrics {
            guard let name = metric.name else { continue }
            let scoped = (message.address.device ?? "") + "/" + name
            if node.datatypes.count < Self.mostAliases { node.datatypes[scoped] = metric.datatype }
            if let alias = metric.alias, node.aliases.count < Self.mostAliases {
                node.aliases[alias] = (name, metric.datatype)
            }
        }
        return .metrics(
            message.address, isBirth: true, moments(message, payload, node).moments)
    }

    /// Checks the sequence number.
    private func follow(
        _ owner: SparkplugAddress, _ payload: SparkplugPayload, _ node: inout Node
    ) -> [Effect] {
        guard let number = payload.sequence else { return [] }
        let expected = node.nextSequence
        node.nextSequence = Self.after(number)
        guard node.isBorn, let expected, expected != number else { return [] }
        let detail = "the sequence went from \(expected &- 1 & 0xFF) to \(number)"
        return [.gap(owner, detail: detail), .needsBirth(owner, reason: detail)]
    }

    private func data(
        _ message: SparkplugMessage, _ payload: SparkplugPayload, _ node: Node
    ) -> [Effect] {
        var effects: [Effect] = []
        let (moments, unknown) = moments(message, payload, node)
        if let unknown {
            effects.append(
                .needsBirth(
                    message.address.owner,
                    reason: "the alias \(unknown) is in no birth that was seen"))
        } else if !node.isBorn
            || message.address.device.map({ !node.bornDevices.contains($0) }) == true
        {
            effects.append(.needsBirth(message.address.owner, reason: "data without a birth"))
        }
        if !moments.isEmpty {
            effects.append(.metrics(message.address, isBirth: false, moments))
        }
        return effects
    }

    /// The metrics by their times, with names; and an alias that nobody explained.
    private func moments(
        _ message: SparkplugMessage, _ payload: SparkplugPayload, _ node: Node
    ) -> (moments: [Moment], unknownAlias: UInt64?) {
        struct Key: Hashable {
            var time: Timestamp?
            var isHistorical: Bool
        }
        var moments: [Moment] = []
        // One message may hold tens of thousands of times.
        var places: [Key: Int] = [:]
        var unknown: UInt64?
        for var metric in payload.metrics {
            if let alias = metric.alias, metric.name == nil {
                guard let known = node.aliases[alias] else {
                    unknown = alias
                    continue
                }
                metric.name = known.name
                metric.datatype = metric.datatype ?? known.datatype
            }
            guard let name = metric.name else { continue }
            let scoped = (message.address.device ?? "") + "/" + name
            metric.datatype = metric.datatype ?? node.datatypes[scoped]
            let time = (metric.timestamp ?? payload.timestamp).flatMap(Self.time)
            let key = Key(time: time, isHistorical: metric.isHistorical)
            if let index = places[key] {
                moments[index].metrics.append(metric)
            } else {
                places[key] = moments.count
                moments.append(
                    Moment(time: time, isHistorical: metric.isHistorical, metrics: [metric]))
            }
        }
        // A birth without metrics is a birth all the same.
        if moments.isEmpty, message.kind == .NBIRTH || message.kind == .DBIRTH {
            moments = [
                Moment(time: payload.timestamp.flatMap(Self.time), isHistorical: false, metrics: [])
            ]
        }
        let order = moments.enumerated().sorted {
            ($0.element.time?.milliseconds ?? 0, $0.offset)
                < ($1.element.time?.milliseconds ?? 0, $1.offset)
        }
        return (order.map(\.element), unknown)
    }

    private static func time(_ milliseconds: UInt64) -> Timestamp? {
        // To the year 9999, beyond which no calendar of the gateway goes.
        milliseconds < 250_000_000_000_000 ? Timestamp(milliseconds: Int64(milliseconds)) : nil
    }

    private static func after(_ sequence: UInt64) -> UInt64 { (sequence &+ 1) & 0xFF }

    private static func birthSequence(_ payload: SparkplugPayload) -> UInt64? {
        for metric in payload.metrics where metric.name == "bdSeq" {
            switch metric.value {
            case .long(let value): return value
            case .int(let value): return UInt64(value)
            default: return nil
            }
        }
        return nil
    }

    /// The command that asks a node for new births.
    package static func rebirth(at time: Timestamp) -> [UInt8] {
        let now = UInt64(max(0, time.milliseconds))
        return SparkplugPayload(
            timestamp: now,
            metrics: [
                .init(
                    name: "Node Control/Rebirth", timestamp: now, datatype: 11,
                    value: .boolean(true))
            ]
        ).bytes
    }
}
