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
/// megawatt-hours. So before such a request the late answer gets the time to arrive and be thrown
/// away. Requests that cannot be confused wait for nothing.
struct UnansweredRequests {
    private var open: [(question: Question, until: Int64)] = []

    /// Answers that are later than this many time-outs do not come any more.
    private static let horizon = 3

    mutating func add(_ question: Question, now: Int64, timeout: Duration) {
        open.removeAll { $0.question == question || $0.until <= now }
        open.append((question, now + timeout.nanoseconds * Int64(Self.horizon - 1)))
    }

    /// How long to listen before asking `question`; nil when nothing can be confused with it.
    mutating func pause(before question: Question, now: Int64) -> Duration? {
        open.removeAll { $0.until <= now }
        let until = open.filter { question.looksLike($0.question) }.map(\.until).max()
        return until.map { .nanoseconds($0 - now) }
    }

    /// What looked like `question` has had its time.
    mutating func forget(_ question: Question) {
        open.removeAll { question.looksLike($0.question) }
    }
}
