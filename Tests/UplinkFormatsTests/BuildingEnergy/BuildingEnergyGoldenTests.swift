import Foundation
import Telemetry
import Testing
import UplinkFormats

/// Whole conversations as texts; `UPDATE_GOLDEN=1` renews them.
@Suite("Conversations of the building energy upload")
struct BuildingEnergyGoldenTests {
    private static let scenes: [(name: String, play: @Sendable () -> EnergyDesk)] = [
        ("log-in.sequence-secret", { logIn(.sequenceSecret) }),
        ("log-in.secret-sequence", { logIn(.secretSequence) }),
        ("log-in.refused", refused),
        (
            "report.report-config",
            {
                report(
                    "<report_config operation=\"report_ack\"><report_ack>pass</report_ack></report_config>"
                )
            }
        ),
        (
            "report.data-ack",
            {
                report("<data operation=\"report\"><time>20261121081500</time><ack>OK</ack></data>")
            }
        ),
        (
            "report.below-the-root",
            {
                report("<sequence>1</sequence><result>1</result>", type: "report_ack")
            }
        ),
        ("outage", outage),
        ("late-acknowledgement", late),
        ("garbage", garbage),
        ("commands", commands),
        ("demands", demands),
    ]

    @Test("are as they were", arguments: scenes.map(\.name))
    func scene(name: String) throws {
        let scene = try #require(Self.scenes.first { $0.name == name })
        let text = scene.play().record
        let file = Folder.golden.appending(path: "building-energy.\(name).txt")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(
            text == (try String(contentsOf: file, encoding: .utf8)),
            "UPDATE_GOLDEN=1 renews \(file.lastPathComponent)")
    }

    private static func logIn(_ order: EnergyDialect.DigestOrder) -> EnergyDesk {
        var desk = EnergyDesk(EnergyDesk.options { $0.dialect.digestOrder = order })
        desk.open()
        desk.pass(.seconds(1))
        desk.say(
            "<id_validate operation=\"sequence\"><sequence>25247777</sequence></id_validate>",
            type: "sequence")
        desk.say(
            "<id_validate operation=\"result\"><result>pass</result></id_validate>", type: "result")
        desk.pass(.milliseconds(400))
        desk.say("<heart_beat operation=\"time\"><time>20261121080042</time></heart_beat>")
        desk.wake()
        desk.say("<heart_beat operation=\"time\"><time>20261121080142</time></heart_beat>")
        return desk
    }

    private static func refused() -> EnergyDesk {
        var desk = EnergyDesk()
        desk.open()
        desk.say("<id_validate operation=\"sequence\"><sequence>61948429</sequence></id_validate>")
        desk.say("<id_validate operation=\"result\"><result>fail</result></id_validate>")
        desk.closed()
        return desk
    }

    private static func report(_ answer: String, type: String = "") -> EnergyDesk {
        var desk = EnergyDesk()
        desk.logIn()
        desk.submit(EnergyDesk.item(0, plant: 204.75), 7)
        desk.pass(.seconds(2))
        desk.say(answer, type: type)
        return desk
    }

    private static func outage() -> EnergyDesk {
        var desk = EnergyDesk()
        desk.logIn()
        desk.submit(EnergyDesk.item(9), 1)
        desk.say("<data operation=\"report\"><time>20261121103000</time><ack>OK</ack></data>")
        for number in 0..<3 {
            desk.submit(EnergyDesk.item(number, isBacklog: true), 2 + number)
            desk.say("<data operation=\"continuous_ack\"><ack>OK</ack></data>")
        }
        desk.submit(EnergyDesk.item(10, main: nil), 5)
        desk.closed()
        return desk
    }

    private static func late() -> EnergyDesk {
        var desk = EnergyDesk()
        desk.logIn()
        desk.submit(EnergyDesk.item(0), 1)
        desk.wake()
        desk.submit(EnergyDesk.item(0, isBacklog: true), 2)
        desk.say(
            "<report_config operation=\"report_ack\"><report_ack>pass</report_ack></report_config>")
        desk.say("<data operation=\"continuous_ack\"/>")
        desk.say("<data operation=\"continuous_ack\"/>")
        return desk
    }

    private static func garbage() -> EnergyDesk {
        var desk = EnergyDesk()
        desk.open()
        desk.hear(
            Array("hello".utf8)
                + desk.frame(
                    "<id_validate operation=\"sequence\"><sequence>1</sequence></id_validate>"))
        var damaged = desk.frame(
            "<id_validate operation=\"result\"><result>fail</result></id_validate>")
        damaged[50] ^= 0x40
        desk.hear(damaged)
        desk.hear(EnergyFrame(body: Array(damaged[12..<60])).bytes(.guideline))
        desk.hear(EnergyFrame(body: [1, 2, 3]).bytes(.guideline))
        desk.hear(
            Array(damaged.prefix(40))
                + desk.frame(
                    "<id_validate operation=\"result\"><result>pass</result></id_validate>"))
        desk.hear([1, 2, 3])
        desk.closed()
        return desk
    }

    private static func commands() -> EnergyDesk {
        var desk = EnergyDesk()
        desk.logIn()
        desk.hear(
            desk.frame(
                "<config operation=\"period\">30</config>", type: "period",
                sequence: [0xAA, 0, 0, 1]))
        desk.say("<config operation=\"period\"><period>often</period></config>")
        desk.say("<instruction operation=\"archives\"/>", type: "archives")
        desk.say("<device operation=\"device\"/>")
        desk.say("<query operation=\"query_config\"/>")
        desk.say("<data operation=\"query\"/>", type: "query")
        if case .look(let request)? = desk.steps.last(where: {
            if case .look = $0 { true } else { false }
        }) {
            desk.found([EnergyDesk.item(3, plant: 1.5)], request)
        }
        desk.say("<realtime_qry operation=\"realtime_qry_req\"/>", type: "realtime_qry_req")
        return desk
    }

    private static func demands() -> EnergyDesk {
        var desk = EnergyDesk(EnergyDesk.options { $0.obeys = [.key] })
        desk.logIn()
        desk.say(
            "<config operation=\"ip_port\"><server><ip>203.0.113.7</ip><dns/><port>9000</port>"
                + "</server></config>", type: "ip_port")
        desk.say("<update operation=\"md5_key\"><md5_keydata>TOPSECRET</md5_keydata></update>")
        desk.say("<control operation=\"reboot\"/>", type: "reboot")
        desk.say("<update operation=\"aes_key\"><aes_keydata>short</aes_keydata></update>")
        desk.say(
            "<update operation=\"aes_key\"><aes_keydata>ponmlkjihgfedcba</aes_keydata></update>")
        desk.closed()
        return desk
    }
}
