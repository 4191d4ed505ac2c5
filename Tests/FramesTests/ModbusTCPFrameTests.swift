import Testing

@testable import Frames

@Suite("Modbus TCP frames")
struct ModbusTCPFrameTests {
    /// The example of the application protocol, 6.3: registers 107 to 109, answered 555, 0, 100.
    private let pdu: [UInt8] = [0x03, 0x00, 0x6B, 0x00, 0x03]
    private let answer: [UInt8] = [
        0x15, 0x01, 0x00, 0x00, 0x00, 0x09, 0x11, 0x03, 0x06, 0x02, 0x2B, 0x00, 0x00, 0x00, 0x64,
    ]
    private let data: [UInt8] = [0x02, 0x2B, 0x00, 0x00, 0x00, 0x64]

    private func search(_ bytes: [UInt8]) -> ModbusAnswer? {
        switch ModbusTCPFrame.search(
            bytes, transaction: 0x1501, unit: 0x11, pdu: pdu, count: 6)
        {
        case .found(.answer(let answer)): answer
        case .found(.other), .incomplete: nil
        }
    }

    @Test("a request bears transaction, protocol 0, the length from the unit on, and the unit")
    func request() {
        #expect(
            ModbusTCPFrame.frame(transaction: 0x1501, unit: 0x11, pdu: pdu)
                == [0x15, 0x01, 0, 0, 0, 6, 0x11, 3, 0, 0x6B, 0, 3])
    }

    @Test("an answer is found once it is whole, wherever it stands")
    func found() {
        for length in answer.indices { #expect(search(Array(answer[..<length])) == nil) }
        #expect(search(answer) == .data(data))
        var late = answer
        late[1] = 0
        late[9] = 0xEE
        #expect(search(late) == nil)
        #expect(search(late + [0x00, 0x15] + answer + late) == .data(data))
    }

    @Test("one wrong byte anywhere in head or count, and the answer is nobody's")
    func strict() {
        for place in 0...8 {
            for change in 1...255 as ClosedRange<UInt8> {
                var bytes = answer
                bytes[place] ^= change
                #expect(search(bytes) == nil, "byte \(place) is \(bytes[place])")
            }
        }
    }

    @Test("an exception counts with the length of the protocol, and with one byte too many")
    func exceptions() {
        let exception: [UInt8] = [0x15, 0x01, 0, 0, 0, 3, 0x11, 0x83, 2]
        #expect(search(exception) == .exception(2))
        #expect(search(exception.dropLast()) == nil)
        var odd = exception
        odd[5] = 4
        #expect(search(odd) == .exception(2))
        odd[5] = 5
        #expect(search(odd) == nil)
        odd[5] = 3
        odd[7] = 0x84
        #expect(search(odd) == nil)
    }

    @Test("the answer to a write repeats what was written")
    func writes() {
        let pdu: [UInt8] = [0x05, 0x00, 0x02, 0xFF, 0x00]
        let echo = ModbusTCPFrame.frame(transaction: 9, unit: 1, pdu: pdu)
        func search(_ bytes: [UInt8]) -> FrameSearch<ModbusTCPFrame.Reply> {
            ModbusTCPFrame.search(bytes, transaction: 9, unit: 1, pdu: pdu, count: nil)
        }
        guard case .found(.answer(.data(let data))) = search(echo) else {
            Issue.record("the echo was not found")
            return
        }
        #expect(data == [0x00, 0x02, 0xFF, 0x00])
        var other = echo
        other[10] = 0
        if case .found(.answer) = search(other) {
            Issue.record("another value passed for the echo")
        }
    }

    @Test("a whole frame under the request's number that answers something else is told at once")
    func objections() {
        func objection(_ bytes: [UInt8]) -> String? {
            let found = ModbusTCPFrame.search(
                bytes, transaction: 0x1501, unit: 0x11, pdu: pdu, count: 6)
            if case .found(.other(let text)) = found { return text }
            return nil
        }
        var other = answer
        other[6] = 0x12
        #expect(objection(other)?.hasPrefix("unit 18 answered instead of unit 17") == true)
        #expect(objection(other.dropLast()) == nil)
        var short = Array(answer.dropLast(2))
        (short[5], short[8]) = (7, 4)
        #expect(objection(short)?.contains("another function or length") == true)
        #expect(objection(Array("hello, world".utf8)) == nil)
    }

    @Test("the beginning of an answer is told from noise")
    func begun() {
        #expect(ModbusTCPFrame.hasBegun(answer.dropLast(), transaction: 0x1501))
        #expect(!ModbusTCPFrame.hasBegun(answer, transaction: 0x1502))
        #expect(!ModbusTCPFrame.hasBegun(Array("hello, world".utf8), transaction: 0x1501))
    }
}
