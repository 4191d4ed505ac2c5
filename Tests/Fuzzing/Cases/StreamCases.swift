import DeviceProfiles
import Frames
import Telemetry
import UplinkFormats

/// The packets of a dust station, cut anywhere, and their readings.
///
///     first byte   bit 3: the rest is one data segment, to be framed   bits 0–2: pieces follow
///                  bit 6: the rest comes in single bytes
enum HJ212StreamCase {
    private static let binding = Shipped.sure {
        guard let (profile, name) = Shipped.interfaces(.hj212).first else {
            throw Broken(description: "no profile speaks HJ 212")
        }
        return try HJ212Binding(
            profile: profile, interface: name, device: DeviceID("dust"), key: "31010000000001")
    }

    /// A packet with its length and CRC; nil for what four digits cannot say.
    static func framed(_ segment: [UInt8]) -> [UInt8]? {
        guard segment.count <= 9999 else { return nil }
        let crc = String(HJ212Packet.Checksum.hj212(segment[...]), radix: 16, uppercase: true)
        let digits = [("\(segment.count)", 4), (crc, 4)].map { text, width in
            String(repeating: "0", count: width - text.utf8.count) + text
        }
        return Array("##\(digits[0])".utf8) + segment + Array("\(digits[1])\r\n".utf8)
    }

    @Sendable static func run(_ bytes: [UInt8]) throws {
        var input = FuzzBytes(bytes)
        let isFramed = (bytes.first ?? 0) & 8 != 0
        var pieces = input.pieces()
        if isFramed, let last = pieces.popLast(), let packet = framed(last) {
            pieces.append(packet)
        }
        if (bytes.first ?? 0) & 64 != 0 { pieces = pieces.joined().map { [$0] } }
        var rules = HJ212Stream.Rules(checksums: [.hj212, .modbus])
        rules.longestSegment = 1024
        var stream = HJ212Stream(rules)
        var total = 0
        var events = 0
        for piece in pieces {
            total += piece.count
            for event in stream.append(piece) {
                events += 1
                if case .packet(let received) = event { try check(received) }
            }
            // ##, length, segment, CRC and line end.
            try promise(stream.waiting <= 1024 + 12, "\(stream.waiting) bytes wait")
        }
        _ = stream.end()
        try promise(stream.skipped <= total, "more was skipped than came")
        try promise(events <= 2 * total, "\(events) events of \(total) bytes")
    }

    private static func check(_ received: HJ212Stream.Received) throws {
        let packet = received.packet
        try promise(
            HJ212Packet.parse(segment: received.segment[...]) == packet,
            "another packet than its segment")
        let layout = HJ212Packet.Layout(longestSegment: 9999, longestArea: 9999)
        if let again = packet.segment(layout) {
            try promise(
                HJ212Packet.parse(segment: again[...]) == packet,
                "written again it reads otherwise: \(text(again))")
        }
        _ = packet.acknowledgement(cn: "9014").encoded()
        for arrival in [morning, morning - .seconds(86_400 * 365)] {
            if case .scan(_, _, let row, _) = binding.decode(
                packet, arrival: arrival, isClockProven: true)
            {
                try promiseReadings(row, count: binding.group.series.count)
            }
        }
    }
}

/// The frames of the building energy upload, cut anywhere.
///
///     first byte   bit 3: the rest is one body, to be framed   bits 0–2: pieces follow
enum EnergyStreamCase {
    @Sendable static func run(_ bytes: [UInt8]) throws {
        var input = FuzzBytes(bytes)
        let head = bytes.first ?? 0
        let marks: EnergyFrame.Marks = head & 0x40 != 0 ? .reversed : .guideline
        var pieces = input.pieces()
        if head & 8 != 0, let last = pieces.popLast() {
            pieces.append(EnergyFrame(body: last).bytes(marks))
        }
        let longest = 512
        var stream = EnergyStream(marks, longest: longest)
        for piece in pieces {
            for case .frame(let frame) in stream.append(piece) {
                var second = EnergyStream(marks, longest: longest)
                try promise(
                    second.append(frame.bytes(marks)) == [.frame(frame)],
                    "written again it reads otherwise")
            }
            try promise(stream.waiting <= longest + 14, "\(stream.waiting) bytes wait")
            if stream.isLost { try promise(stream.waiting == 0, "a lost stream keeps bytes") }
        }
        _ = stream.end()
    }
}

/// Frames of DL/T 645 and CJ/T 188, as answers to a profile's requests.
///
///     first byte   which meter   then: 'f' control data (framed here) or the bytes as they came
enum MeterFrameCase {
    private static let bindings: [(MeterBinding, isCJT: Bool)] = Shipped.sure {
        try Shipped.interfaces(.dlt645).map {
            (
                try MeterBinding(
                    profile: $0.profile, interface: $0.interface, device: DeviceID("m"),
                    key: "000000000001"), false
            )
        }
            + Shipped.interfaces(.cjt188).map {
                (
                    try MeterBinding(
                        profile: $0.profile, interface: $0.interface, device: DeviceID("m"),
                        key: "00000000000001"), true
                )
            }
    }

    @Sendable static func run(_ bytes: [UInt8]) throws {
        var input = FuzzBytes(bytes)
        let (binding, isCJT) = input.choice(bindings)
        var received: [UInt8] = []
        let isFramed = input.byte() == UInt8(ascii: "f")
        if isFramed {
            let control = input.byte()
            let data = Array(input.remainder().prefix(200))
            received = isCJT ? cjt(control, data) : dlt(control, data)
        } else {
            received = input.remainder()
        }
        for group in binding.groups.indices {
            var answers: [MeterAnswer] = []
            for request in binding.requests(group: group) {
                if case .found(let answer) = request.search(received) { answers.append(answer) }
                // Data of any length, as if the frame had been right.
                if case .found(.data(let data)) = request.search(request.reply(received)) {
                    answers.append(.data(data))
                }
            }
            let row = binding.decode(group: group, answers: answers)
            try promiseReadings(row, count: binding.groups[group].series.count)
        }
        _ = binding.reply(to: received, [:])
        try checkFrames(received)
    }

    private static func checkFrames(_ received: [UInt8]) throws {
        for frame in DLT645Frame.frames(in: received) {
            try promise(frame.data.count <= 200, "a frame of \(frame.data.count) bytes")
            let again = dlt(frame.control, frame.data, frame.address.bytes)
            try promise(DLT645Frame.frames(in: again) == [frame], "it reads otherwise")
        }
        for frame in CJT188Frame.frames(in: received) {
            let again = cjt(frame.control, frame.data, frame.type, frame.address.bytes)
            try promise(CJT188Frame.frames(in: again) == [frame], "it reads otherwise")
        }
        for order in CJT188Request.ItemOrder.allCases {
            if let asked = CJT188Request.question(in: received, order: order) {
                let found = CJT188Request.search(
                    asked.reply(.data([1, 2]), from: asked.address), for: asked)
                if case .found(.data([1, 2])) = found { continue }
                try promise(asked.question == .readAddress, "the answer to \(asked) is not found")
            }
        }
    }

    private static func closed(_ frame: [UInt8]) -> [UInt8] {
        frame + [frame.reduce(0, &+), 0x16]
    }

    private static func dlt(
        _ control: UInt8, _ data: [UInt8], _ address: [UInt8] = [1, 0, 0, 0, 0, 0]
    ) -> [UInt8] {
        closed(
            [0x68] + address + [0x68, control, UInt8(clamping: data.count)]
                + data.map { $0 &+ 0x33 })
    }

    private static func cjt(
        _ control: UInt8, _ data: [UInt8], _ type: UInt8 = 0x10,
        _ address: [UInt8] = [1, 0, 0, 0, 0, 0, 0]
    ) -> [UInt8] {
        closed([0x68, type] + address + [control, UInt8(clamping: data.count)] + data)
    }
}

/// What comes back for a Modbus request, over TCP and over a serial line.
///
///     first byte   bit 0: TCP, bit 1: a write, bit 2: framed here, bit 3: any unit; then the bytes
enum ModbusFrameCase {
    @Sendable static func run(_ bytes: [UInt8]) throws {
        var input = FuzzBytes(bytes)
        let head = input.byte()
        let count = head & 2 != 0 ? nil : Int(input.byte())
        let unit: UInt8 = 17
        let pdu: [UInt8] =
            count == nil
            ? [6, 0, 1, 0, 3] : [3, 0, 0, 0, UInt8(clamping: (count ?? 0) / 2)]
        let rest = input.remainder()
        if head & 1 != 0 {
            let received =
                head & 4 != 0 ? ModbusTCPFrame.frame(transaction: 7, unit: unit, pdu: rest) : rest
            let found = ModbusTCPFrame.search(
                received, transaction: 7, unit: head & 8 != 0 ? nil : unit, pdu: pdu, count: count)
            if case .found(.answer(let answer)) = found { try check(answer, count) }
            _ = ModbusTCPFrame.hasBegun(received, transaction: 7)
        } else {
            let received =
                head & 4 != 0 ? ModbusRTUFrame.frame(unit: unit, pdu: rest) : rest
            let found = ModbusRTUFrame.search(received, unit: unit, pdu: pdu, count: count)
            if case .found(let answer) = found { try check(answer, count) }
        }
    }

    private static func check(_ answer: ModbusAnswer, _ count: Int?) throws {
        guard case .data(let data) = answer else { return }
        if let count {
            try promise(data.count == count, "\(data.count) bytes for \(count)")
        } else {
            try promise(data == [0, 1, 0, 3], "a write is confirmed with \(data)")
        }
    }
}
