import CModbus
import DeviceProfiles
import Glibc
import OwnThread
import Telemetry

/// A Modbus TCP server in front of one simulated bus, on a thread of its own.
///
/// Each request to a unit is answered from registers made at that moment. A unit that is not on
/// the bus does not answer, and while a late unit is waited for, the others wait too: like a
/// serial bus behind a converter. The server reads; a function that writes is refused.
actor ModbusServer {
    /// One unit on the bus.
    struct Unit: Sendable {
        var device: DeviceID
        /// Everything that may be asked for, so that a register without a value reads zero.
        var readable: [RegisterRequest]
        /// The registers at this moment.
        var image: @Sendable () -> RegisterImage
    }

    /// More connections than this are closed at once.
    static let clientLimit = 16
    /// libmodbus waits with `select()`, which knows no descriptor from here on.
    private static let descriptorLimit: Int32 = 1024

    nonisolated let port: Int
    private let thread: OwnThread
    private let bell: Doorbell
    private let listener: Listener
    private let units: [Int: Unit]
    private let faults: FaultBoard
    private var mappings: [Int: RegisterMemory] = [:]
    private var clients: [Int32] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Begins to listen on 127.0.0.1; connections wait until `serve` runs.
    ///
    /// - Parameter port: 0 takes a free one.
    init(
        name: String, port: Int, units: [Int: Unit], faults: FaultBoard
    ) throws(SimulationError) {
        self.units = units
        self.faults = faults
        bell = try Doorbell()
        listener = try Listener(port: port)
        self.port = listener.port
        thread = OwnThread(name: "sim \(name)")
    }

    /// Ends `serve` at once, also before it has begun.
    nonisolated func stop() { bell.ring() }

    /// Answers until `stop`, then closes every socket.
    ///
    /// The loop holds the server's thread; nothing else of this actor runs meanwhile.
    func serve() {
        while !bell.hasRung {
            var entries = ([bell.descriptor, listener.descriptor] + clients).map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            guard poll(&entries, nfds_t(entries.count), -1) > 0 else { continue }
            if entries[0].revents != 0 { break }
            for entry in entries.dropFirst(2) where entry.revents != 0 {
                if !answer(entry.fd) { hangUp(entry.fd) }
            }
            if entries[1].revents != 0 { admit() }
        }
        for client in clients { close(client) }
        clients = []
        listener.close()
    }

    private func admit() {
        let client = accept(listener.descriptor, nil, nil)
        if client < 0 {
            // Out of descriptors the connection stays pending, so do not ask again at once.
            if errno == EMFILE || errno == ENFILE { bell.wait(.milliseconds(100)) }
            return
        }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        guard clients.count < Self.clientLimit, client < Self.descriptorLimit else {
            close(client)
            return
        }
        var yes: Int32 = 1
        setsockopt(
            client, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        // A peer that never reads must not hold the bus.
        var limit = timeval(tv_sec: 0, tv_usec: 200_000)
        setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        clients.append(client)
    }

    private func hangUp(_ client: Int32) {
        close(client)
        clients.removeAll { $0 == client }
    }

    /// Reads one request and answers it; false when the connection is of no more use.
    private func answer(_ client: Int32) -> Bool {
        var query = [UInt8](repeating: 0, count: Int(MODBUS_TCP_MAX_ADU_LENGTH))
        modbus_set_socket(listener.context, client)
        let length = modbus_receive(listener.context, &query)
        guard length >= 0 else { return false }
        guard length >= 8, let unit = units[Int(query[6])] else { return true }
        switch faults[unit.device] {
        case .silent: return true
        case .exception(let code):
            return modbus_reply_exception(listener.context, query, UInt32(code)) >= 0
        case .late(let delay): bell.wait(delay)
        case .garbage: return sendGarbage(client, like: query)
        case .foreign:
            query[0] ^= 0x55
            query[1] ^= 0xAA
        case .babbling: return babble(client, like: query)
        case .frozen, .byteByByte, .wrongUnit, .short, .swapped, nil: break
        }
        guard (1...4).contains(query[7]) else {
            let code = UInt32(MODBUS_EXCEPTION_ILLEGAL_FUNCTION)
            return modbus_reply_exception(listener.context, query, code) >= 0
        }
        guard !bell.hasRung, let memory = memory(of: Int(query[6]), unit) else { return false }
        memory.fill(unit.image())
        switch faults[unit.device] {
        case .byteByByte, .wrongUnit, .short, .swapped:
            return distort(client, query, length, memory, faults[unit.device])
        default: return modbus_reply(listener.context, query, length, memory.mapping) >= 0
        }
    }

    /// Answers with a frame that is made here, because the library makes none that is wrong.
    private func distort(
        _ client: Int32, _ query: [UInt8], _ length: Int32, _ memory: RegisterMemory,
        _ fault: SimulationFault?
    ) -> Bool {
        guard let frame = memory.answer(to: query) else {
            // What the map does not hold is refused as ever.
            return modbus_reply(listener.context, query, length, memory.mapping) >= 0
        }
        switch fault {
        case .byteByByte:
            for byte in frame {
                guard send(client, [byte]) else { return false }
                bell.wait(.milliseconds(3))
            }
            return true
        case .wrongUnit:
            var other = frame
            other[6] &+= 1
            return send(client, other)
        case .short:
            var less = query
            let count = Int(query[10]) << 8 | Int(query[11])
            // Of one item nothing is left but the head.
            (less[10], less[11]) = (UInt8(max(0, count - 1) >> 8), UInt8(max(0, count - 1) & 0xFF))
            return send(client, memory.answer(to: less) ?? frame)
        default:
            var before = frame
            before[1] &-= 1
            before[9...].reverse()
            return send(client, before + frame)
        }
    }

    /// A device that cannot stop holds its bus for a second.
    private func babble(_ client: Int32, like query: [UInt8]) -> Bool {
        for _ in 0..<20 where !bell.hasRung {
            guard sendGarbage(client, like: query) else { return false }
            bell.wait(.milliseconds(50))
        }
        return true
    }

    private func send(_ client: Int32, _ bytes: [UInt8]) -> Bool {
        Glibc.send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// Bytes that look like the end of something else.
    private func sendGarbage(_ client: Int32, like query: [UInt8]) -> Bool {
        let noise = HashNoise(seed: 1, stream: "garbage")
        let index = Int64(query[0]) << 8 | Int64(query[1])
        let bytes = (0..<16).map { UInt8(truncatingIfNeeded: noise.bits(index &* 16 &+ $0)) }
        return send(client, bytes)
    }

    private func memory(of number: Int, _ unit: Unit) -> RegisterMemory? {
        if let memory = mappings[number] { return memory }
        let memory = RegisterMemory(readable: unit.readable)
        mappings[number] = memory
        return memory
    }
}

/// A libmodbus context that listens, and its socket.
private final class Listener {
    let context: OpaquePointer
    let port: Int
    private(set) var descriptor: Int32

    init(port: Int) throws(SimulationError) {
        guard let context = modbus_new_tcp("127.0.0.1", Int32(port)) else {
            throw .system(doing: "making a Modbus server", number: errno)
        }
        let descriptor = modbus_tcp_listen(context, 8)
        guard descriptor >= 0 else {
            let number = errno
            modbus_free(context)
            throw .system(doing: "listening on 127.0.0.1:\(port)", number: number)
        }
        // A client that stops in the middle of a request holds the others for this long at most.
        modbus_set_byte_timeout(context, 0, 200_000)
        modbus_set_indication_timeout(context, 0, 200_000)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        self.context = context
        self.descriptor = descriptor
        self.port = Int(UInt16(bigEndian: address.sin_port))
    }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    deinit {
        close()
        // The context's own socket is a client's, which the server has closed.
        modbus_set_socket(context, -1)
        modbus_free(context)
    }
}
