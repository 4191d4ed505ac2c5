import Telemetry
import TestSeeds
import Testing
import UplinkFormats
import XMLText

@Suite("The building energy upload")
struct BuildingEnergyConversationTests {
    private func loggedIn(
        _ change: (inout BuildingEnergyOptions) -> Void = { _ in }
    ) -> EnergyDesk {
        var desk = EnergyDesk(EnergyDesk.options(change))
        desk.logIn()
        return desk
    }

    private func functions(_ desk: EnergyDesk) throws -> [[String]] {
        let data = try #require(try desk.sent.last { $0.name == "data" })
        return data.children.filter { $0.name == "meter" }.flatMap { meter in
            meter.children.map {
                [
                    meter.attribute("id") ?? "", $0.attribute("id") ?? "",
                    $0.attribute("coding") ?? "", $0.attribute("error") ?? "", $0.text,
                ]
            }
        }
    }

    private let reportAck =
        "<report_config operation=\"report_ack\"><report_ack>pass</report_ack></report_config>"

    // MARK: Log-in

    @Test("takes no items before the log-in is through")
    func room() {
        var desk = EnergyDesk()
        #expect(desk.conversation.room == 0)
        desk.open()
        #expect(desk.conversation.room == 0)
        desk.submit(EnergyDesk.item(0), 1)
        #expect(desk.settled.map(\.ticket) == [1])
        desk.say("<id_validate operation=\"sequence\"><sequence>1</sequence></id_validate>")
        #expect(desk.conversation.room == 0)
        desk.say("<id_validate operation=\"result\"><result>pass</result></id_validate>")
        #expect(desk.conversation.room == 1)
    }

    @Test("ends the connection when the log-in is not through after 30 s, and says what was wrong")
    func loginTimeout() {
        for stage in 0..<3 {
            var desk = EnergyDesk()
            desk.open()
            if stage == 1 {
                desk.say("<id_validate operation=\"sequence\"><sequence>1</sequence></id_validate>")
            }
            if stage == 2 { desk.hear(EnergyFrame(body: [UInt8](0..<64)).bytes(.guideline)) }
            #expect(desk.conversation.deadline == .seconds(30))
            desk.pass(.seconds(29))
            _ = desk.conversation.wake(at: desk.time)
            #expect(desk.closeReason == nil)
            desk.wake()
            #expect(desk.closeReason?.contains("not through in time") == true)
            #expect(desk.closeReason?.contains("another key") == (stage == 2))
            #expect(desk.conversation.deadline == nil)
        }
    }

    @Test("does not believe a pass that nobody asked for")
    func unaskedPass() {
        var desk = EnergyDesk()
        desk.open()
        desk.say("<id_validate operation=\"result\"><result>pass</result></id_validate>")
        #expect(desk.conversation.room == 0)
        desk.say("<config operation=\"period\">1</config>")
        #expect(desk.settings.isEmpty)
    }

    @Test("answers a platform that writes all operations into one attribute")
    func lumpedOperations() throws {
        var desk = EnergyDesk()
        desk.open()
        let operations = "request/sequence/md5/result"
        desk.say(
            "<id_validate operation=\"\(operations)\"><sequence>25247777</sequence></id_validate>",
            type: "sequence")
        desk.say(
            "<id_validate operation=\"\(operations)\"><result>pass</result></id_validate>",
            type: "id_validate")
        #expect(desk.conversation.room == 1)
        desk.say(
            "<heart_beat operation=\"notify/time\"><time>2026/11/21 08:00:42</time></heart_beat>")
        #expect(desk.settings == [PlatformSetting(name: "clock_offset_ms", value: "42000")])
        desk.say(
            "<config operation=\"period/period_ack\"><period>20</period></config>", type: "period")
        #expect(desk.settings.last == PlatformSetting(name: "period", value: "20"))
    }

    @Test("takes the time from the result of the log-in too")
    func timeInResult() {
        var desk = EnergyDesk()
        desk.open()
        desk.say("<id_validate operation=\"sequence\"><sequence>1</sequence></id_validate>")
        desk.say(
            "<id_validate operation=\"result\"><result>pass</result><time>20261121075900</time>"
                + "</id_validate>")
        #expect(desk.settings == [PlatformSetting(name: "clock_offset_ms", value: "-60000")])
    }

    @Test("takes an operation that it does not know for nothing else")
    func unknownOperation() {
        var desk = loggedIn()
        desk.submit(EnergyDesk.item(0), 1)
        for element in [
            "<config operation=\"idle\"><period>5</period></config>",
            "<data operation=\"basic_db\"><ack>OK</ack><time>20261121081500</time></data>",
            "<heart_beat operation=\"stop\"><time>20261121080500</time></heart_beat>",
        ] {
            desk.say(element, type: "period")
            #expect(desk.thoughts.last?.hasPrefix("not known here") == true)
        }
        #expect(desk.settings.isEmpty)
        #expect(desk.settled.isEmpty)
    }

    // MARK: Dialects

    @Test("begins in clear text where the platform wants it, and only there")
    func plainMessages() throws {
        for (plain, expected) in [
            (EnergyDialect.PlainMessages.none, [false, false, false]),
            (.request, [true, false, false]), (.login, [true, true, false]),
        ] {
            var desk = EnergyDesk(EnergyDesk.options { $0.dialect.plainMessages = plain })
            desk.open()
            let challenge = desk.frame(
                "<id_validate operation=\"sequence\"><sequence>1</sequence></id_validate>",
                isPlain: plain != .none)
            desk.hear(challenge)
            desk.say("<id_validate operation=\"result\"><result>pass</result></id_validate>")
            #expect(desk.frames.map { $0.body.first == 0x3C } == expected)
            // A plain message is believed no longer once the log-in is through.
            desk.hear(desk.frame("<config operation=\"period\">1</config>", isPlain: true))
            #expect(desk.settings.isEmpty)
            var strict = EnergyDesk()
            strict.open()
            strict.hear(challenge)
            #expect(strict.frames.count == (plain == .none ? 2 : 1))
        }
    }

    @Test("writes the declaration, the type and the marks that the platform wants")
    func dialects() throws {
        for encoding in EnergyDialect.Encoding.allCases {
            let desk = loggedIn {
                $0.dialect.encoding = encoding
                $0.dialect.typeWord = .element
                $0.dialect.marks = .reversed
                $0.dialect.announcesDevice = true
            }
            #expect(
                try desk.documents.map(\.type) == [
                    "id_validate", "id_validate", "device", "heart_beat",
                ])
            let body = try #require(EnergyDesk.cipher.decrypt(desk.frames[2].body))
            let text = String(decoding: body.filter { $0 != 0 }, as: UTF8.self)
            #expect(text.utf8.allSatisfy { $0 < 0x80 })
            switch encoding {
            case .utf8:
                #expect(text.hasPrefix("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<root>"))
            case .gb2312: #expect(text.hasPrefix("<?xml version=\"1.0\" encoding=\"GB2312\"?>\n"))
            case .none: #expect(text.hasPrefix("<root>"))
            }
            #expect(try desk.sent[2].child("build_name")?.text == "一号楼")
        }
    }

    @Test("echoes the sequence of what it answers, or writes the usual one")
    func sequenceBytes() {
        for kind in EnergyDialect.SequenceBytes.allCases {
            var desk = loggedIn { $0.dialect.sequenceBytes = kind }
            desk.hear(
                desk.frame("<config operation=\"period\">5</config>", sequence: [9, 8, 7, 6]))
            #expect(desk.frames.last?.sequence == (kind == .echo ? [9, 8, 7, 6] : [0, 1, 0, 0]))
            desk.submit(EnergyDesk.item(0), 1)
            #expect(desk.frames.last?.sequence == [0, 1, 0, 0])
        }
    }

    @Test("reads a message in GB2312, and one that only says so")
    func encodings() {
        var desk = EnergyDesk()
        desk.open()
        let head = "<?xml version=\"1.0\" encoding=\"GB2312\"?><root><common><type>sequence</type>"
        let middle = "</common><id_validate operation=\"sequence\"><sequence>1</sequence><note>"
        for note: [UInt8] in [[0xD6, 0xD0, 0xCE, 0xC4], Array("中文".utf8)] {
            let xml =
                Array((head + middle).utf8) + note + Array("</note></id_validate></root>".utf8)
            desk.hear(EnergyFrame(body: EnergyDesk.cipher.encrypt(xml)).bytes(.guideline))
        }
        let lines = desk.steps.compactMap { step -> String? in
            guard case .note(let note) = step, note.direction == .received else { return nil }
            return note.text
        }
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.contains("<note>中文</note>") })
    }

    @Test("passes over what is for another building, unless it is told not to look")
    func address() {
        let foreign =
            "<root><common><building_id>330302D111</building_id><gateway_id>01</gateway_id>"
            + "</common><config operation=\"period\">5</config></root>"
        for checks in [true, false] {
            var desk = loggedIn { $0.dialect.checksAddress = checks }
            let body = EnergyDesk.cipher.encrypt(Array(foreign.utf8))
            desk.hear(EnergyFrame(body: body).bytes(.guideline))
            #expect(desk.settings.isEmpty == checks)
        }
    }

    // MARK: Values

    @Test(
        "reports registers with code and two decimals, and a missing one with an error and no text")
    func values() throws {
        var desk = loggedIn()
        desk.submit(EnergyDesk.item(0), 1)
        #expect(
            try functions(desk) == [
                ["01", "01", "330302D11001000", "", "71204.80"],
                ["02", "01", "330302D11001B10", "1", ""],
            ])
    }

    @Test("reports what was used where the platform wants that, and marks as it wants")
    func interval() throws {
        var desk = loggedIn {
            $0.dialect.amount = .interval
            $0.dialect.goodMark = "0"
            $0.dialect.faultMark = "9"
        }
        desk.submit(EnergyDesk.item(0), 1)
        #expect(try functions(desk).map { $0.suffix(2) } == [["0", "0.75"], ["9", ""]])
    }

    @Test("a point's own statistic goes before the uplink's")
    func ownStatistic() throws {
        var desk = loggedIn()
        var item = EnergyDesk.item(0)
        item.entries[0].point = UplinkPoint(decimals: 1, statistics: [.increase])
        desk.submit(item, 1)
        #expect(try functions(desk).first?.last == "0.8")
    }

    @Test("never writes an exponent")
    func exponent() throws {
        for value in [1e-7, 1e15, 3e19] {
            var desk = loggedIn()
            var item = EnergyDesk.item(0, main: value)
            item.entries[0].point = .asStored
            desk.submit(item, 1)
            let row = try #require(try functions(desk).first)
            #expect(row[4].allSatisfy { $0.isNumber || $0 == "." })
            #expect(row[4].isEmpty == (row[3] == "1"))
        }
    }

    @Test("keeps the series of one meter together, in the order of the item")
    func grouping() throws {
        var desk = loggedIn()
        var item = EnergyDesk.item(0, plant: 1)
        var reactive = item.entries[0]
        reactive.series = series("main.reactive_energy.import.total", .counter, "kvarh")
        item.entries.append(reactive)
        desk.submit(item, 1)
        #expect(
            try functions(desk).map { $0.prefix(2) } == [
                ["01", "01"], ["01", "02"], ["02", "01"],
            ])
    }

    @Test("writes the end of the period or its start, in site time")
    func periodTime() throws {
        for (time, text) in [
            (EnergyDialect.PeriodTime.end, "20261121081500"), (.start, "20261121080000"),
        ] {
            var desk = loggedIn { $0.dialect.time = time }
            desk.submit(EnergyDesk.item(0), 1)
            #expect(try desk.sent.last?.child("time")?.text == text)
        }
    }

    @Test("gives up an item of which the platform knows nothing")
    func nothingKnown() {
        var desk = loggedIn { $0.meters = [:] }
        desk.submit(EnergyDesk.item(0), 1)
        guard case .expired? = desk.settled.first?.outcome else {
            Issue.record("settled as \(String(describing: desk.settled.first))")
            return
        }
        #expect(desk.conversation.room == 1)
    }

    @Test("tells a stored period and a correction as continuous")
    func continuous() throws {
        var desk = loggedIn { $0.window = 4 }
        desk.submit(EnergyDesk.item(0), 1)
        desk.submit(EnergyDesk.item(1, isBacklog: true), 2)
        desk.submit(EnergyDesk.item(2, revision: 1), 3)
        desk.submit(EnergyDesk.item(3), 4)
        let data = try desk.sent.filter { $0.name == "data" }
        #expect(
            data.map { $0.attribute("operation") } == [
                "report", "continuous", "continuous", "report",
            ])
        #expect(data.map { $0.child("total")?.text } == ["1", "1", "2", "1"])
        #expect(data.map { $0.child("current")?.text } == ["1", "1", "2", "1"])
        #expect(data.map { $0.child("sequence")?.text } == ["1", "2", "3", "4"])
    }

    // MARK: Acknowledgements

    @Test(
        "knows every form of acknowledgement",
        arguments: [
            "<report_config operation=\"report_ack\"><report_ack>pass</report_ack></report_config>",
            "<data operation=\"report\"><time>20261121081500</time><ack>OK</ack></data>",
            "<data operation=\" report_ack \"><report_ack> PASS </report_ack></data>",
            "<data operation=\"report_ack\"/>", "<data operation=\"continuous_ack\">pass</data>",
            "<data operation=\"report\"><time>2026-11-21 08:15:00</time></data>",
            "<data operation=\"report\"><sequence>1</sequence><result>1</result></data>",
        ])
    func acknowledgementForms(element: String) {
        var desk = loggedIn()
        desk.submit(EnergyDesk.item(0), 1)
        desk.say(element)
        #expect(desk.settled.map(\.outcome) == [.accepted])
        #expect(desk.conversation.room == 1)
    }

    @Test(
        "is told no by every word that is not known to be yes", arguments: ["fail", "0", "maybe"])
    func refusedReport(word: String) {
        var desk = loggedIn()
        desk.submit(EnergyDesk.item(0), 1)
        desk.say("<data operation=\"report\"><ack>\(word)</ack></data>")
        guard case .retry(let after, let reason)? = desk.settled.first?.outcome else {
            Issue.record("not tried again")
            return
        }
        #expect(after == .seconds(300))
        #expect(reason.contains(word))
    }

    @Test("finds the report by time, then by number, then by order")
    func matching() {
        var desk = loggedIn { $0.window = 5 }
        for number in 0..<5 { desk.submit(EnergyDesk.item(number, isBacklog: number == 4), number) }
        #expect(desk.conversation.room == 0)
        desk.say("<data operation=\"report\"><time>20261121084500</time><ack>OK</ack></data>")
        desk.say("<data operation=\"report\"><sequence>2</sequence><ack>OK</ack></data>")
        desk.say("<data operation=\"continuous_ack\"><ack>OK</ack></data>")
        // A time that nobody sent is the platform's own, and says nothing.
        desk.say("<data operation=\"report\"><time>20261121235959</time><ack>OK</ack></data>")
        desk.say(reportAck)
        #expect(desk.settled.map(\.ticket) == [2, 1, 4, 0, 3])
        #expect(desk.settled.allSatisfy { $0.outcome == .accepted })
    }

    @Test("tries a report again after 30 s without a word")
    func timeout() {
        var desk = loggedIn()
        desk.pass(.seconds(5))
        desk.submit(EnergyDesk.item(0), 1)
        #expect(desk.conversation.deadline == .seconds(35))
        desk.wake()
        #expect(
            desk.settled.map(\.outcome) == [
                .retry(after: .seconds(30), reason: "no acknowledgement in time")
            ])
        #expect(desk.conversation.room == 1)
    }

    @Test("takes a late word with a time for the report that it names, and for no other")
    func lateWithTime() {
        var desk = loggedIn()
        desk.submit(EnergyDesk.item(0), 1)
        desk.wake()
        desk.submit(EnergyDesk.item(1), 2)
        desk.say("<data operation=\"report\"><time>20261121081500</time><ack>OK</ack></data>")
        #expect(desk.settled.map(\.ticket) == [1])
        desk.say("<data operation=\"report\"><time>20261121083000</time><ack>OK</ack></data>")
        #expect(desk.settled.map(\.ticket) == [1, 2])
        #expect(desk.settled.last?.outcome == .accepted)
        #expect(desk.closeReason == nil)
    }

    @Test("rather sends twice than takes a late word for the next report")
    func ambiguous() {
        var desk = loggedIn()
        desk.submit(EnergyDesk.item(0), 1)
        desk.wake()
        desk.submit(EnergyDesk.item(1), 2)
        desk.say(reportAck)
        #expect(desk.settled.map(\.ticket) == [1])
        #expect(desk.closeReason?.contains("which of two reports") == true)
        desk.closed()
        #expect(desk.settled.map(\.ticket) == [1, 2])
        guard case .retry? = desk.settled.last?.outcome else {
            Issue.record("not tried again")
            return
        }
    }

    @Test("forgets after two minutes that a report was never answered")
    func longAgo() {
        var desk = loggedIn()
        desk.submit(EnergyDesk.item(0), 1)
        desk.wake()
        desk.pass(.seconds(125))
        desk.submit(EnergyDesk.item(1), 2)
        desk.say(reportAck)
        #expect(desk.settled.last?.outcome == .accepted)
        #expect(desk.closeReason == nil)
    }

    // MARK: Time, silence and demands

    @Test("measures the platform's clock from the middle of the round trip, and sets nothing else")
    func clock() {
        var desk = loggedIn()
        desk.pass(.seconds(4))
        desk.say("<heart_beat operation=\"time\"><time>20261121080012</time></heart_beat>")
        #expect(desk.settings == [PlatformSetting(name: "clock_offset_ms", value: "10000")])
        desk.wake()
        desk.say("<heart_beat operation=\"time\"><time>20261121080109</time></heart_beat>")
        #expect(desk.settings.count == 1)
        desk.wake()
        desk.say("<heart_beat operation=\"time\"><time>20261121080200</time></heart_beat>")
        #expect(desk.settings.last?.value == "0")
        for text in ["", "soon", "20261399000000", "202611210800001"] {
            desk.say("<heart_beat operation=\"time\"><time>\(text)</time></heart_beat>")
        }
        #expect(desk.settings.count == 2)
    }

    @Test("compares no clocks while its own is not to be believed")
    func untrusted() {
        var desk = loggedIn()
        var time = desk.time
        time.isTrusted = false
        let bytes = desk.frame(
            "<heart_beat operation=\"time\"><time>20991121080012</time></heart_beat>")
        let steps = desk.conversation.receive(bytes, at: time)
        #expect(!steps.contains { if case .set = $0 { true } else { false } })
    }

    @Test("begins with what earlier conversations have set")
    func settings() throws {
        let settings = [
            PlatformSetting(name: "period", value: "30"),
            PlatformSetting(name: "clock_offset_ms", value: "5000"),
            PlatformSetting(name: "md5_key", value: "abc"),
            PlatformSetting(name: "aes_key", value: "ponmlkjihgfedcba"),
        ]
        var desk = EnergyDesk(EnergyDesk.options(), settings: settings)
        desk.logIn()
        #expect(
            try desk.sent[1].child("md5")?.text == EnergyCipher.md5("25247777IJKLMNOPQRSTUVWX"))
        desk.say("<heart_beat operation=\"time\"><time>20261121080006</time></heart_beat>")
        #expect(desk.settings.isEmpty)
        desk.say("<query operation=\"query_config\"/>")
        #expect(try desk.sent.last?.child("period")?.text == "30")
        // Keys hold only where the site lets the platform set them.
        var obedient = EnergyDesk(
            EnergyDesk.options { $0.obeys = [.secret] }, settings: settings)
        obedient.logIn()
        #expect(try obedient.sent[1].child("md5")?.text == EnergyCipher.md5("25247777abc"))
    }

    @Test("calls every minute, and gives a platform up that is silent for five")
    func heartbeat() throws {
        var desk = loggedIn()
        for _ in 0..<5 { desk.wake() }
        #expect(try desk.sent.filter { $0.name == "heart_beat" }.count == 5)
        #expect(desk.closeReason == "nothing was heard for 300 s")
        var patient = loggedIn { $0.patience.silence = nil }
        for _ in 0..<20 { patient.wake() }
        #expect(patient.closeReason == nil)
        #expect(try patient.sent.filter { $0.name == "heart_beat" }.count == 21)
    }

    @Test("obeys nothing that the site does not list, and never starts anew")
    func demands() throws {
        let demands: [(EnergyDemand.Kind, String, String)] = [
            (
                .address, "<config operation=\"ip_port\"><ip>10.0.0.1</ip><port>80</port></config>",
                "ip_port_ack"
            ),
            (
                .secret, "<update operation=\"md5_key\"><md5_keydata>abc</md5_keydata></update>",
                "key_ack"
            ),
            (
                .key, "<config operation=\"aes_key\">000102030405060708090a0b0c0d0e0f</config>",
                "aes_key_ack"
            ),
            (.restart, "<control operation=\"reboot\"/>", "control_ack"),
        ]
        for (kind, element, answer) in demands {
            for obeys in [false, true] {
                var desk = loggedIn { $0.obeys = obeys ? Set(EnergyDemand.Kind.allCases) : [] }
                desk.say(element)
                let isObeyed = obeys && kind != .restart
                #expect(desk.settings.map(\.name) == (isObeyed ? [kind.rawValue] : []))
                let last = try #require(try desk.sent.last)
                #expect(last.attribute("operation") == answer)
                #expect(last.child(answer)?.text == (isObeyed ? "pass" : "fail"))
                #expect((desk.closeReason != nil) == isObeyed)
                #expect(desk.thoughts.last?.hasPrefix(isObeyed ? "obeyed" : "refused") == true)
            }
        }
    }

    @Test("refuses demands that cannot be read, even where it would obey")
    func unreadableDemands() throws {
        for element in [
            "<config operation=\"ip_port\"><ip>10.0.0.1</ip><port>0</port></config>",
            "<config operation=\"ip_port\"><ip>a b; rm</ip><port>80</port></config>",
            "<config operation=\"ip_port\"/>", "<update operation=\"md5_key\"/>",
            "<update operation=\"aes_key\"><aes_keydata>00</aes_keydata></update>",
        ] {
            var desk = loggedIn { $0.obeys = Set(EnergyDemand.Kind.allCases) }
            desk.say(element)
            #expect(desk.settings.isEmpty)
            #expect(try desk.sent.last?.children.first?.text == "fail")
        }
    }

    @Test("shows no secret in a note")
    func secrets() throws {
        var desk = loggedIn { $0.obeys = [.secret, .key] }
        desk.say("<update operation=\"aes_key\"><aes_keydata>WRONGKEY1</aes_keydata></update>")
        desk.say("<config operation=\"aes_key\" value=\"WRONGKEY2\">WRONGKEY3</config>")
        desk.say("<update operation=\"md5_key\"><x><y z=\"NEWSECRET\">NEWSECRET</y></x></update>")
        let notes = desk.steps.compactMap { step -> String? in
            if case .note(let note) = step { note.text } else { nil }
        }
        let digest = EnergyCipher.md5("25247777IJKLMNOPQRSTUVWX")
        for secret in ["IJKLMNOPQRSTUVWX", digest, "WRONGKEY", "NEWSECRET"] {
            #expect(!notes.contains { $0.contains(secret) }, "\(secret)")
        }
        #expect(notes.contains { $0.contains("<md5>***</md5>") })
        #expect(desk.settings.map(\.value) == ["NEWSECRET"])
        #expect(!"\(EnergyDesk.options())".contains("IJKL"))
    }

    @Test("looks the newest up once, and answers with the last that is found")
    func query() throws {
        var desk = loggedIn()
        desk.say("<net_query operation=\"query\"><query>query</query></net_query>", type: "query")
        desk.say("<data operation=\"query\"/>")
        let looks = desk.steps.compactMap { step -> HistoryRequest? in
            if case .look(let request) = step { request } else { nil }
        }
        let request = try #require(looks.first)
        #expect(looks.count == 1)
        #expect(request.kind == "report/15min")
        #expect(request.scope == "energy")
        #expect(request.newest == 1)
        #expect(request.through == morning)
        desk.found([EnergyDesk.item(0)], request, isLast: false)
        desk.found([EnergyDesk.item(1)], request)
        #expect(try desk.sent.last?.attribute("operation") == "reply")
        #expect(try desk.sent.last?.child("time")?.text == "20261121083000")
        let count = desk.frames.count
        desk.found([EnergyDesk.item(2)], request)
        #expect(desk.frames.count == count)
        desk.say("<data operation=\"query\"/>")
        if case .look(let second)? = desk.steps.last { desk.found([], second) }
        #expect(desk.frames.count == count)
        #expect(desk.thoughts.last?.contains("nothing is known") == true)
    }
}
