import Delivery
import Telemetry
import TestPeers
import Testing
import UplinkFormats

@Suite("A platform behind HTTP", .serialized)
struct WebhookPlatformTests {
    private static let arguments = [
        "--token", "t0ken", "--hmac-secret", "s3cret", "--gzip-required", "--port", "0",
    ]

    private static func item(_ quarter: Int) -> UplinkItem {
        let start = Timestamp(rfc3339: "2026-11-20T08:00:00+08:00")! + .seconds(900 * quarter)
        let series = Series(
            id: SeriesID(device: DeviceID("dust-1"), point: PointKey("pm10")), kind: .gauge,
            unit: "ug/m3")
        var rollup = Rollup(expected: 1)
        rollup.add(.number(80.5), at: start)
        return UplinkItem(
            site: SiteID("s"), kind: "rollup/15min", scope: "dust-1/mqtt/site/+/{id}/尘",
            device: DeviceID("dust-1"), start: start, end: start + .seconds(900), revision: 0,
            entries: [.init(series: series, rollup: rollup)])
    }

    private static func transport(
        _ poster: HTTPPoster, _ platform: JudgingPlatform, batch: Int = 1, scheme: String = "http",
        _ change: (inout HTTPUplinkTransport.Options) -> Void = { _ in }
    ) -> HTTPUplinkTransport {
        var options = HTTPUplinkTransport.Options()
        (options.token, options.signingSecret, options.compresses) = ("t0ken", "s3cret", true)
        change(&options)
        return HTTPUplinkTransport(
            poster: poster, url: "\(scheme)://127.0.0.1:\(platform.port)/in",
            format: PlumblineJSONFormat(batchLimit: batch),
            calendar: SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600),
            wallClock: MachineClock(), options: options)
    }

    private func judged<R: Sendable>(
        _ arguments: [String] = arguments,
        _ body: @Sendable (JudgingPlatform, HTTPPoster) async throws -> R
    ) async throws -> R {
        try await withJudgingPlatform("webhook_platform.py", arguments) { platform in
            let poster = HTTPPoster()
            do {
                let result = try await body(platform, poster)
                await poster.shutDown()
                return result
            } catch {
                await poster.shutDown()
                throw error
            }
        }
    }

    @Test("takes what is signed, packed and named, each item once however often it comes")
    func accepted() async throws {
        try await judged { platform, poster in
            let transport = Self.transport(poster, platform)
            for quarter in [0, 1, 1, 2] {
                #expect(await transport.send(Self.item(quarter)) == .accepted)
            }
            let ledger = try await platform.list("ledger")
            #expect(
                Set(ledger.compactMap { $0["key"] as? String })
                    == Set((0..<3).map { Self.item($0).idempotencyKey }))
            #expect(try await platform.list("refused").isEmpty)
            #expect(transport.bytesSent > 0)
        }
    }

    @Test("is told what is wrong in its own words, and waits as long as it asks")
    func answers() async throws {
        try await judged { platform, poster in
            let transport = Self.transport(poster, platform)
            _ = try await platform.say(
                "misbehave", ["mode": "refuse", "status": 503, "retry_after": 7, "count": 1])
            guard case .retry(.seconds(7), let reason) = await transport.send(Self.item(0)) else {
                Issue.record("503 with Retry-After is no refusal")
                return
            }
            #expect(reason.contains("503"))
            _ = try await platform.say("misbehave", ["mode": "refuse", "status": 422, "count": 1])
            guard case .rejected(let words) = await transport.send(Self.item(0)) else {
                Issue.record("422 is a refusal")
                return
            }
            #expect(words.contains("Unprocessable"), "\(words)")
            // Whoever is not let in has a wrong configuration, and that costs no item.
            let stranger = Self.transport(poster, platform) { $0.token = "wrong" }
            guard case .retry = await stranger.send(Self.item(0)) else {
                Issue.record("401 is no fault of the item")
                return
            }
            let forger = Self.transport(poster, platform) { $0.signingSecret = "wrong" }
            guard case .retry = await forger.send(Self.item(0)) else {
                Issue.record("a signature is no fault of the item")
                return
            }
            #expect(await transport.send(Self.item(0)) == .accepted)
        }
    }

    @Test("refuses one item of a batch: it alone is refused, after the batch was halved")
    func batches() async throws {
        try await judged(Self.arguments + ["--batch", "require"]) { platform, poster in
            let transport = Self.transport(poster, platform, batch: 50)
            let items = (0..<9).map(Self.item)
            _ = try await platform.say(
                "misbehave",
                ["mode": "refuse", "status": 422, "refuse_key": items[3].idempotencyKey])
            let outcomes = await transport.send(items)
            #expect(
                outcomes.indices.filter { outcomes[$0] == .accepted } == [0, 1, 2, 4, 5, 6, 7, 8])
            guard case .rejected = outcomes[3] else {
                Issue.record("the fourth was not refused")
                return
            }
            let keys = Set(try await platform.list("ledger").compactMap { $0["key"] as? String })
            #expect(keys == Set(items.map(\.idempotencyKey)).subtracting([items[3].idempotencyKey]))
        }
    }

    @Test("whose certificate has ended costs no item: they wait, and go when there is a new one")
    func expiredCertificate() async throws {
        try await withTemporaryFolder { folder in
            let certificates = try await Certificates(in: folder)
            let poster = try HTTPPoster(
                tls: .init(
                    authority: certificates.authority,
                    certificate: certificates.client.certificate, key: certificates.client.key))
            func judged(
                _ pair: Certificates.Pair,
                _ body: @Sendable (JudgingPlatform, HTTPUplinkTransport) async throws -> Void
            ) async throws {
                try await withJudgingPlatform(
                    "webhook_platform.py",
                    Self.arguments + [
                        "--cert", pair.certificate, "--key", pair.key, "--client-ca",
                        certificates.authority,
                    ]
                ) { try await body($0, Self.transport(poster, $0, scheme: "https")) }
            }
            do {
                try await judged(certificates.expired) { (platform, transport) async throws in
                    guard case .retry(_, let reason) = await transport.send(Self.item(0)) else {
                        Issue.record("the item is lost")
                        return
                    }
                    #expect(reason.localizedCaseInsensitiveContains("certificate"), "\(reason)")
                    #expect(try await platform.list("ledger").isEmpty)
                }
                try await judged(certificates.server) { (platform, transport) async throws in
                    #expect(await transport.send(Self.item(0)) == .accepted)
                    #expect(try await platform.list("ledger").count == 1)
                }
            } catch {
                await poster.shutDown()
                throw error
            }
            await poster.shutDown()
        }
    }

    @Test(
        "gets the item after all when it answers badly once",
        arguments: ["no_ack", "lost_ack", "half", "reset", "garbage", "close"])
    func misbehaves(mode: String) async throws {
        try await judged { platform, poster in
            let transport = Self.transport(poster, platform) { $0.retryAfter = .milliseconds(50) }
            #expect(await transport.send(Self.item(0)) == .accepted)
            _ = try await platform.say("misbehave", ["mode": mode, "count": 1])
            try await eventually("the second item is taken", within: .seconds(40)) {
                await transport.send(Self.item(1)) == .accepted
            }
            #expect(try await platform.list("ledger").count == 2)
        }
    }
}
