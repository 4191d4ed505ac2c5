import Foundation
import Telemetry
import TestPeers
import Testing

@testable import Gateway

@Suite("What the gateway reports of itself")
struct OwnPointsTests {
    private static let noon = Timestamp(milliseconds: 1_800_000_000_000)

    private static func figures(isTrusted: Bool = true) -> OwnPoints.Figures {
        OwnPoints.Figures(
            disk: 0.25, newest: 40, evaluated: 38,
            clock: ClockStatus(state: isTrusted ? .trusted : .untrusted, offsetSeconds: -0.5),
            now: ClockReading(bootID: "b", monotonic: 1, wall: noon, isTrusted: isTrusted),
            certificatesEnd: noon + .seconds(90))
    }

    private static func text(_ figures: OwnPoints.Figures) -> [String: Reading] {
        Dictionary(uniqueKeysWithValues: figures.readings.map { ($0.key.text, $0.value) })
    }

    @Test("is what is known, in the units of its points")
    func known() {
        #expect(
            Self.text(Self.figures()) == [
                "disk_used": .number(0.25), "journal_backlog": .number(2),
                "clock_offset": .number(-0.5), "clock_trusted": .text("yes"),
                "certificate_left": .number(90),
            ])
    }

    @Test("is absent where nothing is known, never nought")
    func unknown() {
        var figures = Self.figures()
        (figures.disk, figures.evaluated, figures.clock.offsetSeconds) = (nil, nil, nil)
        figures.certificatesEnd = nil
        #expect(Self.text(figures) == ["clock_trusted": .text("yes")])
    }

    @Test("without a time of day says nothing of days to come")
    func untrusted() {
        let readings = Self.text(Self.figures(isTrusted: false))
        #expect(readings["clock_trusted"] == .text("no"))
        #expect(readings["certificate_left"] == nil)
        var estimated = Self.figures()
        estimated.clock.state = .estimated
        #expect(Self.text(estimated)["clock_trusted"] == .text("no"))
    }

    @Test("has no backlog below nought, whichever was read first")
    func backlog() {
        var figures = Self.figures()
        figures.evaluated = 41
        #expect(Self.text(figures)["journal_backlog"] == .number(0))
    }

    @Test("reads the ends of certificates, the first of its own and the last of an authority's")
    func certificates() async throws {
        try await withTemporaryFolder { folder in
            let made = try await Certificates(in: folder)
            // The authority was made a moment ago, for two days.
            let authority = try #require(CertificateFiles(authorities: [made.authority]).firstEnd())
            let expired = CertificateFiles(
                own: [made.client.certificate, made.expired.certificate],
                authorities: [made.authority])
            #expect(expired.firstEnd() == Timestamp(rfc3339: "2020-01-02T00:00:00Z"))
            let both = CertificateFiles(
                own: [made.client.certificate], authorities: [made.authority])
            let end = try #require(both.firstEnd())
            #expect(end >= authority && end - authority < .seconds(60))
            // Of the authorities in one file one that has ended is no harm while another goes on.
            let bundle = folder + "/bundle.pem"
            try [made.expired.certificate, made.authority]
                .map { try String(contentsOfFile: $0, encoding: .utf8) }.joined()
                .write(toFile: bundle, atomically: true, encoding: .utf8)
            #expect(CertificateFiles(authorities: [bundle]).firstEnd() == authority)
            #expect(
                CertificateFiles(own: [bundle]).firstEnd()
                    == Timestamp(rfc3339: "2020-01-02T00:00:00Z"))
            // The key is no certificate, and a file that cannot be read has no end.
            #expect(CertificateFiles(own: [made.client.key]).firstEnd() == nil)
            #expect(
                CertificateFiles(own: [made.client.certificate, folder + "/none.pem"]).firstEnd()
                    == nil)
        }
    }
}
