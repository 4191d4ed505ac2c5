import Telemetry
import UplinkFormats

/// Frames as a platform makes them, written from annex A and nothing else.
enum PlatformFrame {
    static func crc(_ text: String) -> UInt16 {
        var crc: UInt16 = 0xFFFF
        for byte in text.utf8 {
            crc = (crc >> 8) ^ UInt16(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xA001 : crc >> 1 }
        }
        return crc
    }

    static func crcModbus(_ text: String) -> UInt16 {
        var crc: UInt16 = 0xFFFF
        for byte in text.utf8 {
            crc ^= UInt16(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xA001 : crc >> 1 }
        }
        return crc
    }

    static func hex(_ value: UInt16) -> String {
        let text = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - text.count) + text
    }

    /// `##`, length, segment, CRC.
    static func frame(_ segment: String, modbus: Bool = false) -> String {
        let length = "\(segment.utf8.count)"
        return "##" + String(repeating: "0", count: 4 - length.count) + length + segment
            + hex(modbus ? crcModbus(segment) : crc(segment))
    }

    /// The value of a key in the head of a packet.
    static func value(_ key: String, in packet: String) -> String {
        guard let start = packet.firstRange(of: "\(key)=") else { return "" }
        return String(packet[start.upperBound...].prefix { $0 != ";" && $0 != "," })
    }
}

/// Drives a conversation over virtual time and writes down what happens:
///
///     08:00:00.000 > packet sent         < packet received     = ticket and outcome
///                  ? look                * setting             . thought        ! close
final class HJ212Bench {
    var conversation: HJ212Conversation
    private(set) var lines: [String] = []
    private(set) var sent: [String] = []
    private(set) var outcomes: [Int: [Outcome]] = [:]
    private(set) var looks: [HistoryRequest] = []
    private(set) var settings: [PlatformSetting] = []
    private(set) var closing: String?
    private(set) var elapsed = Duration.seconds(1000)
    var wall: Timestamp
    var isTrusted = true
    private var tickets = 0
    private let calendar: SiteCalendar

    init(
        _ options: HJ212Options, stations: [HJ212Station], at start: Timestamp,
        calendar: SiteCalendar = shanghai, settings: [PlatformSetting] = []
    ) {
        conversation = HJ212Conversation(
            options, stations: stations, calendar: calendar, settings: settings)
        wall = start
        self.calendar = calendar
    }

    var now: ConversationTime {
        ConversationTime(elapsed: elapsed, wall: wall, isTrusted: isTrusted)
    }

    var transcript: String { lines.joined(separator: "\n") + "\n" }
    var notes: [String] { lines.filter { $0.dropFirst(13).hasPrefix(".") } }

    func comment(_ text: String) { lines.append("# \(text)") }

    private func line(_ mark: String, _ text: String) {
        let digits = Array("\(calendar.rfc3339(wall).dropFirst(11).prefix(8))")
        let milliseconds = "\(1000 + wall.milliseconds.modulo(1000))".dropFirst()
        lines.append("\(String(digits)).\(milliseconds) \(mark) \(text)")
    }

    func take(_ steps: [ConversationStep]) {
        for step in steps {
            switch step {
            case .send(let bytes):
                // CR LF at the end of every packet; a golden file has none.
                let text = String(decoding: bytes.dropLast(2), as: UTF8.self)
                sent.append(bytes.suffix(2) == [0x0D, 0x0A] ? text : "no line end: \(text)")
                line(">", text)
            case .settle(let ticket, let outcome):
                outcomes[ticket, default: []].append(outcome)
                switch outcome {
                case .accepted: line("=", "\(ticket) accepted")
                case .retry(let after, let reason):
                    line("=", "\(ticket) again after \(after): \(reason)")
                case .rejected(let reason): line("=", "\(ticket) rejected: \(reason)")
                case .expired(let reason): line("=", "\(ticket) given up: \(reason)")
                }
            case .look(let request):
                looks.append(request)
                line(
                    "?",
                    "look \(request.number): \(request.kind) of \(request.scope) from "
                        + "\(calendar.rfc3339(request.from)) through "
                        + calendar.rfc3339(request.through))
            case .set(let setting):
                settings.append(setting)
                line("*", "\(setting.scope)|\(setting.name) = \(setting.value)")
            case .note(let note):
                // What was sent and received stands there as bytes.
                if note.direction == .thought || note.text.hasPrefix("not a packet") {
                    line(".", note.text)
                }
            case .close(let reason):
                closing = reason
                line("!", "close: \(reason)")
            }
        }
    }

    func open() { take(conversation.open(at: now)) }

    func close(_ reason: String = "the connection broke") {
        line("!", "closed: \(reason)")
        take(conversation.closed(reason: reason, at: now))
    }

    @discardableResult
    func submit(_ item: UplinkItem) -> Int {
        tickets += 1
        take(conversation.submit(item, ticket: tickets, at: now))
        return tickets
    }

    /// Whole packets from the platform, in one piece.
    func receive(_ packets: String...) {
        for packet in packets { line("<", packet) }
        take(
            conversation.receive(
                packets.flatMap { Array("\($0)\r\n".utf8) }, at: now))
    }

    func command(_ segment: String) { receive(PlatformFrame.frame(segment)) }

    /// Acknowledges a packet that was sent, by default the last one.
    func acknowledge(_ packet: String? = nil, cn: String = "9014", flag: Int = 4) {
        guard let packet = packet ?? sent.last else { return }
        func value(_ key: String) -> String { PlatformFrame.value(key, in: packet) }
        command(
            "QN=\(value("QN"));ST=91;CN=\(cn);PW=\(value("PW"));MN=\(value("MN"));Flag=\(flag);"
                + "CP=&&&&")
    }

    func found(_ items: [UplinkItem], isLast: Bool = true) {
        guard let request = looks.last else { return }
        line("?", "found \(items.count)\(isLast ? ", no more" : "")")
        take(conversation.found(items, for: request, isLast: isLast, at: now))
    }

    /// Lets time pass and calls `wake` whenever it is wanted.
    func wait(_ duration: Duration) {
        let end = elapsed + duration
        while let deadline = conversation.deadline, deadline <= end, closing == nil {
            let step = max(deadline - elapsed, .zero)
            pass(step)
            take(conversation.wake(at: now))
            // A deadline that stays would hang here as it would turn in circles in the field.
            if let next = conversation.deadline, next <= elapsed {
                lines.append("# the deadline does not move")
                return
            }
        }
        pass(end - elapsed)
    }

    private func pass(_ duration: Duration) {
        elapsed += duration
        wall = wall + duration
    }
}
