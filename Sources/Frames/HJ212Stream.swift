/// Finds the packets of HJ 212 in the bytes of one connection.
///
///     garbage ##0101QN=…&&1C80␍␊##0087QN=…&&EF41␍␊##00      sticky, half, dirty: any cut is allowed
///             └─ packet ──────┘  └─ packet ─────┘└ waits
///
/// A packet counts when its length, its closing `&&` and its CRC hold; after anything else the search
/// goes on one byte further. CR and LF may be missing, the CRC may be in lower case or without
/// leading zeros. What is kept between two calls is shorter than one longest packet. Nothing is
/// thrown away without a word: a packet that is damaged is refused where it stood, and other bytes
/// that belong to nothing are told before the next packet or at the end.
package struct HJ212Stream: Sendable {
    /// What counts as a packet.
    package struct Rules: Hashable, Sendable {
        package var checksums: Set<HJ212Packet.Checksum>
        /// Bytes of the data segment; vendors exceed the standard's 1024.
        package var longestSegment: Int

        package init(
            checksums: Set<HJ212Packet.Checksum> = [.hj212], longestSegment: Int = 4096
        ) {
            self.checksums = checksums
            self.longestSegment = min(max(longestSegment, 64), 9999)
        }
    }

    /// A packet whose length and CRC hold.
    package struct Received: Hashable, Sendable {
        package var packet: HJ212Packet
        /// The bytes that the CRC covers.
        package var segment: [UInt8]
        package var checksum: HJ212Packet.Checksum
        /// False when the CRC stood there in lower case.
        package var isUpperCase: Bool
    }

    /// Something that began like a packet and is none.
    package struct Refusal: Hashable, Sendable {
        /// What is wrong with it.
        package enum Reason: Hashable, Sendable {
            case checksum, length, oversized, malformed
        }
        package var reason: Reason
        package var detail: String

        package init(reason: Reason, detail: String) {
            self.reason = reason
            self.detail = detail
        }
    }

    /// What has become complete.
    package enum Event: Hashable, Sendable {
        case packet(Received)
        case refused(Refusal)
    }

    private enum Verdict {
        case packet(Received, end: Int)
        case none(Refusal?)
        case incomplete
    }

    private let rules: Rules
    private var buffer: [UInt8] = []
    /// Bytes that belonged to no packet, line ends not counted.
    package private(set) var skipped = 0
    /// Those of them since the last packet, and whether a refusal has told of these.
    private var dirt = (bytes: 0, isTold: false)
    /// Marks that begin no packet, counted from the one that is waited for: hostile bytes that come
    /// one by one must not have their checksums made again with each of them.
    private var hopeless: Set<Int> = []

    package init(_ rules: Rules = Rules()) { self.rules = rules }

    /// Bytes that wait for the rest of a packet.
    package var waiting: Int { buffer.count }

    /// Takes what was read and tells what has become complete, in order.
    package mutating func append(_ bytes: some Sequence<UInt8>) -> [Event] {
        buffer += bytes
        var events: [Event] = []
        var done = 0
        while let start = mark(from: done) {
            skip(done..<start)
            done = start
            switch verdict(start) {
            case .packet(let received, let end):
                if let dirt = self.end() { events.append(dirt) }
                events.append(.packet(received))
                done = end
            case .none(let refusal):
                refuse(refusal, &events)
                skip(start..<(start + 1))
                done = start + 1
            case .incomplete:
                // A damaged head may claim bytes that belong to the packets behind it.
                guard let next = completePacket(after: start) else {
                    buffer.removeFirst(start)
                    return events
                }
                refuseHeads(from: start, to: next, &events)
                skip(start..<next)
                done = next
            }
            hopeless = []
        }
        let keepsMark = buffer.count > done && buffer.last == 0x23
        skip(done..<(buffer.count - (keepsMark ? 1 : 0)))
        buffer = keepsMark ? [0x23] : []
        return events
    }

    /// Tells of bytes that belonged to nothing, when the connection is over.
    ///
    /// - Returns: nil when there were none, or a refusal has told of them.
    package mutating func end() -> Event? {
        let (bytes, isTold) = dirt
        dirt = (0, false)
        guard bytes > 0, !isTold else { return nil }
        return .refused(
            Refusal(reason: .malformed, detail: "\(bytes) bytes belonged to no packet"))
    }

    private mutating func skip(_ range: Range<Int>) {
        for index in range where buffer[index] != 0x0D && buffer[index] != 0x0A {
            skipped = skipped &+ 1
            dirt.bytes = dirt.bytes &+ 1
        }
    }

    private mutating func refuse(_ refusal: Refusal?, _ events: inout [Event]) {
        guard let refusal else { return }
        dirt.isTold = true
        events.append(.refused(refusal))
    }

    /// Refuses what begins like a packet before `next` and would reach into the one that is there.
    private mutating func refuseHeads(
        from start: Int, to next: Int, _ events: inout [Event]
    ) {
        var index: Int? = start
        while let head = index, head < next {
            switch verdict(head) {
            case .none(let refusal): refuse(refusal, &events)
            case .incomplete:
                refuse(
                    refusal(.length, head, "a packet begins before its announced end"), &events)
            case .packet: break
            }
            index = mark(from: head + 1)
        }
    }

    /// Where the next `##` begins.
    private func mark(from start: Int) -> Int? {
        var index = start
        while index + 1 < buffer.count {
            if buffer[index] == 0x23, buffer[index + 1] == 0x23 { return index }
            index += 1
        }
        return nil
    }

    private mutating func completePacket(after start: Int) -> Int? {
        var index = start
        while let next = mark(from: index + 1) {
            index = next
            if hopeless.contains(next - start) { continue }
            switch verdict(next) {
            case .packet: return next
            case .none: hopeless.insert(next - start)
            case .incomplete: break
            }
        }
        return nil
    }

    private func verdict(_ start: Int) -> Verdict {
        var length = 0
        for index in (start + 2)..<(start + 6) {
            guard index < buffer.count else { return .incomplete }
            let digit = buffer[index] &- 0x30
            guard digit < 10 else { return badLength(start) }
            length = length * 10 + Int(digit)
        }
        guard length <= rules.longestSegment else {
            return .none(refusal(.oversized, start, "\(length) bytes are announced"))
        }
        let first = start + 6
        let end = first + length
        guard end <= buffer.count else { return .incomplete }
        guard length >= 7, buffer[end - 1] == 0x26, buffer[end - 2] == 0x26 else {
            return .none(
                refusal(.length, start, "no '&&' stands where \(length) bytes end"))
        }
        return closed(start, first..<end)
    }

    /// Judges a `##` without four digits behind it: a packet, if a data segment begins thereabouts.
    private func badLength(_ start: Int) -> Verdict {
        var index = start + 2
        while index < start + 8 {
            guard index + 2 < buffer.count else { return .incomplete }
            if buffer[index] == 0x23 { break }
            if beginsSegment(index) {
                return .none(
                    Refusal(reason: .length, detail: "the length is not four decimal digits"))
            }
            index += 1
        }
        return .none(nil)
    }

    /// Judges the CRC behind a segment that ends as it should.
    private func closed(_ start: Int, _ range: Range<Int>) -> Verdict {
        var printed: UInt16 = 0
        var index = range.upperBound
        var isUpperCase = true
        while index < range.upperBound + 4 {
            guard index < buffer.count else { return .incomplete }
            let byte = buffer[index]
            guard let digit = Self.hexDigit(byte) else {
                // Some print the CRC without leading zeros; then the line end follows at once.
                if index > range.upperBound, byte == 0x0D || byte == 0x0A { break }
                return .none(refusal(.length, start, "no CRC stands behind '&&'"))
            }
            if byte >= 0x61 { isUpperCase = false }
            printed = printed << 4 | digit
            index += 1
        }
        let segment = buffer[range]
        // In a fixed order, because a set has none.
        for checksum in HJ212Packet.Checksum.allCases
        where rules.checksums.contains(checksum) && checksum(segment) == printed {
            guard let packet = HJ212Packet.parse(segment: segment) else {
                return .none(refusal(.malformed, start, "the data segment cannot be read"))
            }
            if index < buffer.count, buffer[index] == 0x0D { index += 1 }
            if index < buffer.count, buffer[index] == 0x0A { index += 1 }
            return .packet(
                Received(
                    packet: packet, segment: Array(segment), checksum: checksum,
                    isUpperCase: isUpperCase),
                end: index)
        }
        let wanted = HJ212Packet.Checksum.allCases.filter(rules.checksums.contains).map {
            String($0(segment), radix: 16, uppercase: true)
        }
        return .none(
            refusal(
                .checksum, start,
                "the CRC is \(String(printed, radix: 16, uppercase: true)), computed "
                    + wanted.joined(separator: " or ")))
    }

    private static func hexDigit(_ byte: UInt8) -> UInt16? {
        switch byte {
        case 0x30...0x39: UInt16(byte - 0x30)
        case 0x41...0x46: UInt16(byte - 0x37)
        case 0x61...0x66: UInt16(byte - 0x57)
        default: nil
        }
    }

    /// nil for what does not even begin like a data segment: that is garbage, and only counted.
    private func refusal(
        _ reason: Refusal.Reason, _ start: Int, _ detail: String
    ) -> Refusal? {
        beginsSegment(start + 6) ? Refusal(reason: reason, detail: detail) : nil
    }

    private func beginsSegment(_ first: Int) -> Bool {
        first + 3 <= buffer.count && buffer[first + 2] == 0x3D
            && ["QN", "ST", "CN", "MN", "PW"].contains(
                String(decoding: buffer[first..<(first + 2)], as: UTF8.self))
    }
}
