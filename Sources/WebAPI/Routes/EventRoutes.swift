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
/// committed; `alarm` follows each alarm that changed. A comment line keeps a quiet stream alive.
struct EventRoutes {
    let context: WebAPIContext
    let index: SeriesIndex
    let counters: RequestCounters

    static let spacing = Duration.seconds(1)
    /// Rounds without an event after which a comment line is sent.
    static let quietRounds = 15
    /// The newest alarms that are watched for changes.
    static let watchedAlarms = 100

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
            for try await _ in Rounds(clock: context.clock, spacing: Self.spacing)
                .cancelOnGracefulShutdown()
            {
                var text = feed.next() ?? ""
                text += try await feed.nextAlarms()
                quiet = text.isEmpty ? quiet + 1 : 0
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
    private var known: [String: Timestamp] = [:]

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
    mutating func learnAlarms() async throws { _ = try await nextAlarms() }

    /// One event for each alarm that is new or has changed its state.
    mutating func nextAlarms() async throws -> String {
        let current = context.store.effectsGeneration
        guard current != generation else { return "" }
        let isFirst = generation == -1
        generation = current
        let alarms = try await context.store.alarms(limit: EventRoutes.watchedAlarms)
        let changed = alarms.filter { known[$0.key] != $0.changed }
        known = Dictionary(alarms.map { ($0.key, $0.changed) }) { first, _ in first }
        if isFirst { return "" }
        let writer = AlarmWriter(context: context, index: index)
        return changed.reversed().map { alarm in
            Self.event("alarm") { writer.write(alarm, &$0) }
        }.joined()
    }

    private static func event(_ name: String, _ body: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter()
        json.object(body)
        return "event: \(name)\ndata: \(json.text)\n\n"
    }
}

/// An endless sequence that goes on once in `spacing`; it ends when its task is cancelled.
private struct Rounds: AsyncSequence, Sendable {
    let clock: any Clock<Duration>
    let spacing: Duration

    struct Iterator: AsyncIteratorProtocol {
        let clock: any Clock<Duration>
        let spacing: Duration

        mutating func next() async throws -> Bool? {
            do { try await clock.sleep(for: spacing) } catch is CancellationError { return nil }
            return true
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(clock: clock, spacing: spacing) }
}
