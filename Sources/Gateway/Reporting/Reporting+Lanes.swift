import FieldLinks
import Store
import Telemetry

extension Reporting {
    /// A message before it is put together.
    struct Packet: Sendable {
        var items: [OwedItem]
        var lane: String
        var pack: Consignment.Packing
    }

    /// What came of some messages.
    struct Sent: Sendable {
        var settlements: [Settlement] = []
        /// How many were sent.
        var messages = 0
        /// What the store reported when the next one should have been put together.
        var failure: (any Error)?

        mutating func add(_ other: Sent) {
            settlements += other.settlements
            messages += other.messages
            failure = failure ?? other.failure
        }
    }

    /// Where so few lanes are under way, the way of a message is used to put the next one together.
    private static let lanesThatLookAhead = 3

    /// Sends the messages of each lane in their order, several lanes at once.
    ///
    /// Behind an item that must be tried again the others of its lane stay owed: a platform sees
    /// the past of each in order, or not yet. So does what was not begun in time.
    func send(_ packets: [Packet]) async -> Sent {
        let elapsed = LinkClock(clock).elapsed
        let limit = policy.longestRound
        var lanes = Self.lanes(packets)[...]
        let looksAhead = lanes.count <= Self.lanesThatLookAhead
        return await withTaskGroup(of: Sent.self) { group in
            func begin() {
                guard let lane = lanes.popFirst() else { return }
                group.addTask {
                    await Self.send(lane, looksAhead: looksAhead) { elapsed() < limit }
                }
            }
            for _ in 0..<policy.inFlight { begin() }
            var sent = Sent()
            for await part in group {
                sent.add(part)
                if elapsed() < limit { begin() }
            }
            return sent
        }
    }

    /// Sends the messages of one lane until one of them has to be tried again.
    private static func send(
        _ lane: [Packet], looksAhead: Bool, whileTrue mayBegin: @Sendable () -> Bool
    ) async -> Sent {
        var sent = Sent()
        var packed: Result<Consignment.Sending, any Error>?
        for (index, packet) in lane.enumerated() where sent.messages == 0 || mayBegin() {
            let present = if let packed { packed } else { await pack(packet) }
            let next = looksAhead && index + 1 < lane.count ? lane[index + 1] : nil
            async let ahead = pack(next)
            switch present {
            case .failure(let error):
                sent.failure = error
                return sent
            case .success(let send):
                let part = zip(packet.items, await send()).map(Settlement.init)
                sent.settlements += part
                if !part.allSatisfy(\.isExpired) { sent.messages += 1 }
                if part.contains(where: \.isRetry) { return sent }
            }
            packed = await ahead
        }
        return sent
    }

    private static func pack(
        _ packet: Packet
    ) async -> Result<Consignment.Sending, any Error> {
        do { return .success(try await packet.pack()) } catch { return .failure(error) }
    }

    private static func pack(
        _ packet: Packet?
    ) async -> Result<Consignment.Sending, any Error>? {
        guard let packet else { return nil }
        return await pack(packet) as Result<Consignment.Sending, any Error>
    }

    /// The messages by lane; the lane whose first message comes first is the first.
    private static func lanes(_ packets: [Packet]) -> [[Packet]] {
        var (lanes, places) = ([[Packet]](), [String: Int]())
        for packet in packets {
            if let place = places[packet.lane] {
                lanes[place].append(packet)
            } else {
                places[packet.lane] = lanes.count
                lanes.append([packet])
            }
        }
        return lanes
    }
}

extension Settlement {
    fileprivate var isRetry: Bool {
        if case .retry = outcome { true } else { false }
    }
}
