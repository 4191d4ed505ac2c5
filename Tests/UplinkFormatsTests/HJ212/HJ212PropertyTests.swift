import Telemetry
import TestSeeds
import Testing
import UplinkFormats

@Suite("HJ 212 conversations, whatever happens")
struct HJ212PropertyTests {
    private static let twoStations = [
        northStation, HJ212Station(scope: "south", mn: "SOUTH000000001"),
    ]

    private static func item(_ random: inout SeededGenerator) -> UplinkItem {
        let kind =
            ["2011/1min", "2051/10min", "2061/1h", "2031/1d", "2081/boot", "x/y"]
            .randomElement(using: &random) ?? ""
        let scope = ["north", "south", "north", "west"].randomElement(using: &random) ?? ""
        let entries = (0..<Int.random(in: 0...25, using: &random)).map {
            factor("a3\(4000 + $0)", [random.decimal(0...100_000)], decimals: 3)
        }
        return report(
            kind, scope, from: morning, lasting: .seconds(600), entries + [factor("LA", [60])])
    }

    private static func time(_ elapsed: Int, _ wall: Int64) -> ConversationTime {
        ConversationTime(
            elapsed: .milliseconds(elapsed),
            wall: Timestamp(milliseconds: site("20261121080000").milliseconds + wall))
    }

    /// What a platform may send: acknowledgements, commands, notices, and what no platform would.
    private static func platform(
        answering sent: [String], _ random: inout SeededGenerator
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                guard let packet = sent.suffix(6).randomElement(using: &random) else { continue }
                let qn = PlatformFrame.value("QN", in: packet)
                let mn = PlatformFrame.value("MN", in: packet)
                let cn = random.oneIn(8) ? "9013" : "9014"
                bytes += Array(
                    PlatformFrame.frame("QN=\(qn);ST=91;CN=\(cn);PW=123456;MN=\(mn);Flag=4;CP=&&&&")
                        .utf8)
            case 2, 3:
                let (cn, area) =
                    [
                        ("1000", "OverTime=7;ReCount=2"), ("1062", "RtdInterval=30"), ("1011", ""),
                        ("1012", "SystemTime=20261121080000"), ("2012", ""), ("2011", ""),
                        ("2061", "BeginTime=20261121010000;EndTime=20261121070000"), ("9999", ""),
                        ("1072", "NewPW=1"), ("2051", "BeginTime=1"),
                    ].randomElement(using: &random) ?? ("1000", "")
                let number = 1000 + Int.random(in: 0..<50, using: &random)
                bytes += Array(
                    PlatformFrame.frame(
                        "QN=2026112108000\(number);ST=39;CN=\(cn);PW=123456;MN=\(exampleMN);"
                            + "Flag=5;CP=&&\(area)&&"
                    ).utf8)
            case 4:
                bytes += (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            default:
                // A packet with one bit that fell over.
                var packet = Array(
                    PlatformFrame.frame(
                        "QN=20261121080000123;ST=39;CN=1061;PW=123456;MN=\(exampleMN);Flag=5;"
                            + "CP=&&&&"
                    ).utf8)
                packet[Int.random(in: 0..<packet.count, using: &random)] ^=
                    1 << UInt8.random(in: 0..<8, using: &random)
                bytes += packet
            }
            if !random.oneIn(4) { bytes += [0x0D, 0x0A] }
        }
        return bytes
    }

    private static func texts(_ steps: [ConversationStep]) -> [String] {
        steps.compactMap {
            guard case .send(let bytes) = $0 else { return nil }
            return String(decoding: bytes.dropLast(2), as: UTF8.self)
        }
    }

    @Test("any cut of what comes gives the same steps")
    func cuts() {
        var random = SeededGenerator(2120)
        for _ in 0..<150 {
            let options = hj212Options { $0.window = Int.random(in: 1...3, using: &random) }
            var start = HJ212Conversation(
                options, stations: Self.twoStations, calendar: shanghai)
            let time = Self.time(1_000_000, 0)
            var sent = Self.texts(start.open(at: time))
            for ticket in 0..<3 {
                sent += Self.texts(
                    start.submit(Self.item(&random), ticket: ticket, at: time))
            }
            let bytes = (0..<3).flatMap { _ in Self.platform(answering: sent, &random) }
            var whole = start
            let expected = whole.receive(bytes, at: time)
            var singly = start
            #expect(bytes.flatMap { singly.receive([$0], at: time) } == expected)
            var pieces = start
            var steps: [ConversationStep] = []
            var index = 0
            while index < bytes.count {
                let end = min(bytes.count, index + Int.random(in: 0...60, using: &random))
                steps += pieces.receive(Array(bytes[index..<end]), at: time)
                index = end
            }
            #expect(steps == expected)
            let next = Self.time(1_020_000, 20_000)
            #expect(whole.room == pieces.room && whole.room == singly.room)
            #expect(whole.deadline == pieces.deadline)
            #expect(whole.wake(at: next) == pieces.wake(at: next))
        }
    }

    @Test("garbage never traps and never settles anything")
    func garbage() {
        var random = SeededGenerator(2121)
        for _ in 0..<300 {
            var conversation = HJ212Conversation(
                hj212Options(), stations: Self.twoStations, calendar: shanghai)
            let time = Self.time(0, 0)
            _ = conversation.open(at: time)
            let sent = Self.texts(
                conversation.submit(
                    report("2011/1min", from: morning, lasting: .seconds(60), dust()), ticket: 1,
                    at: time))
            // Its own packet comes back with bits that fell over, among other rubbish.
            for _ in 0..<20 {
                var bytes = Array((sent.first ?? "").utf8)
                for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
                bytes += (0..<Int.random(in: 0...200, using: &random)).map { _ in
                    UInt8.random(in: 0x20...0x7E, using: &random)
                }
                let steps = conversation.receive(bytes, at: time)
                // One damaged packet in some 256 has the right checksum by chance.
                let isPacket = steps.contains {
                    if case .note(let note) = $0 { note.text.hasPrefix("##") } else { false }
                }
                if isPacket { continue }
                for step in steps {
                    switch step {
                    case .send, .settle, .set, .look, .close: Issue.record("\(step)")
                    case .note: break
                    }
                }
            }
            #expect(conversation.room == 0)
        }
    }

    @Test("each ticket is settled once, and each number is greater than the one before")
    func interleavings() {
        var random = SeededGenerator(2122)
        for round in 0..<250 {
            let options = hj212Options {
                $0.window = Int.random(in: 1...4, using: &random)
                $0.gap = .milliseconds(random.oneIn(2) ? 0 : 3000)
                $0.acknowledged = !random.oneIn(5)
                $0.heartbeat = random.oneIn(3) ? .seconds(30) : nil
                $0.asksForTime = random.oneIn(3)
                $0.resends = Int.random(in: 0...3, using: &random)
                $0.noise = random.oneIn(2) ? .inside : .own
            }
            var conversation = HJ212Conversation(
                options, stations: Self.twoStations, calendar: shanghai)
            var (elapsed, wall) = (0, Int64(0))
            var isOpen = false
            var mustClose = false
            var tickets = 0
            var settled: [Int: Int] = [:]
            var open: Set<Int> = []
            var sent: [String] = []
            var numbers: [String] = []
            var looks: [HistoryRequest] = []

            func take(_ steps: [ConversationStep]) {
                for step in steps {
                    switch step {
                    case .send(let bytes):
                        let text = String(decoding: bytes.dropLast(2), as: UTF8.self)
                        let isAnswer = ["9011", "9012", "9013", "1011"].contains(
                            PlatformFrame.value("CN", in: text))
                        if !isAnswer, !sent.contains(text) {
                            numbers.append(PlatformFrame.value("QN", in: text))
                        }
                        sent.append(text)
                    case .settle(let ticket, _):
                        settled[ticket, default: 0] += 1
                        open.remove(ticket)
                    case .look(let request): looks.append(request)
                    case .close: mustClose = true
                    case .set, .note: break
                    }
                }
            }

            for _ in 0..<120 {
                elapsed += Int.random(in: 0...4000, using: &random)
                // The clock runs, stands, and is set back and forth.
                wall += Int64(Int.random(in: 0...4000, using: &random))
                if random.oneIn(10) {
                    wall += Int64(Int.random(in: -7_200_000...3_600_000, using: &random))
                }
                var time = Self.time(elapsed, wall)
                time.isTrusted = !random.oneIn(12)
                switch Int.random(in: 0..<9, using: &random) {
                case 0 where !isOpen:
                    take(conversation.open(at: time))
                    isOpen = true
                case 1, 2:
                    tickets += 1
                    open.insert(tickets)
                    take(
                        conversation.submit(Self.item(&random), ticket: tickets, at: time))
                case 3, 4, 5:
                    take(
                        conversation.receive(
                            Self.platform(answering: sent, &random), at: time))
                case 6:
                    guard let request = looks.randomElement(using: &random) else { continue }
                    let items = (0..<Int.random(in: 0...3, using: &random)).map { index in
                        report(
                            request.kind, request.scope,
                            from: request.from + .seconds(3600 * index), lasting: .seconds(3600),
                            [factor("a34002", [1])])
                    }
                    take(
                        conversation.found(
                            items, for: request, isLast: random.oneIn(2), at: time))
                case 7 where isOpen && (mustClose || random.oneIn(3)):
                    take(conversation.closed(reason: "over", at: time))
                    (isOpen, mustClose) = (false, false)
                    #expect(open.isEmpty, "round \(round)")
                default: take(conversation.wake(at: time))
                }
                #expect(conversation.room >= 0 && conversation.room <= options.window)
                #expect(open.count <= options.window)
                if mustClose { #expect(conversation.room == 0 && conversation.deadline == nil) }
            }
            take(conversation.closed(reason: "the end", at: Self.time(elapsed, wall)))
            #expect(settled.count == tickets)
            #expect(settled.values.allSatisfy { $0 == 1 })
            for (before, after) in zip(numbers, numbers.dropFirst()) {
                #expect(before < after, "round \(round)")
            }
            #expect(conversation.deadline == nil && conversation.room == 0)
        }
    }

    @Test("an untiring platform finds every item accepted, resends or not")
    func everythingArrives() {
        var random = SeededGenerator(2123)
        for _ in 0..<60 {
            let bench = HJ212Bench(
                hj212Options {
                    $0.window = Int.random(in: 1...3, using: &random)
                    $0.gap = .milliseconds(Int.random(in: 0...2, using: &random) * 700)
                }, stations: Self.twoStations, at: site("20261121080000"))
            bench.open()
            var acknowledged: Set<String> = []
            var submitted = 0
            for _ in 0..<200 {
                if bench.conversation.room > 0, submitted < 20 {
                    submitted += 1
                    bench.submit(
                        report(
                            "2061/1h", "south", from: morning, lasting: .seconds(3600),
                            (0..<Int.random(in: 1...30, using: &random)).map {
                                factor("a3\(4000 + $0)", [1], decimals: 2)
                            }))
                }
                for packet in Set(bench.sent.suffix(4)) where !random.oneIn(3) {
                    bench.acknowledge(packet)
                    acknowledged.insert(packet)
                }
                bench.wait(.milliseconds(Int64(Int.random(in: 0...12_000, using: &random))))
                if bench.closing != nil { break }
            }
            guard bench.closing == nil else { continue }
            #expect(bench.outcomes.count == 20)
            #expect(bench.outcomes.values.allSatisfy { $0 == [.accepted] })
            #expect(Set(bench.sent).isSubset(of: acknowledged))
        }
    }

    @Test("numbers grow whatever the clock says, to the end of the calendar")
    func numbers() {
        var random = SeededGenerator(2124)
        var numbers = HJ212Numbers()
        var last = ""
        for _ in 0..<20_000 {
            let wall = Timestamp(
                milliseconds: Int64(Int.random(in: -1000...5000, using: &random))
                    + site("20261121080000").milliseconds)
            let number = numbers.next(at: wall, shanghai)
            #expect(number > last && number.utf8.count == 17)
            #expect(HJ212Time.parse(number, shanghai) != nil)
            last = number
        }
        for wall in [Int64.min, .max, 0, -1] {
            #expect(
                numbers.next(at: Timestamp(milliseconds: wall), shanghai).utf8.count == 17)
        }
    }
}
