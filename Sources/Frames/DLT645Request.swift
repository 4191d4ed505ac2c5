/// A question to a DL/T 645-2007 meter. Nothing that changes a meter can be said with it.
package struct DLT645Request: Hashable, Sendable {
    /// What is asked.
    package enum Question: Hashable, Sendable {
        /// Control code 11: the item, for example 0x00010000 for forward active energy.
        case read(UInt32)
        /// Control code 12: the frame with this number, from 1, of an answer that goes on.
        case readOn(UInt32, sequence: UInt8)
        /// Control code 13: the meter's own address.
        case readAddress
    }

    package var question: Question
    package var address: DLT645Address

    package init(_ question: Question, of address: DLT645Address) {
        self.question = question
        self.address = address
    }

    private var control: UInt8 {
        switch question {
        case .read: 0x11
        case .readOn: 0x12
        case .readAddress: 0x13
        }
    }

    /// The frame, with `preamble` bytes FE that wake the meter's receiver.
    package func bytes(preamble: Int = 4) -> [UInt8] {
        let data: [UInt8] =
            switch question {
            case .read(let item): Self.wire(item)
            case .readOn(let item, let sequence): Self.wire(item) + [sequence]
            case .readAddress: []
            }
        return Array(repeating: 0xFE, count: max(0, min(preamble, 8)))
            + DLT645Frame(address: address, control: control, data: data).encoded
    }

    private static func wire(_ item: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: item >> (8 * $0)) }
    }

    /// What a meter says to a request.
    package enum Answer: Hashable, Sendable {
        /// The data behind the item.
        case data([UInt8], hasMore: Bool)
        case address(DLT645Address)
        /// Bit 0 other, 1 no such data, 2 not authorised, 3 baud rate, 4 to 6 tables.
        case refused(errorWord: UInt8)
    }

    /// Looks for the answer in all that has come since the request left.
    ///
    /// The echo of the request, preambles, noise and the answers of other meters or to other items
    /// are passed over; nothing is believed without its checksum.
    package static func search(
        _ received: [UInt8], for request: DLT645Request
    ) -> FrameSearch<Answer> {
        for frame in DLT645Frame.frames(in: received) {
            if let answer = request.answer(in: frame) { return .found(answer) }
        }
        return .incomplete
    }

    private func answer(in frame: DLT645Frame) -> Answer? {
        guard frame.isFromMeter, frame.function == control,
            address == .wildcard || frame.address == address
        else { return nil }
        if frame.isError {
            return frame.data.count == 1 ? .refused(errorWord: frame.data[0]) : nil
        }
        switch question {
        case .readAddress:
            return DLT645Address(wire: frame.data[...]).map(Answer.address)
        case .read(let item):
            guard frame.data.starts(with: Self.wire(item)) else { return nil }
            return .data(Array(frame.data.dropFirst(4)), hasMore: frame.hasMore)
        case .readOn(let item, let sequence):
            guard frame.data.count >= 5, frame.data.starts(with: Self.wire(item)),
                frame.data.last == sequence
            else { return nil }
            return .data(Array(frame.data.dropFirst(4).dropLast()), hasMore: frame.hasMore)
        }
    }
}

/// The other side, for a simulated meter.
extension DLT645Request {
    /// The first question in `received`, and to whom.
    package static func question(in received: [UInt8]) -> DLT645Request? {
        for frame in DLT645Frame.frames(in: received) where !frame.isFromMeter {
            var item: UInt32 = 0
            for (index, byte) in frame.data.prefix(4).enumerated() {
                item |= UInt32(byte) << UInt32(8 * index)
            }
            switch (frame.control, frame.data.count) {
            case (0x11, 4): return DLT645Request(.read(item), of: frame.address)
            case (0x12, 5):
                return DLT645Request(
                    .readOn(item, sequence: frame.data[4]), of: frame.address)
            case (0x13, 0): return DLT645Request(.readAddress, of: frame.address)
            default: continue
            }
        }
        return nil
    }

    /// The frame with which the meter at `meter` gives `answer`.
    package func reply(_ answer: Answer, from meter: DLT645Address) -> [UInt8] {
        let head: [UInt8] =
            switch question {
            case .read(let item), .readOn(let item, _): Self.wire(item)
            case .readAddress: []
            }
        switch answer {
        case .refused(let word):
            return DLT645Frame(address: meter, control: control | 0xC0, data: [word]).encoded
        case .address(let own):
            return DLT645Frame(address: meter, control: control | 0x80, data: own.bytes).encoded
        case .data(let data, let hasMore):
            var tail: [UInt8] = []
            if case .readOn(_, let sequence) = question { tail = [sequence] }
            let room = DLT645Frame.longestData - head.count - tail.count
            return DLT645Frame(
                address: meter, control: control | (hasMore ? 0xA0 : 0x80),
                data: head + data.prefix(room) + tail
            ).encoded
        }
    }
}
