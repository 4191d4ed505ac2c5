/// A question to a CJ/T 188 meter. Nothing that changes a meter can be said with it.
package struct CJT188Request: Hashable, Sendable {
    /// What is asked.
    package enum Question: Hashable, Sendable {
        /// Control code 01: the item, for example 0x901F for the metering data.
        case read(UInt16)
        /// Control code 03: the meter's own address.
        case readAddress
    }

    /// Which byte of an item comes first.
    package enum ItemOrder: Hashable, Sendable, CaseIterable {
        /// `1F 90`
        case lowFirst
        /// `90 1F`
        case highFirst
    }

    package var question: Question
    package var type: UInt8
    package var address: CJT188Address
    package var order: ItemOrder
    /// Counts requests; meters do not all repeat it, so it is not compared.
    package var serial: UInt8

    package init(
        _ question: Question, type: UInt8, of address: CJT188Address,
        order: ItemOrder = .lowFirst, serial: UInt8 = 0
    ) {
        self.question = question
        self.type = type
        self.address = address
        self.order = order
        self.serial = serial
    }

    private var control: UInt8 {
        switch question {
        case .read: 0x01
        case .readAddress: 0x03
        }
    }

    private var item: [UInt8] {
        let item: UInt16 =
            switch question {
            case .read(let item): item
            case .readAddress: 0x810A
            }
        let bytes = [UInt8(item & 0xFF), UInt8(item >> 8)]
        return order == .lowFirst ? bytes : bytes.reversed()
    }

    /// The frame, with `preamble` bytes FE that wake the meter's receiver.
    package func bytes(preamble: Int = 4) -> [UInt8] {
        Array(repeating: 0xFE, count: max(0, min(preamble, 8)))
            + CJT188Frame(
                type: type, address: address, control: control, data: item + [serial]
            ).encoded
    }

    /// What a meter says to a request.
    package enum Answer: Hashable, Sendable {
        /// The data behind item and serial number.
        case data([UInt8])
        case address(CJT188Address)
        /// The two bytes of status, as far as they were sent.
        case refused(status: [UInt8])
    }

    /// Looks for the answer in all that has come since the request left.
    ///
    /// The echo of the request, preambles, noise and the answers of other meters or to other items
    /// are passed over; nothing is believed without its checksum.
    package static func search(
        _ received: [UInt8], for request: CJT188Request
    ) -> FrameSearch<Answer> {
        for frame in CJT188Frame.frames(in: received) {
            if let answer = request.answer(in: frame) { return .found(answer) }
        }
        return .incomplete
    }

    private func answer(in frame: CJT188Frame) -> Answer? {
        guard frame.isFromMeter, frame.control & 0x3F == control, frame.type == type,
            address == .wildcard || frame.address == address
        else { return nil }
        if frame.isError {
            return .refused(status: Array(frame.data.dropFirst()))
        }
        guard frame.data.count >= 3, frame.data.starts(with: item) else { return nil }
        switch question {
        case .readAddress: return .address(frame.address)
        case .read: return .data(Array(frame.data.dropFirst(3)))
        }
    }
}

/// The other side, for a simulated meter.
extension CJT188Request {
    /// The first question in `received`, and to whom; `order` as the meter has it.
    package static func question(
        in received: [UInt8], order: ItemOrder
    ) -> CJT188Request? {
        for frame in CJT188Frame.frames(in: received)
        where !frame.isFromMeter && frame.data.count == 3 {
            let (a, b) = (UInt16(frame.data[0]), UInt16(frame.data[1]))
            let item = order == .lowFirst ? b << 8 | a : a << 8 | b
            let question: Question
            switch frame.control {
            case 0x01: question = .read(item)
            case 0x03: question = .readAddress
            default: continue
            }
            return CJT188Request(
                question, type: frame.type, of: frame.address, order: order,
                serial: frame.data[2])
        }
        return nil
    }

    /// The frame with which the meter at `meter` gives `answer`.
    package func reply(_ answer: Answer, from meter: CJT188Address) -> [UInt8] {
        let head = item + [serial]
        let (code, data): (UInt8, [UInt8]) =
            switch answer {
            case .refused(let status): (control | 0xC0, [serial] + status)
            case .address: (control | 0x80, head)
            case .data(let data):
                (control | 0x80, head + data.prefix(CJT188Frame.longestData - head.count))
            }
        return CJT188Frame(type: type, address: meter, control: code, data: data).encoded
    }
}
