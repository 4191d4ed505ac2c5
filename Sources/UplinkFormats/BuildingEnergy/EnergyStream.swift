/// Finds the frames of the building energy upload in the bytes of one connection.
///
///     garbage 68681616 B4000000 … 55AA55AA 68681616 A400…      any cut is allowed
///             └─ frame ──────────────────┘ └ waits
///
/// A frame counts when its length, its tail and its CRC hold; after anything else the search goes on
/// one byte further. A head that announces more than has come waits, unless a whole frame stands
/// behind it. No more is kept than one longest frame. Nothing is thrown away without a word: what
/// began like a frame is refused where it stood, and other bytes are told before the next frame or
/// at the end. After 64 refusals without a frame between them the stream gives up.
package struct EnergyStream: Sendable {
    /// Something that is no frame.
    package struct Refusal: Hashable, Sendable {
        /// What is wrong with it.
        package enum Reason: String, Hashable, Sendable {
            /// The length is above the limit; nothing was allocated for it.
            case oversized
            /// The length does not even hold the sequence.
            case length
            /// Something else than the tail stands where it should be.
            case tail
            case checksum
            /// A whole frame begins before this one's announced end.
            case unfinished
            /// It begins with the mark that should end it.
            case swapped
            /// It begins with `1F 1F`.
            case formB
            /// Bytes that belong to nothing.
            case garbage
        }
        package var reason: Reason
        package var detail: String

        package init(_ reason: Reason, _ detail: String) {
            self.reason = reason
            self.detail = detail
        }
    }

    /// What has become complete.
    package enum Event: Hashable, Sendable {
        case frame(EnergyFrame)
        case refused(Refusal)
    }

    private enum Verdict {
        case frame(EnergyFrame, end: Int)
        case refused(Refusal)
        case incomplete
    }

    /// Bytes that belonged to no frame since the last one.
    private struct Dirt {
        var count = 0
        /// The first four of them.
        var beginning: [UInt8] = []
        /// Whether a refusal has told of them.
        var isTold = false
    }

    /// What a connection may do wrong before it is given up: hostile bytes must not keep the
    /// gateway busy with checksums.
    private static let patience = 64

    private let marks: EnergyFrame.Marks
    private let longest: Int
    private var buffer: [UInt8] = []
    private var dirt = Dirt()
    private var refusals = 0
    /// Where the search for a tail goes on while a frame is incomplete, and how often it may still
    /// look for a whole frame behind it.
    private var search = (from: 0, left: patience)
    /// Whether so much was refused that nothing more is read.
    package private(set) var isLost = false

    /// - Parameter longest: the largest length field that is believed, in bytes.
    package init(_ marks: EnergyFrame.Marks, longest: Int = 1 << 20) {
        self.marks = marks
        self.longest = min(max(longest, 64), 1 << 24)
    }

    /// Bytes that wait for the rest of a frame.
    package var waiting: Int { buffer.count }

    /// Takes what was read and tells what has become complete, in order.
    package mutating func append(_ bytes: some Sequence<UInt8>) -> [Event] {
        if isLost { return [] }
        buffer += bytes
        var events: [Event] = []
        var done = 0
        while !isLost, let start = find(marks.head, from: done) {
            skip(done..<start, &events)
            done = start
            switch verdict(start) {
            case .frame(let frame, let end):
                if let garbage = self.end() { events.append(garbage) }
                events.append(.frame(frame))
                done = end
                forget()
            case .refused(let refusal):
                refuse(refusal, &events)
                skip(start..<(start + 1), &events)
                done = start + 1
            case .incomplete:
                guard let next = frame(behind: start) else {
                    drop(start)
                    return events
                }
                refuse(Refusal(.unfinished, "another one begins before its end"), &events)
                skip(start..<next, &events)
                done = next
            }
        }
        if isLost {
            buffer = []
            return events
        }
        let kept = beginningOfHead(from: done)
        skip(done..<(buffer.count - kept), &events)
        drop(buffer.count - kept)
        return events
    }

    /// Tells of bytes that belonged to nothing, when the connection is over.
    ///
    /// - Returns: nil when there were none, or a refusal has told of them.
    package mutating func end() -> Event? {
        let over = dirt
        dirt = Dirt()
        guard over.count > 0, !over.isTold else { return nil }
        return .refused(Refusal(.garbage, "\(over.count) bytes belonged to no frame"))
    }

    private mutating func forget() {
        refusals = 0
        search = (0, Self.patience)
    }

    private mutating func drop(_ count: Int) {
        buffer.removeFirst(count)
        search.from = max(0, search.from - count)
    }

    private mutating func refuse(_ refusal: Refusal, _ events: inout [Event]) {
        events.append(.refused(refusal))
        dirt.isTold = true
        refusals += 1
        search = (0, Self.patience)
        if refusals >= Self.patience { isLost = true }
    }

    private mutating func skip(_ range: Range<Int>, _ events: inout [Event]) {
        for index in range where dirt.beginning.count < 4 {
            dirt.beginning.append(buffer[index])
            judgeBeginning(&events)
        }
        dirt.count = dirt.count &+ range.count
    }

    /// Tells what is known of a beginning that is not ours.
    private mutating func judgeBeginning(_ events: inout [Event]) {
        let bytes = dirt.beginning
        if bytes.count == 3, bytes[0] == 0x1F, bytes[1] == 0x1F, (1...8).contains(bytes[2]) {
            refuse(
                Refusal(.formB, "frames that begin with 1F 1F are not verified and not read"),
                &events)
        }
        if bytes == marks.tail, !dirt.isTold {
            refuse(
                Refusal(.swapped, "it begins with the mark that should end it: head and tail?"),
                &events)
        }
    }

    /// How many bytes at the end may be the beginning of a head.
    private func beginningOfHead(from start: Int) -> Int {
        for count in stride(from: min(3, buffer.count - start), to: 0, by: -1)
        where buffer.suffix(count).elementsEqual(marks.head.prefix(count)) {
            return count
        }
        return 0
    }

    private func find(_ mark: [UInt8], from start: Int) -> Int? {
        var index = start
        while index + 4 <= buffer.count {
            if has(mark, at: index) { return index }
            index += 1
        }
        return nil
    }

    private func has(_ mark: [UInt8], at index: Int) -> Bool {
        buffer[index] == mark[0] && buffer[index + 1] == mark[1] && buffer[index + 2] == mark[2]
            && buffer[index + 3] == mark[3]
    }

    /// Where a whole frame begins behind `start`; looked for when another tail has come.
    private mutating func frame(behind start: Int) -> Int? {
        let from = max(start + 8, search.from - 3)
        search.from = buffer.count
        guard search.left > 0, find(marks.tail, from: from) != nil else { return nil }
        search.left -= 1
        var wrong = 0
        var index = start + 1
        while wrong < Self.patience, let next = find(marks.head, from: index) {
            switch verdict(next) {
            case .frame: return next
            case .refused(let refusal): wrong += refusal.reason == .checksum ? 1 : 0
            case .incomplete: break
            }
            index = next + 1
        }
        return nil
    }

    private func verdict(_ start: Int) -> Verdict {
        let first = start + 8
        guard first <= buffer.count else { return .incomplete }
        let length = (0..<4).reduce(0) { $0 | Int(buffer[start + 4 + $1]) << (8 * $1) }
        guard length <= longest else {
            return .refused(Refusal(.oversized, "\(length) bytes are announced"))
        }
        guard length >= 4 else {
            return .refused(Refusal(.length, "\(length) bytes do not hold a sequence"))
        }
        let end = first + length
        guard end + 6 <= buffer.count else { return .incomplete }
        guard has(marks.tail, at: end + 2) else {
            return .refused(Refusal(.tail, "no tail stands where \(length) bytes end"))
        }
        let printed = UInt16(buffer[end]) | UInt16(buffer[end + 1]) << 8
        let computed = EnergyFrame.checksum(buffer[first..<end])
        guard printed == computed else {
            return .refused(
                Refusal(.checksum, "the CRC is \(hex(printed)), computed \(hex(computed))"))
        }
        return .frame(
            EnergyFrame(
                sequence: Array(buffer[first..<(first + 4)]), body: Array(buffer[(first + 4)..<end])
            ), end: end + 6)
    }

    private func hex(_ value: UInt16) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }
}
