import HTTPTypes
import Hummingbird
import ServiceLifecycle
import Store
import Telemetry

/// `/api/v1/events`: server-sent events, so that the page need not ask again and again.
///
///     event: commit
///     data: {"sequence":1234,"time":"2026-11-21T08:05:00+08:00"}
///
///     event: alarm
///     data: {"id":"pm10_15min|dust-north.pm10|…","state":"active_unacknowledged",…}
///
/// `commit` comes first when the stream opens, then at most once a second when something was
/// committed; `alarm` follows each change of an alarm, at once, with the alarm as it stood then. A
/// comment line keeps a quiet stream alive.
struct EventRoutes {
    let context: WebAPIContext
    let index: SeriesIndex
    let counters: RequestCounters

    static let spacing = Duration.seconds(1)
    /// Rounds without an event after which a comment line is sent.
    static let quietRounds = 15
    /// Changes that are told in one go.
    static let changesAtOnce = 1000

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/events") { request, _ in
            _ = try QueryParameters(request, allowed: [])
            return try open(isHead: request.method == .head)
        }
    }

    private func open(isHead: Bool) throws(Problem) -> Response {
        var response = Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store"])
        if isHead { return response }
        guard counters.openStream(most: WebLimits.eventStreams) else {
            throw Problem(
                status: .serviceUnavailable, code: "too_many_streams",
                title: "Too many event streams are open",
                detail: "\(WebLimits.eventStreams) streams are open",
                remedy: "close another page, or ask /api/v1/site every few seconds",
                headers: [.retryAfter: "30"])
        }
        response.body = ResponseBody { writer in
            defer { counters.closeStream() }
            var feed = EventFeed(context: context, index: index)
            try await writer.write(ByteBuffer(string: "retry: 2000\n\n" + (feed.next() ?? "")))
            try await feed.learnAlarms()
            var quiet = 0
            for try await round in Rounds(
                store: context.store, clock: context.clock, spacing: Self.spacing
            ).cancelOnGracefulShutdown() {
                var text = round == .tick ? feed.next() ?? "" : ""
                text += try await feed.nextAlarms()
                if round == .tick || !text.isEmpty { quiet = text.isEmpty ? quiet + 1 : 0 }
                if quiet >= Self.quietRounds {
                    text = ": quiet\n\n"
                    quiet = 0
                }
                if !text.isEmpty { try await writer.write(ByteBuffer(string: text)) }
            }
            try await writer.finish(nil)
        }
        return response
    }
}

/// What one client of the event stream has been told, and what is news to it.
struct EventFeed {
    let context: WebAPIContext
    let index: SeriesIndex
    private var sequence: Int64 = -1
    private var generation: Int64 = -1
    /// The newest change of an alarm that the client knows of.
    private var change: Int64 = 0

    init(context: WebAPIContext, index: SeriesIndex) {
        self.context = context
        self.index = index
    }

    /// The commit event; nil when nothing was committed since the last one.
    mutating func next() -> String? {
        let newest = context.store.newestSequence()
        guard newest != sequence else { return nil }
        sequence = newest
        return Self.event("commit") {
            $0.field("sequence", newest)
            $0.field("time", context.now, context.calendar)
        }
    }

    /// Takes the alarms as they stand as known: a client reads the list itself when it begins.
    mutating func learnAlarms() async throws {
        generation = context.store.effectsGeneration
        change = try await context.store.newestAlarmChange()
    }

    /// One event for each change of an alarm since the last one.
    mutating func nextAlarms() async throws -> String {
        let current = context.store.effectsGeneration
        guard current != generation else { return "" }
        let changes = try await context.store.alarmChanges(
            after: change, limit: EventRoutes.changesAtOnce)
        // What did not fit is asked for in the next round.
        if changes.isEmpty { generation = current }
        if let last = changes.last { change = last.id }
        let writer = AlarmWriter(context: context, index: index)
        return changes.compactMap(\.alarm).map { alarm in
            Self.event("alarm") { writer.write(alarm, &$0) }
        }.joined()
    }

    private static func event(_ name: String, _ body: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter()
        json.object(body)
        return "event: \(name)\ndata: \(json.text)\n\n"
    }
}

/// An endless sequence that goes on once in `spacing`, and at once when something follows from what
/// was committed; it ends when its task is cancelled.
private struct Rounds: AsyncSequence, Sendable {
    enum Round: Sendable {
        /// `spacing` has passed.
        case tick
        /// Rollups, changes of alarms or owed items were stored.
        case effects
    }

    let store: StoreReader
    let clock: any Clock<Duration>
    let spacing: Duration

    struct Iterator: AsyncIteratorProtocol {
        let store: StoreReader
        let clock: any Clock<Duration>
        let spacing: Duration
        private let elapsed: () -> Duration
        private var nextTick: Duration
        private var generation: Int64

        init(store: StoreReader, clock: any Clock<Duration>, spacing: Duration) {
            self.store = store
            self.clock = clock
            self.spacing = spacing
            elapsed = Self.stopwatch(clock)
            nextTick = spacing
            generation = store.effectsGeneration
        }

        private static func stopwatch<C: Clock>(_ clock: C) -> () -> Duration
        where C.Duration == Duration {
            let start = clock.now
            return { start.duration(to: clock.now) }
        }

        mutating func next() async throws -> Round? {
            let seen = generation
            let rest = nextTick - elapsed()
            if rest > .zero {
                await store.waitForEffects(after: seen, within: rest, on: clock)
            }
            if Task.isCancelled { return nil }
            let now = store.effectsGeneration
            guard elapsed() >= nextTick || now == generation else {
                generation = now
                return .effects
            }
            generation = now
            nextTick = elapsed() + spacing
            return .tick
        }
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(store: store, clock: clock, spacing: spacing)
    }
}
