import FieldLinks
import Synchronization
import Telemetry
import UplinkFormats

/// A Sparkplug edge node at its broker: the node's state, and the line on which it may speak.
///
/// Everything that the node says is put on the line while its state is held, so that the sequence
/// numbers leave in their order, whoever speaks.
///
///     let station = SparkplugStation(identity, clock: …, wallClock: …)
///     let publisher = try MQTTPublisher(endpoint, presence: station.presence, clock: …)
///     let transport = SparkplugUplinkTransport(publisher: publisher, station: station)
package final class SparkplugStation: Sendable {
    private struct State {
        var node: SparkplugNode
        /// nil while no connection stands.
        var line: MQTTLine?
        /// The bdSeq that was last handed on to be kept.
        var kept: UInt8?
        var bytes: Int64 = 0
    }

    /// The name of the setting that holds the newest bdSeq.
    private static let setting = "sparkplug_bdseq"

    private let state: Mutex<State>
    private let clock: LinkClock
    private let wallClock: any WallClock

    /// - Parameter settings: what was kept of the uplink, for a bdSeq that goes on after a restart.
    package init(
        _ identity: SparkplugIdentity, clock: LinkClock, wallClock: any WallClock,
        settings: [PlatformSetting] = []
    ) {
        self.clock = clock
        self.wallClock = wallClock
        let last = settings.last { $0.name == Self.setting && $0.scope.isEmpty }
        state = Mutex(
            State(node: SparkplugNode(identity, last: last.flatMap { UInt8($0.value) })))
    }

    /// What the publisher of this station says and hears on each connection.
    package var presence: MQTTPresence {
        var presence = MQTTPresence()
        // States with QoS 1, as hosts send them; a command is a QoS 0 message anyway.
        presence.subscriptions = state.withLock { $0.node.subscriptions }.map { .init(filter: $0) }
        presence.will = { _ in self.change { .init($0.node.connecting(at: $1)) } }
        presence.greeting = { line in
            self.change { state, time in
                state.line = line
                return Self.counted(state.node.connected(at: time), &state)
            }
        }
        presence.farewell = { _ in
            self.change { state, time in
                state.line = nil
                return Self.counted(state.node.leaving(at: time), &state)
            }
        }
        presence.ended = { _ in
            self.change { state, _ in
                state.line = nil
                state.node.disconnected()
            }
        }
        presence.hears = { message, line in
            self.change { state, time in
                let hearing = state.node.receive(
                    message.topic, message.payload, isRetained: message.isRetained, at: time)
                line.post(Self.counted(hearing.publications, &state))
                if hearing.leaves { line.leave() }
            }
        }
        return presence
    }

    /// Bytes that were put on the line so far.
    var bytesSent: Int64 { state.withLock { $0.bytes } }

    /// Has the bdSeq of this connection kept, unless it was before.
    func keep(_ keep: (PlatformSetting) async -> Void) async {
        let number: UInt8? = state.withLock { state in
            guard state.kept != state.node.bdSeq else { return nil }
            state.kept = state.node.bdSeq
            return state.node.bdSeq
        }
        if let number { await keep(PlatformSetting(name: Self.setting, value: "\(number)")) }
    }

    /// The broker has taken all that was told on this line.
    ///
    /// - Returns: whether the host was there until now.
    func confirm(_ line: MQTTLine) -> Bool {
        change { state, time in
            guard state.line?.number == line.number, state.node.isTelling else { return false }
            state.node.confirm(at: time)
            return true
        }
    }

    /// Why items wait.
    struct Waiting: Error {
        var reason: String
    }

    /// Puts what the items tell on the line, births before it where they are due.
    ///
    /// - Returns: the line that now has it, to be fenced.
    func tell(_ items: [UplinkItem]) throws(Waiting) -> MQTTLine {
        let result: Result<MQTTLine, Waiting> = change { state, time in
            guard let line = state.line else {
                return .failure(Waiting(reason: "no connection to the broker"))
            }
            switch state.node.tell(items, at: time) {
            case .wait(let reason): return .failure(Waiting(reason: reason))
            case .say(let publications):
                line.post(Self.counted(publications, &state))
                return .success(line)
            }
        }
        return try result.get()
    }

    private func change<Result: Sendable>(
        _ body: (inout sending State, ConversationTime) -> Result
    ) -> Result {
        let reading = wallClock.read()
        let time = ConversationTime(
            elapsed: clock.elapsed(), wall: reading.wall, isTrusted: reading.isTrusted)
        return state.withLock { body(&$0, time) }
    }

    private static func counted(
        _ publications: [SparkplugPublication], _ state: inout State
    ) -> [MQTTPublication] {
        for each in publications {
            state.bytes += Int64(each.payload.count + each.topic.utf8.count)
        }
        return publications.map { .init($0) }
    }
}

extension MQTTPublication {
    fileprivate init(_ publication: SparkplugPublication) {
        self.init(
            topic: publication.topic, payload: publication.payload, qos: publication.qos)
    }
}
