import Telemetry

/// One Modbus request as far as its answer can be told from others.
struct Question: Hashable, CustomStringConvertible {
    var unit: UInt8
    var function: UInt8
    var address: Int
    var count: Int

    /// `unit 1 holding 100+20`; only built for messages.
    var description: String {
        let table =
            switch function {
            case 1: "coil"
            case 2: "discrete"
            case 3: "holding"
            case 4: "input"
            case 5, 15: "write coil"
            default: "write holding"
            }
        return "unit \(unit) \(table) \(address)+\(count)"
    }

    /// Function and data of a read; checked to lie in the address space before.
    var pdu: [UInt8] {
        let (place, items) = (
            UInt16(truncatingIfNeeded: address), UInt16(truncatingIfNeeded: count)
        )
        return [
            function, UInt8(place >> 8), UInt8(place & 0xFF), UInt8(items >> 8),
            UInt8(items & 0xFF),
        ]
    }

    /// Whether an answer to `other` would pass for one to this. Answers do not say their address.
    func looksLike(_ other: Question) -> Bool {
        unit == other.unit && function == other.function && count == other.count
            && address != other.address
    }
}

/// Requests on a line whose answers may still come.
///
/// A frame on a line bears no number. The late answer to one block, taken for the answer to another
/// of the same size, is a wrong value that looks right: swapped sensors, a counter that jumps by
/// megawatt-hours. So before such a request the late answers get the time to arrive and be thrown
/// away. Requests that cannot be confused wait for nothing.
///
///     ask A ── time-out ── ask A again ◀─ the first answer ── ask B ◀─ the second one: not B's
///
/// So every request counts that was sent, and an answer is one to the oldest of its kind.
struct UnansweredRequests {
    /// What to wait for before a request.
    struct Pause: Equatable {
        /// So many answers may still come,
        var answers: Int
        /// and none after this time.
        var limit: Duration
    }

    private var open: [(question: Question, until: Int64)] = []

    /// Answers that are later than this many time-outs do not come any more.
    private static let horizon = 3

    /// Takes note of a request that is sent.
    mutating func sent(_ question: Question, now: Int64, timeout: Duration) {
        open.removeAll { $0.until <= now }
        open.append((question, now + timeout.nanoseconds * Int64(Self.horizon)))
    }

    /// Takes note of an answer that passed for one to `question`.
    mutating func answered(_ question: Question) {
        if let oldest = open.firstIndex(where: { $0.question == question }) {
            open.remove(at: oldest)
        }
    }

    /// How long to listen before asking `question`; nil when nothing can be confused with it.
    mutating func pause(before question: Question, now: Int64) -> Pause? {
        open.removeAll { $0.until <= now }
        let others = open.filter { question.looksLike($0.question) }
        return others.map(\.until).max().map {
            Pause(answers: others.count, limit: .nanoseconds($0 - now))
        }
    }

    /// What looked like `question` has had its time.
    mutating func forget(_ question: Question) {
        open.removeAll { question.looksLike($0.question) }
    }
}
