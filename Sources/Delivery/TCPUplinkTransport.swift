import FieldLinks
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Telemetry
import UplinkFormats

/// What a platform may ask for from the past; the owner of the store answers.
package protocol UplinkHistory: Sendable {
    /// The items of a request, oldest first.
    ///
    /// - Parameters:
    ///   - after: only periods that begin later; nil: from the request's own beginning.
    ///   - limit: at most so many.
    func items(
        of request: HistoryRequest, after: Timestamp?, limit: Int
    ) async throws -> [UplinkItem]
}

/// What happens on the way to a platform.
package enum UplinkEvent: Hashable, Sendable {
    case connected
    case disconnected(reason: String)
    case note(ConversationNote)
}

/// Keeps one connection to a platform and leads one conversation on it.
///
///     run ─▶ connect ─▶ conversation.open ─▶ steps ─▶ one after the other: send, settle, set, look
///                       bytes, deadlines, items ──────┘
///
/// Steps are carried out strictly in their order by one task, so that bytes leave as they were
/// decided and a setting is stored before the platform hears that it is.
package actor TCPUplinkTransport: UplinkTransport {
    /// Where the platform is, and how the way there is secured.
    package struct Address: Sendable {
        package var host: String
        package var port: Int
        fileprivate var tls: TLSConfiguration?
        /// For each address of the name.
        package var connectTimeout = Duration.seconds(10)
        /// Bytes that nobody confirms end the connection after this time.
        package var unconfirmed = Duration.seconds(20)

        /// - Parameter tls: whom to believe, and who we are; nil: not encrypted.
        /// - Throws: what is wrong with these files.
        package init(host: String, port: Int, tls: MQTTEndpoint.TLS? = nil) throws {
            self.host = host
            self.port = port
            self.tls = try tls.map { try TLSConfiguration.of($0) }
        }
    }

    package nonisolated let correction: CorrectionForm
    package nonisolated var batchLimit: Int { 1 }
    package nonisolated var bytesSent: Int64 { sent.load(ordering: .relaxed) }

    private let address: Address
    private let clock: LinkClock
    private let wallClock: any WallClock
    private let history: any UplinkHistory
    private let keep: @Sendable (PlatformSetting) async -> Void
    private let onEvent: @Sendable (UplinkEvent) -> Void
    private var conversation: any UplinkConversation
    private var backoff: Backoff
    /// Leads to the task that carries steps out; nil while there is no connection.
    private var steps: AsyncStream<ConversationStep>.Continuation?
    private var waiting: [Int: CheckedContinuation<Outcome, Never>] = [:]
    /// Those who wait until the conversation takes another item, in the order of their calls.
    private var queue: [CheckedContinuation<Void, Never>] = []
    private var nextTicket = 0
    private var absence = "not connected yet"
    /// Whether anything came on this connection.
    private var hasHeard = false
    /// How many connections and attempts at one have ended.
    private var endings = 0
    /// Three attempts of 10 s, as HJ 212 has them, and a little more.
    private static let longestTrial = Duration.seconds(42)
    private let sent = Atomic<Int64>(0)
    private let stopping = AsyncStream<Void>.makeStream()

    /// - Parameters:
    ///   - keep: stores what the platform has set.
    ///   - random: gives the jitter of the reconnects.
    package init(
        _ address: Address, conversation: any UplinkConversation, clock: LinkClock,
        wallClock: any WallClock, history: any UplinkHistory,
        reconnect: Backoff.Limits = Backoff.Limits(),
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        keep: @escaping @Sendable (PlatformSetting) async -> Void,
        onEvent: @escaping @Sendable (UplinkEvent) -> Void = { _ in }
    ) {
        self.address = address
        self.conversation = conversation
        correction = conversation.correction
        self.clock = clock
        self.wallClock = wallClock
        self.history = history
        self.keep = keep
        self.onEvent = onEvent
        backoff = Backoff(reconnect, random: random)
    }

    /// Asks `run` to finish.
    package nonisolated func stop() { stopping.continuation.finish() }

    /// Keeps the connection until `stop`, connecting again whenever it is lost.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.keepConnected() }
            group.addTask { [stopping] in for await _ in stopping.stream {} }
            await group.next()
            group.cancelAll()
        }
        absence = "stopped"
        release()
    }

    /// Hands one item over and returns what the platform said to it.
    package func send(_ items: [UplinkItem]) async -> [Outcome] {
        var outcomes: [Outcome] = []
        for item in items { outcomes.append(await send(one: item)) }
        return outcomes
    }

    /// Waits until the platform has said something and takes items; sends none.
    package func tryOut(_ site: SiteID, at time: Timestamp) async -> Trial {
        let (begin, endingsBefore) = (clock.elapsed(), endings)
        while clock.elapsed() - begin < Self.longestTrial, endings == endingsBefore {
            if steps != nil, conversation.room > 0, hasHeard { return .greeting }
            do { try await clock.sleep(.milliseconds(50)) } catch { break }
        }
        if endings > endingsBefore { return .closed(reason: absence) }
        guard steps != nil else { return .closed(reason: absence) }
        return conversation.room > 0
            ? .open : .closed(reason: "the connection stands, but no item may be sent on it")
    }

    private func send(one item: UplinkItem) async -> Outcome {
        while steps != nil, conversation.room == 0 {
            await withCheckedContinuation { queue.append($0) }
        }
        guard let steps else { return .retry(after: .seconds(1), reason: absence) }
        nextTicket &+= 1
        let ticket = nextTicket
        return await withCheckedContinuation { continuation in
            waiting[ticket] = continuation
            for step in conversation.submit(item, ticket: ticket, at: now) { steps.yield(step) }
        }
    }

    private var now: ConversationTime {
        let reading = wallClock.read()
        return ConversationTime(
            elapsed: clock.elapsed(), wall: reading.wall, isTrusted: reading.isTrusted)
    }

    // MARK: The connection

    private func keepConnected() async {
        while !Task.isCancelled {
            do {
                try await serve()
                absence = "the connection ended"
            } catch {
                absence = Self.words(error)
            }
            if Task.isCancelled { return }
            endings &+= 1
            onEvent(.disconnected(reason: absence))
            try? await clock.sleep(backoff.next())
        }
    }

    private func serve() async throws {
        let channel = try await connect()
        try await channel.executeThenClose { inbound, outbound in
            let (stream, continuation) = AsyncStream<ConversationStep>.makeStream()
            begin(continuation)
            defer { end() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await buffer in inbound {
                        await self.receive(Array(buffer.readableBytesView))
                    }
                    throw Ending(reason: "the platform closed the connection")
                }
                group.addTask { try await self.watchDeadlines() }
                group.addTask {
                    for await step in stream {
                        if case .send(let bytes) = step {
                            try await outbound.write(ByteBuffer(bytes: bytes))
                            self.sent.add(Int64(bytes.count), ordering: .relaxed)
                        } else {
                            try await self.carryOut(step)
                        }
                    }
                }
                defer { group.cancelAll() }
                do {
                    try await group.next()
                } catch {
                    absence = Self.words(error)
                    throw error
                }
            }
        }
    }

    private func begin(_ continuation: AsyncStream<ConversationStep>.Continuation) {
        steps = continuation
        hasHeard = false
        onEvent(.connected)
        advance { $0.open(at: $1) }
    }

    /// Nothing that was under way is known to have arrived.
    private func end() {
        steps?.finish()
        steps = nil
        for step in conversation.closed(reason: absence, at: now) {
            if case .settle(let ticket, let outcome) = step { settle(ticket, outcome) }
        }
        release()
    }

    /// Lets everybody go who waits for something that will not come.
    private func release() {
        let all = waiting
        waiting = [:]
        for continuation in all.values {
            continuation.resume(returning: .retry(after: .seconds(1), reason: absence))
        }
        callQueue()
    }

    private func receive(_ bytes: [UInt8]) {
        hasHeard = true
        advance { $0.receive(bytes, at: $1) }
    }

    /// Lets the conversation go on, and puts what it wants behind what it wanted before.
    private func advance(
        _ body: (inout any UplinkConversation, ConversationTime) -> [ConversationStep]
    ) {
        for step in body(&conversation, now) { steps?.yield(step) }
        if conversation.room > 0 { callQueue() }
    }

    private func callQueue() {
        let waiters = queue
        queue = []
        for waiter in waiters { waiter.resume() }
    }

    private func watchDeadlines() async throws {
        // A conversation that is asked a little late is none the worse.
        let longest = Duration.milliseconds(200)
        while true {
            let left = conversation.deadline.map { $0 - clock.elapsed() } ?? longest
            if left <= .zero { advance { $0.wake(at: $1) } }
            try await clock.sleep(max(.milliseconds(5), min(left, longest)))
        }
    }

    private func carryOut(_ step: ConversationStep) async throws {
        switch step {
        case .send: break
        case .settle(let ticket, let outcome):
            settle(ticket, outcome)
            if conversation.room > 0 { callQueue() }
        case .look(let request): await look(request)
        case .set(let setting): await keep(setting)
        case .note(let note): onEvent(.note(note))
        case .close(let reason): throw Ending(reason: reason)
        }
    }

    private func settle(_ ticket: Int, _ outcome: Outcome) {
        // Only now: who takes the call and hangs up again is not there yet.
        if case .accepted = outcome { backoff.reset() }
        waiting.removeValue(forKey: ticket)?.resume(returning: outcome)
    }

    /// More than this is not looked up for one request.
    private static let longestAnswer = 10_000

    private func look(_ request: HistoryRequest) async {
        var (after, count) = (Timestamp?.none, 0)
        while true {
            let page = (try? await history.items(of: request, after: after, limit: 64)) ?? []
            count += page.count
            let isLast = page.count < 64 || count >= Self.longestAnswer
            advance { $0.found(page, for: request, isLast: isLast, at: $1) }
            if isLast { return }
            after = page.last?.start
        }
    }

    // MARK: The socket

    private typealias Channel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private func connect() async throws -> Channel {
        let (tls, host) = (address.tls, address.host)
        let context = try tls.map { try NIOSSLContext(configuration: $0) }
        return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.nanoseconds(address.connectTimeout.milliseconds * 1_000_000))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(Self.option(TCP_KEEPIDLE), value: 10)
            .channelOption(Self.option(TCP_KEEPINTVL), value: 5)
            .channelOption(Self.option(TCP_KEEPCNT), value: 3)
            .channelOption(
                Self.option(TCP_USER_TIMEOUT), value: Int(address.unconfirmed.milliseconds)
            )
            .connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        let name = Self.isLiteral(host) ? nil : host
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: name))
                    }
                    return try Channel(wrappingChannelSynchronously: channel)
                }
            }
    }

    private static func option(_ name: Int32) -> ChannelOptions.Types.SocketOption {
        ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: name))
    }

    /// Whether a host is an address already: certificates name hosts, and SNI takes no addresses.
    private static func isLiteral(_ host: String) -> Bool {
        (try? SocketAddress(ipAddress: host, port: 0)) != nil
    }

    /// Why a conversation ended.
    private struct Ending: Error {
        let reason: String
    }

    private static func words(_ error: any Error) -> String {
        switch error {
        case let ending as Ending: ending.reason
        case is CancellationError: "stopped"
        default: "\(error)"
        }
    }
}
