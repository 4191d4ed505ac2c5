import Hummingbird
import HummingbirdTesting
import Logging
import Telemetry
import Testing

@testable import WebAPI

@Suite("What the API refuses, and how it says so")
struct RefusalTests {
    @Test(
        "bad questions are answered with a stable code and a remedy",
        arguments: [
            ("/api/v1/site?x=1", 400, "unknown_parameter", "takes none"),
            ("/api/v1/alarms?limti=3", 400, "unknown_parameter", "limit"),
            ("/api/v1/alarms?open=yes", 400, "bad_parameter", "true"),
            ("/api/v1/alarms?limit=0", 400, "bad_parameter", "1 to 200"),
            ("/api/v1/alarms?limit=1&limit=2", 400, "bad_parameter", "once"),
            ("/api/v1/alarms?cursor=zzz", 400, "bad_cursor", "without"),
            ("/api/v1/series?cursor=zzz", 400, "bad_cursor", "without"),
            ("/api/v1/series/dust-nroth.pm10", 404, "unknown_series", "'dust-north.pm10'"),
            ("/api/v1/series/dust-nroth.pm10/rollups", 404, "unknown_series", "'dust-north.pm10'"),
            (
                "/api/v1/series/dust-north.pm10/rollups?resolution=5min", 400, "bad_parameter",
                "15min"
            ),
            (
                "/api/v1/series/dust-north.pm10/rollups?from=yesterday", 400, "bad_parameter",
                "RFC 3339"
            ),
            (
                "/api/v1/series/dust-north.pm10/rollups?from=2026-11-21T08:05:00", 400,
                "bad_parameter",
                "offset"
            ),
            (
                "/api/v1/series/dust-north.pm10/rollups?from=2026-11-21T09:00:00Z&to=2026-11-21T08:00:00Z",
                400, "bad_range", "to"
            ),
            (
                "/api/v1/series/dust-north.pm10/rollups?resolution=1min&from=2020-01-01T00:00:00Z",
                400,
                "range_too_large", "coarser"
            ),
            (
                "/api/v1/series/dust-north.pm10/samples?from=2026-01-01T00:00:00Z", 400,
                "range_too_large", "rollups"
            ),
            ("/api/v1/series/dust-north.pm10/samples?cursor=-1", 400, "bad_cursor", "without"),
            ("/api/v1/energy?meter=mian", 404, "unknown_meter", "'main'"),
            ("/api/v1/energy?resolution=1min", 400, "bad_parameter", "1h"),
            ("/api/v1/energy?from=0001-01-01T00:00:00Z", 400, "range_too_large", "shorten"),
            ("/api/v1/nothing", 404, "not_found", "http-api.md"),
            ("/vendor/gone.js", 404, "missing_file", "install"),
            ("/vendor/other.js", 404, "not_found", ""),
        ] as [(String, Int, String, String)])
    func problems(uri: String, status: Int, code: String, remedy: String) async throws {
        try await TestSite.with { site in
            let answer = try await site.get(uri)
            #expect(answer.status == status)
            #expect(answer.code == code)
            #expect(answer.headers[.contentType]?.hasPrefix("application/problem+json") == true)
            #expect(remedy.isEmpty || answer.remedy?.contains(remedy) == true, "\(answer.text)")
        }
    }

    @Test(
        "no address leads out of the page's folder",
        arguments: [
            "/../secret.txt", "/%2e%2e/secret.txt", "/js/../../secret.txt", "/..%2fsecret.txt",
            "/vendor/../secret.txt", "//secret.txt", "/vendor/%2e%2e%2fsecret.txt",
        ])
    func traversal(uri: String) async throws {
        try await TestSite.with { site in
            let answer = try await site.get(uri)
            #expect(answer.status == 400 || answer.status == 404)
            #expect(!answer.text.contains("secret\n") && answer.text != "secret")
            #expect(answer.code != nil)
        }
    }

    @Test("the page and the libraries come with a policy that allows nothing foreign")
    func page() async throws {
        try await TestSite.with { site in
            let page = try await site.get("/")
            #expect(page.status == 200 && page.text.contains("<title>page</title>"))
            #expect(page.headers[.contentSecurityPolicy]?.hasPrefix("default-src 'self'") == true)
            #expect(page.headers[.contentSecurityPolicy]?.contains("unsafe") == false)
            #expect(page.headers[.xContentTypeOptions] == "nosniff")
            let library = try await site.get("/vendor/chart.js")
            #expect(library.text == "chart()")
            #expect(library.headers[.contentType]?.hasPrefix("text/javascript") == true)
        }
    }

    @Test("writing methods and bodies are refused")
    func writing() async throws {
        try await TestSite.with { site in
            let post = try await site.send(.post, "/api/v1/site")
            #expect(post.status == 405 && post.code == "read_only")
            #expect(post.headers[.allow] == "GET, HEAD")
            let body = try await site.send(
                .get, "/api/v1/site", body: ByteBuffer(string: "hello"))
            #expect(body.status == 413 && body.code == "body_refused")
            let head = try await site.send(.head, "/api/v1/site")
            #expect(head.status == 200 && head.text.isEmpty)
        }
    }

    @Test(
        "only names of this machine are answered",
        arguments: [
            ("localhost", true), ("localhost:8420", true), ("LOCALHOST", true),
            ("127.0.0.1:1", true),
            ("127.8.9.10", true), ("[::1]", true), ("[::1]:8420", true), ("evil.example", false),
            ("evil.example:8420", false), ("localhost.evil.example", false),
            ("127.0.0.1.nip.io", false),
            ("10.0.0.1", false), ("", false), ("localhost:", false), ("localhost:x", false),
            ("[::1]x", false), ("[::2]", false), ("127.0.0.256", false), ("127.0.0", false),
        ])
    func hosts(authority: String, isOwn: Bool) {
        #expect(Loopback.isOwn(authority: authority) == isOwn)
    }

    @Test(
        "the API does not start on an address that others can reach",
        arguments: [
            "0.0.0.0", "::", "192.168.1.5", "example.org", "", "127.0.0.1 ",
        ])
    func foreignAddress(host: String) async throws {
        try await TestSite.with { site in
            #expect(throws: WebAPIError.notLoopback(host)) {
                _ = try makeApplication(
                    context: site.context, host: host, port: 0, logger: Logger(label: "test"),
                    onListening: { _ in })
            }
        }
    }

    @Test("readiness says what is still to be done, then what is wrong, then nothing")
    func readiness() async throws {
        try await TestSite.with { site in
            var context = site.context
            context.readiness = Readiness()
            let readiness = context.readiness
            let responder = makeRouter(context).buildResponder()
            try await Application(responder: responder).test(.router) { client in
                func ready() async throws -> Answered {
                    try await client.execute(uri: "/health/ready", method: .get) {
                        Answered(
                            status: $0.status.code, headers: $0.headers,
                            text: String(buffer: $0.body))
                    }
                }
                readiness.reach(.storeOpen)
                let waiting = try await ready()
                #expect(waiting.status == 503 && waiting.code == "not_ready")
                #expect(
                    waiting.object["waiting_for"] as? [String] == [
                        "history_evaluated", "listening",
                    ])
                readiness.reach(.historyEvaluated)
                readiness.reach(.listening)
                #expect(try await ready().status == 200)
                readiness.setFault("the store cannot write: disk full")
                let broken = try await ready()
                #expect(broken.status == 503)
                #expect(broken.object["detail"] as? String == "the store cannot write: disk full")
                let live = try await client.execute(uri: "/health/live", method: .get)
                #expect(live.status == .ok)
            }
        }
    }
}
