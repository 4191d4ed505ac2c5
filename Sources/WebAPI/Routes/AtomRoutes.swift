import FeedFormats
import HTTPTypes
import Hummingbird
import Store
import Telemetry

/// `/feed/alarms.atom`: the newest alarms for whatever reads feeds (RFC 4287).
///
///     ?lang=zh|en     zh
///     ?limit=1…100    50
///     ?open=true      only what a person should look at
struct AtomRoutes {
    let context: WebAPIContext

    func add(to router: Router<BasicRequestContext>) {
        router.get("feed/alarms.atom") { request, _ in
            let query = try QueryParameters(request, allowed: ["lang", "limit", "open"])
            let language = try query.word("lang", among: ["zh", "en"], or: "zh")
            let openOnly = try query.flag("open")
            let limit = try query.limit(50, most: 100)
            let alarms = try await context.store.alarms(openOnly: openOnly, limit: limit)
            var briefs: [AlarmBrief] = []
            for alarm in alarms {
                if let brief = await context.brief(alarm) { briefs.append(brief) }
            }
            // Without alarms the feed is as old as nothing: readers ask for a time all the same.
            let updated = alarms.map(\.changed).max() ?? Timestamp(milliseconds: 0)
            let host = request.head.authority ?? "127.0.0.1"
            let bytes = AtomFeed.document(
                site: context.site.id, siteName: context.site.name,
                selfLink: "http://\(host)\(request.uri.path)", updated: updated, alarms: briefs,
                language: language == "zh" ? .zh : .en, calendar: context.calendar)
            return Response(
                status: .ok,
                headers: [
                    .contentType: AtomFeed.contentType + "; charset=utf-8",
                    .cacheControl: "no-cache",
                ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
    }
}
