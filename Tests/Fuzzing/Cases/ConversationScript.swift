import Telemetry
import UplinkFormats

/// A platform's side of a conversation, one step a line; what is not known is passed over.
///
///     o  the connection stands        s  an item is submitted     w  the next deadline comes
///     c  the connection is over       t7 seven seconds pass       u  the clock is (not) believed
///     p… a message, framed and whole  P… the same in two pieces   l… bytes as they are, and LF
///     f2 what was looked up comes, two items
struct ConversationScript<Conversation: UplinkConversation> {
    var conversation: Conversation
    let item: (_ number: Int, _ kind: String?, _ scope: String?) -> UplinkItem
    /// Puts the protocol's frame around a message.
    let framed: ([UInt8]) -> [UInt8]
    /// What must hold of what goes out.
    let checkSent: ([UInt8]) throws -> Void

    private(set) var settings: [PlatformSetting] = []
    private var elapsed = Duration.seconds(1000)
    private var isTrusted = true
    private var tickets = 0
    private var open: Set<Int> = []
    private var look: HistoryRequest?

    init(
        _ conversation: Conversation,
        item: @escaping (_ number: Int, _ kind: String?, _ scope: String?) -> UplinkItem,
        framed: @escaping ([UInt8]) -> [UInt8],
        checkSent: @escaping ([UInt8]) throws -> Void
    ) {
        self.conversation = conversation
        self.item = item
        self.framed = framed
        self.checkSent = checkSent
    }

    private var now: ConversationTime {
        ConversationTime(
            elapsed: elapsed, wall: morning + (elapsed - .seconds(1000)), isTrusted: isTrusted)
    }

    mutating func play(_ lines: some Sequence<[UInt8]>) throws {
        for line in lines.prefix(100) {
            try step(line.first ?? 0, Array(line.dropFirst()))
            try promise(conversation.room >= 0, "room for \(conversation.room)")
        }
        try take(conversation.closed(reason: "the script is over", at: now))
        try promise(open.isEmpty, "the tickets \(open.sorted()) are never settled")
    }

    private mutating func step(_ word: UInt8, _ rest: [UInt8]) throws {
        let number = Int(text(rest.prefix(6))) ?? 1
        switch word {
        case UInt8(ascii: "o"): try take(conversation.open(at: now))
        case UInt8(ascii: "c"):
            try take(conversation.closed(reason: "the connection broke", at: now))
            try promise(open.isEmpty, "the tickets \(open.sorted()) outlive the connection")
        case UInt8(ascii: "u"): isTrusted.toggle()
        case UInt8(ascii: "t"): elapsed += .seconds(min(max(number, 0), 100_000))
        case UInt8(ascii: "s"):
            tickets += 1
            open.insert(tickets)
            try take(conversation.submit(item(number, nil, nil), ticket: tickets, at: now))
        case UInt8(ascii: "w"): try wake()
        case UInt8(ascii: "p"): try take(conversation.receive(framed(rest), at: now))
        case UInt8(ascii: "P"):
            let bytes = framed(rest)
            try take(conversation.receive(Array(bytes.prefix(bytes.count / 2)), at: now))
            try take(conversation.receive(Array(bytes.dropFirst(bytes.count / 2)), at: now))
        case UInt8(ascii: "l"): try take(conversation.receive(rest + [0x0A], at: now))
        case UInt8(ascii: "f"):
            guard let asked = look else { return }
            let items = (0..<min(max(number, 0), 5)).map { item($0, asked.kind, asked.scope) }
            try take(
                conversation.found(
                    items, for: asked, isLast: rest.last != UInt8(ascii: "+"), at: now))
        default: break
        }
    }

    /// The deadline comes, and with it whatever makes that deadline go away.
    private mutating func wake() throws {
        guard let deadline = conversation.deadline else { return }
        elapsed = max(elapsed, deadline)
        for _ in 0..<50 {
            try take(conversation.wake(at: now))
            guard let next = conversation.deadline, next <= elapsed else { return }
        }
        throw Broken(description: "the deadline does not go away when it has come")
    }

    private mutating func take(_ steps: [ConversationStep]) throws {
        for step in steps {
            switch step {
            case .send(let bytes): try checkSent(bytes)
            case .settle(let ticket, _):
                try promise(open.remove(ticket) != nil, "the ticket \(ticket) is settled twice")
            case .look(let request):
                try promise(request.from <= request.through, "it looks backwards: \(request)")
                look = request
            case .set(let setting): settings.append(setting)
            case .note(let note):
                try promise(
                    !note.text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\t" },
                    "control characters in a note: \(note.text.debugDescription)")
            case .close: break
            }
        }
    }
}
