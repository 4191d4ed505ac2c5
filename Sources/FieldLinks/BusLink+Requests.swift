import CModbus
import Frames
import Telemetry

/// What is asked over the link.
extension BusLink {
    /// Reads `count` registers, at most 125, from `address`, which counts from 0.
    ///
    /// - Parameter timeout: nil takes the link's.
    package func readRegisters(
        unit: UInt8, function: RegisterFunction, address: Int, count: Int,
        timeout: Duration? = nil
    ) throws(BusError) -> [UInt16] {
        let question = Question(unit: unit, function: function.code, address: address, count: count)
        let wire = try ready(question, limit: 125, timeout)
        var values = [UInt16](repeating: 0, count: count)
        switch wire {
        case .library(let context):
            try ask(question, timeout, context) { context in
                function == .holding
                    ? modbus_read_registers(context, Int32(address), Int32(count), &values)
                    : modbus_read_input_registers(context, Int32(address), Int32(count), &values)
            }
        case .stream(let stream, let framing):
            let data = try ask(question.pdu, question, 2 * count, timeout, stream, framing)
            for index in values.indices {
                values[index] = UInt16(data[2 * index]) << 8 | UInt16(data[2 * index + 1])
            }
        }
        return values
    }

    /// Reads `count` bits, at most 2,000, from `address`, which counts from 0.
    ///
    /// - Parameter timeout: nil takes the link's.
    package func readBits(
        unit: UInt8, function: BitFunction, address: Int, count: Int, timeout: Duration? = nil
    ) throws(BusError) -> [Bool] {
        let question = Question(unit: unit, function: function.code, address: address, count: count)
        switch try ready(question, limit: 2000, timeout) {
        case .library(let context):
            var values = [UInt8](repeating: 0, count: count)
            try ask(question, timeout, context) { context in
                function == .coil
                    ? modbus_read_bits(context, Int32(address), Int32(count), &values)
                    : modbus_read_input_bits(context, Int32(address), Int32(count), &values)
            }
            return values.map { $0 != 0 }
        case .stream(let stream, let framing):
            let data = try ask(question.pdu, question, (count + 7) / 8, timeout, stream, framing)
            return (0..<count).map { data[$0 / 8] >> UInt8($0 % 8) & 1 == 1 }
        }
    }

    /// Writes what was granted.
    ///
    /// - Throws: `notGranted` before a byte has left, else as a read.
    package func write(_ request: WriteRequest, timeout: Duration? = nil) throws(BusError) {
        let question = Question(
            unit: request.unit, function: request.function.rawValue, address: request.address,
            count: request.values.count)
        guard request.isGranted(by: grants) else {
            throw error(.notGranted, question, "the configuration grants no such write")
        }
        switch try ready(question, limit: request.function.isBits ? 1968 : 123, timeout) {
        case .library(let context):
            try ask(question, timeout, context) { request.send(through: $0) }
        case .stream(let stream, let framing):
            _ = try ask(request.pdu, question, nil, timeout, stream, framing)
        }
    }

    /// Sends a frame of another protocol and returns what `search` finds in the answer.
    ///
    /// - Parameters:
    ///   - request: the frame; its protocol allows reads alone.
    ///   - name: what is asked, for messages.
    /// - Throws: `invalidRequest` where the line speaks Modbus alone.
    package func exchange<Answer>(
        _ request: [UInt8], name: String, timeout: Duration? = nil,
        _ search: ([UInt8]) -> FrameSearch<Answer>
    ) throws(BusError) -> Answer {
        guard case .stream(let stream, .line) = wire else {
            throw BusError(
                code: wire == nil ? .disconnected : .invalidRequest, request: "\(name) at \(place)",
                cause: wire == nil ? "not connected" : "the line speaks Modbus alone")
        }
        do throws(ByteStream.Failure) {
            stream.drain()
            return try stream.exchange(request, timeout: timeout ?? responseTimeout, search)
        } catch {
            throw failure(error, "\(name) at \(place)", timeout)
        }
    }

    private func error(_ code: BusError.Code, _ question: Question, _ cause: String) -> BusError {
        BusError(code: code, request: "\(question) at \(place)", cause: cause)
    }

    /// The wire, once no late answer can be taken for the one to `question`.
    private func ready(
        _ question: Question, limit: Int, _ timeout: Duration?
    ) throws(BusError) -> Wire {
        guard (1...limit).contains(question.count), question.address >= 0,
            question.address <= 65_536 - question.count
        else {
            throw error(.invalidRequest, question, "a request is for 1 to \(limit) of 65,536")
        }
        guard let wire else { throw error(.disconnected, question, "not connected") }
        // Modbus TCP numbers its requests; on a line only time tells.
        if case .stream(_, .packets) = wire { return wire }
        if let pause = unanswered.pause(before: question, now: monotonicNanoseconds()) {
            let end = monotonicNanoseconds() + pause.limit.nanoseconds
            for _ in 0..<pause.answers {
                let left = end - monotonicNanoseconds()
                if left <= 0 { break }
                switch wire {
                case .library(let context): context.discard(for: .nanoseconds(left))
                case .stream(let stream, _): stream.discard(for: .nanoseconds(left))
                }
            }
            unanswered.forget(question)
        }
        unanswered.sent(question, now: monotonicNanoseconds(), timeout: timeout ?? responseTimeout)
        return wire
    }

    /// Asks through libmodbus, and remembers what was answered.
    private func ask(
        _ question: Question, _ timeout: Duration?, _ context: ModbusContext,
        _ call: (OpaquePointer) -> Int32
    ) throws(BusError) {
        let limit = timeout ?? responseTimeout
        switch context.ask(
            unit: question.unit, count: Int32(question.count), timeout: limit, call)
        {
        case nil: unanswered.answered(question)
        case .timeout: throw error(.timeout, question, "no complete answer in \(limit)")
        case .exception(let number):
            unanswered.answered(question)
            throw error(.exception(number), question, ModbusContext.text(exception: number))
        case .foreign(let text): throw error(.foreignAnswer, question, text)
        case .lost(let text):
            close()
            throw error(.disconnected, question, text)
        }
    }

    /// Asks without libmodbus; the bytes that were asked for.
    private func ask(
        _ pdu: [UInt8], _ question: Question, _ bytes: Int?, _ timeout: Duration?,
        _ stream: ByteStream, _ framing: Framing
    ) throws(BusError) -> [UInt8] {
        let answer: ModbusAnswer
        do throws(ByteStream.Failure) {
            let limit = timeout ?? responseTimeout
            switch framing {
            case .line: answer = try line(pdu, question, bytes, limit, stream)
            case .packets: answer = try packet(pdu, question, bytes, limit, stream)
            }
        } catch {
            throw failure(error, "\(question) at \(place)", timeout)
        }
        switch answer {
        case .data(let data): return data
        case .exception(let number):
            throw error(.exception(number), question, ModbusContext.text(exception: number))
        }
    }

    private func line(
        _ pdu: [UInt8], _ question: Question, _ bytes: Int?, _ limit: Duration,
        _ stream: ByteStream
    ) throws(ByteStream.Failure) -> ModbusAnswer {
        stream.drain()
        let answer = try stream.exchange(
            ModbusRTUFrame.frame(unit: question.unit, pdu: pdu), timeout: limit
        ) {
            ModbusRTUFrame.search($0, unit: question.unit, pdu: pdu, count: bytes)
        }
        unanswered.answered(question)
        return answer
    }

    private func packet(
        _ pdu: [UInt8], _ question: Question, _ bytes: Int?, _ limit: Duration,
        _ stream: ByteStream
    ) throws(ByteStream.Failure) -> ModbusAnswer {
        let (number, unit) = (transaction &+ 1, question.unit)
        let expected = believesAnyUnit ? nil : unit
        transaction = number
        do throws(ByteStream.Failure) {
            let reply = try stream.exchange(
                ModbusTCPFrame.frame(transaction: number, unit: unit, pdu: pdu), timeout: limit
            ) {
                ModbusTCPFrame.search(
                    $0, transaction: number, unit: expected, pdu: pdu, count: bytes)
            }
            switch reply {
            case .answer(let answer): return answer
            case .other(let text): throw .foreign(text, [])
            }
        } catch {
            guard case .foreign(_, let received) = error else { throw error }
            stream.drain()
            throw ModbusTCPFrame.hasBegun(received, transaction: number) ? .timeout : error
        }
    }

    private func failure(
        _ failure: ByteStream.Failure, _ request: String, _ timeout: Duration?
    ) -> BusError {
        switch failure {
        case .timeout:
            return BusError(
                code: .timeout, request: request,
                cause: "no complete answer in \(timeout ?? responseTimeout)")
        case .foreign(let text, _):
            return BusError(code: .foreignAnswer, request: request, cause: text)
        case .lost(let text):
            close()
            return BusError(code: .disconnected, request: request, cause: text)
        }
    }
}
