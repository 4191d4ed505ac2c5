import Telemetry
import TestSeeds
import Testing
import UplinkFormats

@Suite("Whatever a platform does, the building energy upload")
struct BuildingEnergyPropertyTests {
    private static let elements = [
        "<id_validate operation=\"sequence\"><sequence>7</sequence></id_validate>",
        "<id_validate operation=\"result\"><result>pass</result></id_validate>",
        "<id_validate operation=\"result\"><result>fail</result></id_validate>",
        "<heart_beat operation=\"time\"><time>20261121080012</time></heart_beat>",
        "<heart_beat operation=\"time\"><time>99991231235959</time></heart_beat>",
        "<report_config operation=\"report_ack\"><report_ack>pass</report_ack></report_config>",
        "<report_config operation=\"report_ack\"><report_ack>fail</report_ack></report_config>",
        "<data operation=\"report\"><time>20261121081500</time><ack>OK</ack></data>",
        "<data operation=\"report\"><sequence>2</sequence><ack>OK</ack></data>",
        "<data operation=\"continuous_ack\"/>", "<data operation=\"query\"/>",
        "<config operation=\"period\">99999999999999999999</config>",
        "<config operation=\"period\">10</config>", "<instruction operation=\"archives\"/>",
        "<device operation=\"device\"/>", "<control operation=\"reboot\"/>",
        "<update operation=\"md5_key\"><md5_keydata>x</md5_keydata></update>", "<x/>",
        "<x><y/></x>",
        "<a operation=\"/\"/>", "", "text", "<!DOCTYPE x>",
    ]

    @Test("settles each ticket exactly once")
    func settlesOnce() {
        var random = SeededGenerator(74)
        var outcomes: [String: Int] = [:]
        for round in 0..<400 {
            var desk = EnergyDesk(
                EnergyDesk.options {
                    $0.window = Int.random(in: 1...4, using: &random)
                    $0.obeys = random.oneIn(8) ? [.secret] : []
                })
            if random.oneIn(10) { desk.open() } else { desk.logIn() }
            var ticket = 0
            for _ in 0..<Int.random(in: 1...120, using: &random) {
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<4:
                    guard desk.conversation.room > 0 || random.oneIn(10) else { continue }
                    ticket += 1
                    let number = Int.random(in: 0..<4, using: &random)
                    desk.submit(EnergyDesk.item(number, isBacklog: random.oneIn(2)), ticket)
                case 4..<7:
                    let isAnswer = !random.oneIn(5)
                    let index =
                        isAnswer
                        ? Int.random(in: 5...9, using: &random)
                        : Int.random(in: 0..<Self.elements.count, using: &random)
                    desk.say(Self.elements[index])
                case 7: desk.pass(.seconds(Int.random(in: 0...40, using: &random)))
                case 8: desk.wake()
                default:
                    let noise = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                        UInt8.random(in: 0...255, using: &random)
                    }
                    desk.hear(noise)
                }
                #expect(desk.conversation.room >= 0)
                // What is open is what was submitted and not settled.
                if desk.closeReason == nil, desk.conversation.room > 0 {
                    #expect(desk.settled.count <= ticket)
                }
            }
            desk.closed()
            desk.closed()
            #expect(
                desk.settled.map(\.ticket).sorted()
                    == Array(1...max(1, ticket)).filter { $0 <= ticket },
                "round \(round)")
            #expect(desk.steps.count { if case .close = $0 { true } else { false } } <= 1)
            for settled in desk.settled {
                switch settled.outcome {
                case .accepted: outcomes["accepted", default: 0] += 1
                case .retry: outcomes["retry", default: 0] += 1
                case .rejected: outcomes["rejected", default: 0] += 1
                case .expired: outcomes["expired", default: 0] += 1
                }
            }
        }
        // The rounds do not all end in the same way.
        #expect((outcomes["accepted"] ?? 0) > 300)
        #expect((outcomes["retry"] ?? 0) > 300)
    }

    @Test("says the same, however the bytes are cut")
    func cuts() {
        func desk() -> EnergyDesk {
            var desk = EnergyDesk()
            desk.open()
            return desk
        }
        let frames = [0, 1, 3, 12, 13, 10, 17].map { desk().frame(Self.elements[$0]) }
        let bytes = Array(frames.joined())
        var whole = desk()
        whole.hear(bytes)
        // Request, digest, heartbeat, period_ack, archives_ack; the query is looked up.
        #expect(whole.frames.count == 5)
        for cut in 0...bytes.count {
            var parts = desk()
            parts.hear(Array(bytes[..<cut]))
            parts.hear(Array(bytes[cut...]))
            #expect(parts.steps == whole.steps)
        }
        var single = desk()
        for byte in bytes { single.hear([byte]) }
        #expect(single.steps == whole.steps)
    }

    @Test("never traps on what comes, before, during and after the log-in")
    func anyBytes() {
        var random = SeededGenerator(75)
        for round in 0..<400 {
            var desk = EnergyDesk(
                EnergyDesk.options { $0.dialect.plainMessages = round % 2 == 0 ? .login : .none })
            if round % 3 > 0 { desk.open() }
            if round % 3 > 1 { desk.logIn() }
            for _ in 0..<20 {
                var body = Array(
                    ("<root>" + (Self.elements.randomElement(using: &random) ?? "") + "</root>")
                        .utf8)
                for _ in 0..<Int.random(in: 0...3, using: &random) where !body.isEmpty {
                    body[Int.random(in: 0..<body.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
                let isPlain = random.oneIn(3)
                var bytes = EnergyFrame(body: isPlain ? body : EnergyDesk.cipher.encrypt(body))
                    .bytes(.guideline)
                if random.oneIn(3) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1
                }
                desk.hear(bytes)
            }
            desk.closed()
        }
    }

    @Test("refuses entities and a DOCTYPE at once")
    func laughs() {
        var desk = EnergyDesk()
        desk.open()
        var xml = "<!DOCTYPE root [<!ENTITY a0 \"ha\">"
        for level in 1...9 {
            let ten = String(repeating: "&a\(level - 1);", count: 10)
            xml += "<!ENTITY a\(level) \"\(ten)\">"
        }
        xml += "]><root><common/><id_validate operation=\"sequence\"><sequence>&a9;</sequence>"
        let body = EnergyDesk.cipher.encrypt(Array((xml + "</id_validate></root>").utf8))
        let took = ProcessorTime.of {
            desk.hear(EnergyFrame(body: body).bytes(.guideline))
        }
        #expect(took < .seconds(1))
        #expect(desk.frames.count == 1)
        #expect(desk.thoughts.last?.contains("DOCTYPE") == true)
    }

    @Test("says nothing any more once it has ended the connection")
    func over() {
        var desk = EnergyDesk()
        desk.open()
        desk.say("<id_validate operation=\"sequence\"><sequence>1</sequence></id_validate>")
        let fail = desk.frame(
            "<id_validate operation=\"result\"><result>fail</result></id_validate>")
        let pass = desk.frame(
            "<id_validate operation=\"result\"><result>pass</result></id_validate>")
        desk.hear(fail + pass)
        let count = desk.steps.count
        desk.hear(pass)
        desk.wake()
        #expect(desk.steps.count == count)
        #expect(desk.conversation.room == 0)
        #expect(desk.conversation.deadline == nil)
    }
}
