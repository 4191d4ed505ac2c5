import DeviceProfiles
import Foundation
import Telemetry
import TestPeers

@testable import Acquisition
@testable import Frames

/// Stations with the shipped profile, and packets as they would send them.
enum StationSite {
    static let mn = "EXAMPLE000000000000000001"

    static func binding(_ device: String, key: String = mn) throws -> HJ212Binding {
        func text(_ path: String) throws -> String {
            try String(contentsOfFile: packageRoot + "/Devices/" + path, encoding: .utf8)
        }
        let path = "generic/hj212-dust-2017.yaml"
        let library = try ProfileLibrary(
            vocabularyText: try text("vocabulary.yaml"), profiles: [(path, try text(path))])
        guard let profile = library["generic/hj212-dust-2017"] else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return try HJ212Binding(
            profile: profile, interface: "hj212-ug", device: DeviceID(device), key: key)
    }

    static func target(
        _ device: String = "dust-1", _ number: Int = 1, key: String = mn
    ) throws -> HJ212Router.Target {
        let binding = try binding(device, key: key)
        return HJ212Router.Target(
            binding: binding, group: TestSite.numbered(binding.group, number))
    }

    static func router(
        password: String? = nil, recent: [DeliveryMark] = []
    ) throws -> HJ212Router {
        HJ212Router(
            .init(link: "stations", password: password, backfillAfter: .seconds(3600)),
            targets: [try target()], recent: recent)
    }

    /// What the stream tells of a packet.
    static func received(
        _ packet: HJ212Packet, _ checksum: HJ212Packet.Checksum = .hj212
    ) throws -> HJ212Stream.Event {
        // What no decent station would send is made by hand.
        let segment =
            packet.segment
            ?? Array("QN=1;ST=39;CN=\(packet.cn);PW=123456;MN=\(packet.mn);Flag=5;CP=&&&&".utf8)
        return try received(segment: segment, checksum)
    }

    /// What the stream tells of a packet with this data segment.
    static func received(segment: String) throws -> HJ212Stream.Event {
        try received(segment: Array(segment.utf8), .hj212)
    }

    private static func received(
        segment: [UInt8], _ checksum: HJ212Packet.Checksum
    ) throws -> HJ212Stream.Event {
        var stream = HJ212Stream(.init(checksums: [checksum]))
        guard let event = stream.append(HJ212Packet.framed(segment, checksum)).first else {
            throw CocoaError(.coderInvalidValue)
        }
        return event
    }
}

/// A clock that stands where the test puts it.
struct StillClock: Sendable {
    static let noon = Timestamp(milliseconds: 1_795_219_500_000)

    static func reading(
        _ time: Timestamp = noon, monotonic: Int64? = nil, isTrusted: Bool = true
    ) -> ClockReading {
        ClockReading(
            bootID: "test",
            monotonic: monotonic ?? time.milliseconds - noon.milliseconds + 1_000_000,
            wall: isTrusted ? time : Timestamp(milliseconds: 5000), isTrusted: isTrusted)
    }
}
