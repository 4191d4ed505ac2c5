import SparkplugWire
import Telemetry

/// An edge node of Sparkplug B 3.0 as a value, without a broker and a clock.
///
///     connecting ──▶ will: NDEATH with the next bdSeq
///     connected ───▶ (host online?) ──▶ NBIRTH seq 0, DBIRTH 1 … for all devices that are known
///     tell(items) ─▶ [births if due] DDATA …                    seq 255 ─▶ 0
///     receive ─────▶ NCMD rebirth: the births again, same bdSeq
///                    STATE online: the births; STATE offline: leave and come back
///     leaving ─────▶ NDEATH
///
/// A host that dies is noticed when its keep-alive has run out; what was said meanwhile nobody took.
/// So what was told within two minutes before the will of the host is told once more, as historical,
/// when the host is back.
///
/// Each device of the gateway is a Sparkplug device of the same name, and each metric is born before
/// its first value: one that turns up later makes the DBIRTH of its device due again. What is known
/// of the devices outlives connections, so that later births are complete at once.
///
/// A birth says what was last told of each metric. Data go out under names, never aliases. Nothing
/// is said without a believable time of day: every payload bears one.
package struct SparkplugNode: Sendable {
    /// What came of the wish to tell items.
    package enum Telling: Hashable, Sendable {
        /// This has to be said, in this order, and nothing between.
        case say([SparkplugPublication])
        /// Nothing may be said now; the items wait.
        case wait(reason: String)
    }

    /// What a message has brought about.
    package struct Hearing: Hashable, Sendable {
        /// To be said, in this order.
        package var publications: [SparkplugPublication] = []
        /// Whether to leave the broker and connect again: the host has gone.
        package var leaves = false
    }

    private enum Stage { case away, connected, born }

    package let identity: SparkplugIdentity
    /// 0 to 255: names this connection in its birth and its death.
    package private(set) var bdSeq: UInt8
    private var stage = Stage.away
    private var nextSequence: UInt8 = 0
    private var devices: [String: SparkplugDevice] = [:]
    private var host: SparkplugHostState?
    private var recent = SparkplugRecent()

    private static let rebirth = "Node Control/Rebirth"

    /// - Parameter last: the bdSeq of the connection before, where it is still known; the first one
    ///   bears the next number, or 0.
    package init(_ identity: SparkplugIdentity, last: UInt8? = nil) {
        self.identity = identity
        bdSeq = last ?? 255
    }

    /// How corrections are told: as historical values of the same metric and instant. Sparkplug knows
    /// no word for "instead"; whether a historian overwrites or keeps both is its own affair.
    package static let correction = CorrectionForm.newRecord

    /// The topics to subscribe to on each connection, before anything is said.
    package var subscriptions: [String] {
        [identity.topic(.command)] + [identity.stateTopic].compactMap(\.self)
    }

    /// Whether the births of this connection are out and the host, if one is waited for, is there.
    package var isTelling: Bool { stage == .born && reasonToWait == nil }

    // MARK: Connections

    /// A connection is about to be made.
    ///
    /// - Returns: the will that the broker shall publish when it is lost.
    package mutating func connecting(at time: ConversationTime) -> SparkplugPublication {
        stage = .away
        bdSeq &+= 1
        return death(at: time)
    }

    /// The broker has answered.
    ///
    /// - Returns: the births, unless the host has to say first that it is there.
    package mutating func connected(at time: ConversationTime) -> [SparkplugPublication] {
        stage = .connected
        // The broker has kept the host's last word for who subscribes. Words of another connection
        // do not count against it, not even newer ones: a host may have set its clock right.
        host = nil
        return births(at: time)
    }

    /// The connection is over.
    package mutating func disconnected() { stage = .away }

    /// This side is about to leave the broker, which then forgets the will.
    ///
    /// - Returns: the death of what was born.
    package mutating func leaving(at time: ConversationTime) -> [SparkplugPublication] {
        defer { stage = .away }
        return stage == .born ? [death(at: time)] : []
    }

    // MARK: Messages

    /// Takes a message of one of the subscriptions; others mean nothing.
    ///
    /// - Parameter isRetained: the broker had kept it. For a state that is as it should be; a command
    ///   that was kept was meant for another time.
    package mutating func receive(
        _ topic: String, _ payload: [UInt8], isRetained: Bool, at time: ConversationTime
    ) -> Hearing {
        if topic == identity.stateTopic {
            return SparkplugHostState(payload).map { heard($0, at: time) } ?? Hearing()
        }
        guard topic == identity.topic(.command), !isRetained, stage == .born,
            let command = try? SparkplugPayload(payload),
            command.metrics.contains(where: {
                $0.name == Self.rebirth && $0.value == .boolean(true)
            })
        else { return Hearing() }
        stage = .connected
        return Hearing(publications: births(at: time))
    }

    private mutating func heard(
        _ state: SparkplugHostState, at time: ConversationTime
    ) -> Hearing {
        // The will of a host that has long come back may arrive late.
        if let host, state.timestamp < host.timestamp { return Hearing() }
        let isWill = host?.isOnline == true && host?.timestamp == state.timestamp
        host = state
        if state.isOnline { return Hearing(publications: births(at: time)) }
        if isWill { recent.doubt(at: time.elapsed) }
        return Hearing(leaves: stage == .born)
    }

    // MARK: Items

    /// Says what the items tell, and before it the births that are due, and what the host may have
    /// missed.
    ///
    /// Items without a metric, those of states and texts that have no readings, say nothing.
    package mutating func tell(_ items: [UplinkItem], at time: ConversationTime) -> Telling {
        guard stage != .away else { return .wait(reason: "no connection to the broker") }
        if let reason = reasonToWait { return .wait(reason: reason) }
        guard time.isTrusted else { return .wait(reason: "the time of day is not known") }
        var publications = births(at: time)
        for (name, readings) in recent.doubtful {
            publications += tell(readings, of: name, isBacklog: true, at: time)
        }
        for item in items {
            for (name, readings) in item.sparkplugReadings {
                publications += tell(
                    readings, of: name, isBacklog: item.isBacklog,
                    isCorrection: item.revision > 0, at: time)
                if identity.primaryHost != nil { recent.note(readings, of: name, at: time.elapsed) }
            }
        }
        return .say(publications)
    }

    /// The broker has taken all that was said so far, and the host was there.
    package mutating func confirm(at time: ConversationTime) { recent.confirm(at: time.elapsed) }

    private mutating func tell(
        _ readings: [SparkplugReading], of name: String, isBacklog: Bool,
        isCorrection: Bool = false, at time: ConversationTime
    ) -> [SparkplugPublication] {
        var device = devices[name] ?? SparkplugDevice()
        defer { devices[name] = device }
        var publications: [SparkplugPublication] = []
        device.meet(readings, isPast: isBacklog)
        if !device.isBorn {
            publications.append(
                numbered(identity.topic(.birth, name), device.birth, at: time))
            device.isBorn = true
        }
        let metrics = device.tell(
            readings, isBacklog: isBacklog, isCorrection: isCorrection)
        for part in SparkplugParts.of(metrics) {
            publications.append(numbered(identity.topic(.data, name), part, at: time))
        }
        return publications
    }

    private var reasonToWait: String? {
        guard let name = identity.primaryHost else { return nil }
        guard let host else { return "the primary host \(name) has not said that it is online" }
        return host.isOnline ? nil : "the primary host \(name) is offline"
    }

    // MARK: Payloads

    /// The births of the node and of all its devices; none when they are out, or may not be said.
    private mutating func births(at time: ConversationTime) -> [SparkplugPublication] {
        guard stage == .connected, reasonToWait == nil, time.isTrusted else { return [] }
        stage = .born
        nextSequence = 0
        let now = Self.stamp(time)
        let node = [
            Self.bdSeqMetric(bdSeq, now),
            SparkplugPayload.Metric(
                name: Self.rebirth, timestamp: now,
                datatype: SparkplugReading.Datatype.boolean.rawValue, value: .boolean(false)),
        ]
        var publications = [numbered(identity.topic(.birth), node, at: time)]
        for name in devices.keys.sorted() {
            guard let metrics = devices[name]?.birth else { continue }
            publications.append(numbered(identity.topic(.birth, name), metrics, at: time))
            devices[name]?.isBorn = true
        }
        return publications
    }

    private mutating func numbered(
        _ topic: String, _ metrics: [SparkplugPayload.Metric], at time: ConversationTime
    ) -> SparkplugPublication {
        defer { nextSequence &+= 1 }
        let payload = SparkplugPayload(
            timestamp: Self.stamp(time), metrics: metrics, sequence: UInt64(nextSequence))
        return SparkplugPublication(topic: topic, payload: payload.bytes)
    }

    /// Bears no sequence number, and no time while none is believable: a will is made in advance.
    private func death(at time: ConversationTime) -> SparkplugPublication {
        let now = Self.stamp(time)
        let payload = SparkplugPayload(timestamp: now, metrics: [Self.bdSeqMetric(bdSeq, now)])
        return SparkplugPublication(
            topic: identity.topic(.death), payload: payload.bytes, qos: 1)
    }

    private static func bdSeqMetric(_ number: UInt8, _ now: UInt64?) -> SparkplugPayload.Metric {
        SparkplugPayload.Metric(
            name: "bdSeq", timestamp: now, datatype: SparkplugReading.Datatype.int64.rawValue,
            value: .long(UInt64(number)))
    }

    private static func stamp(_ time: ConversationTime) -> UInt64? {
        time.isTrusted ? UInt64(exactly: time.wall.milliseconds) : nil
    }
}
