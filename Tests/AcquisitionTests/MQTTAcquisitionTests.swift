import Acquisition
import DeviceProfiles
import FieldLinks
import Synchronization
import Telemetry
import TestPeers
import Testing

@Suite("Receiving from a real broker", .serialized)
struct MQTTAcquisitionTests {
    private struct Full: Error {}

    private let log = EventLog()
    private let status = AcquisitionStatus()
    private let device = DeviceID("t1")

    private func acquisition(
        _ port: Int, _ sink: RecordingSink, recent: [DeliveryMark] = [],
        _ change: (inout MQTTLink.Options) -> Void = { _ in }
    ) throws -> MQTTAcquisition {
        let binding = try TestSite.thermometer("t1", key: "K1")
        var options = MQTTLink.Options()
        options.reconnect = .init(first: .milliseconds(20), ceiling: .milliseconds(100))
        options.maximumPayload = 4096
        change(&options)
        return try MQTTAcquisition(
            name: "broker",
            endpoint: MQTTEndpoint(host: "127.0.0.1", port: port, clientID: "gateway"),
            devices: [.init(binding: binding, group: TestSite.numbered(binding.group, 5))],
            options: options, sink: sink, clock: LinkClock(ContinuousClock()),
            wallClock: SystemClock(), status: status, recentDeliveries: recent,
            onEvent: log.note)
    }

    private func whileRunning(
        _ acquisition: MQTTAcquisition, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await acquisition.run() }
            defer { acquisition.stop() }
            try await body()
        }
    }

    /// The subscription stands once a message that is published again and again arrives.
    private func awaitSubscription(_ broker: Broker) async throws {
        try await eventually("the subscription") {
            try await broker.publish("site/K1/data", "not json")
            return (status.links["broker"]?.requests ?? 0) > 0
        }
    }

    @Test("a message becomes a scan with its mark; a malformed one is evidence; others are counted")
    func routes() async throws {
        let sink = RecordingSink()
        try await withBroker { broker in
            try await whileRunning(try acquisition(broker.port, sink)) {
                try await awaitSubscription(broker)
                try await broker.publish("site/K1/data", #"{"t": 21.5}"#)
                try await broker.publish("site/K1/data", String(repeating: " ", count: 5000))
                try await broker.publish("site/K1/data", #"{"t": 22.5}"#)
                try await eventually("the last") {
                    sink.scans.last?.readings == [.number(22.5)]
                }
            }
        }
        let scans = sink.scans
        #expect(scans.suffix(2).map(\.readings) == [[.number(21.5)], [.number(22.5)]])
        #expect(scans.dropLast(2).allSatisfy { $0.readings == [.bad(.malformed)] })
        #expect(scans.allSatisfy { $0.group.number == 5 && $0.time.milliseconds % 100 == 0 })
        let marks = sink.admissions.flatMap(\.deliveries)
        #expect(marks.count == scans.count)
        #expect(
            marks.last?.digest
                == FNV1a.digest(topic: "site/K1/data", payload: Array(#"{"t": 22.5}"#.utf8)))
        let refused = status.links["broker"]?.refused
        #expect(refused?[.oversized] == 1)
        // Of what is not read one a second is kept as evidence; all are counted.
        #expect((refused?[.malformed] ?? 0) >= UInt64(scans.count - 2))
        // Reported once, however many there were.
        let reports = log.events.count {
            if case .messageRefused(_, _, _, .malformed, _) = $0 { true } else { false }
        }
        #expect(reports == 1)
        #expect(status.devices[device]?.lastScan == scans.last?.time)
    }

    @Test("a retained message without a time of its own is never a reading")
    func retained() async throws {
        let sink = RecordingSink()
        try await withBroker { broker in
            try await broker.publish("site/K1/data", #"{"t": 1}"#, retain: true)
            try await whileRunning(try acquisition(broker.port, sink)) {
                try await eventually("the refusal") {
                    status.links["broker"]?.refused[.retained] == 1
                }
            }
        }
        #expect(sink.scans.isEmpty)
    }

    @Test("a failed commit loses nothing and doubles nothing")
    func failedCommit() async throws {
        let sink = RecordingSink { number, promise in
            if number % 3 == 1 { promise.fail(Full()) } else { promise.succeed(sequence: 1) }
        }
        try await withBroker { broker in
            try await whileRunning(try acquisition(broker.port, sink) { $0.window = 5 }) {
                try await awaitSubscription(broker)
                try await broker.publish(
                    "site/K1/data", lines: (0..<40).map { #"{"t": \#($0)}"# })
                try await eventually("all") { committed(sink).count >= 40 }
            }
        }
        // Not in order: what was admitted behind the commit that failed may be stored before the
        // broker sends the messages of that one again.
        #expect(committed(sink).sorted() == (0..<40).map(Double.init))
    }

    @Test("a window that fills little by little is committed at once, and nobody waits longer")
    func slowWindow() async throws {
        // Commits only what somebody is in a hurry for, and what was admitted before that.
        let waiting = Mutex<[CommitPromise]>([])
        let sink = RecordingSink { _, promise in waiting.withLock { $0.append(promise) } }
        try await withBroker { broker in
            try await whileRunning(try acquisition(broker.port, sink) { $0.window = 3 }) {
                let numbers = Mutex(0)
                try await eventually("four windows") {
                    let number = numbers.withLock { number in
                        number += 1
                        return number
                    }
                    // Nothing can be read of every third one; it counts for the window all the same.
                    try await broker.publish(
                        "site/K1/data", number % 3 == 0 ? "not json" : #"{"t": \#(number)}"#)
                    if sink.admissions.last?.holdsWindow == true {
                        let ready = waiting.withLock { waiting in
                            defer { waiting = [] }
                            return waiting
                        }
                        for promise in ready { promise.succeed(sequence: 1) }
                    }
                    return sink.admissions.count { $0.holdsWindow } >= 4
                }
            }
        }
        #expect(!sink.admissions.contains { $0.holdsWindow && $0.deliveries.count == 3 })
    }

    @Test("what was sent with QoS 0 is admitted apart, and fills no window")
    func unawaited() async throws {
        let sink = RecordingSink()
        try await withBroker { broker in
            try await whileRunning(try acquisition(broker.port, sink) { $0.window = 5 }) {
                try await awaitSubscription(broker)
                try await broker.publish(
                    "site/K1/data", lines: (0..<40).map { #"{"t": \#($0)}"# }, qos: 0)
                try await eventually("the last") {
                    sink.admissions.contains {
                        $0.deliveries.isEmpty && $0.scans.last?.readings == [.number(39)]
                    }
                }
            }
        }
        let unawaited = sink.admissions.filter(\.deliveries.isEmpty)
        #expect(
            unawaited.flatMap(\.scans).compactMap(\.readings.first?.number)
                == (0..<40).map(Double.init))
        #expect(unawaited.allSatisfy { !$0.holdsWindow })
    }

    /// The temperatures of the admissions that the sink above has committed.
    private func committed(_ sink: RecordingSink) -> [Double] {
        sink.admissions.enumerated().filter { $0.offset % 3 != 1 }
            .flatMap { $0.element.scans.compactMap(\.readings.first?.number) }
    }

    @Test("what was committed after the link gave up on it is refused when it comes again")
    func lateCommit() async throws {
        let late = CommitPromiseBox()
        let sink = RecordingSink { number, promise in
            // Whatever is admitted first with a number in it waits for the test.
            if late.keep(promise) { return }
            promise.succeed(sequence: Int64(number))
        }
        try await withBroker { broker in
            let acquisition = try acquisition(broker.port, sink) {
                $0.commitTimeout = .milliseconds(300)
            }
            try await whileRunning(acquisition) {
                try await eventually("the link") { status.links["broker"]?.isConnected == true }
                try await eventually("the first message") {
                    try await broker.publish("site/K1/data", #"{"t": 1}"#)
                    return !sink.admissions.isEmpty
                }
                try await eventually("the link giving up") {
                    log.events.contains {
                        if case .linkDown = $0 { true } else { false }
                    }
                }
                late.promise?.succeed(sequence: 1)
                try await eventually("the duplicate") {
                    (status.links["broker"]?.refused[.duplicate] ?? 0) > 0
                }
                try await broker.publish("site/K1/data", #"{"t": 2}"#)
                try await eventually("the next") {
                    sink.scans.contains { $0.readings == [.number(2)] }
                }
            }
        }
        let first = try #require(sink.admissions.first?.deliveries)
        #expect(sink.admissions.flatMap(\.deliveries).count { first.contains($0) } == first.count)
    }

    @Test("marks given at the start refuse what a former process had committed")
    func marksFromTheStore() async throws {
        try await withBroker { broker in
            // The first process commits, but its acknowledgement never leaves: it reads, and ends
            // with the commit still failing for the link.
            let first = RecordingSink { _, promise in promise.fail(Full()) }
            try await whileRunning(try acquisition(broker.port, first)) {
                try await eventually("the first message") {
                    try await broker.publish("site/K1/data", #"{"t": 1}"#)
                    return !first.admissions.isEmpty
                }
            }
            let marks = try #require(first.admissions.first?.deliveries)
            let second = RecordingSink()
            let before = status.links["broker"]?.refused[.duplicate] ?? 0
            try await whileRunning(try acquisition(broker.port, second, recent: marks)) {
                try await eventually("the duplicate") {
                    (status.links["broker"]?.refused[.duplicate] ?? 0) > before
                }
            }
            #expect(!second.admissions.flatMap(\.deliveries).contains { marks.contains($0) })
        }
    }
}

/// Holds the first promise it is shown.
private final class CommitPromiseBox: Sendable {
    private let state = Mutex<CommitPromise?>(nil)
    var promise: CommitPromise? { state.withLock { $0 } }

    func keep(_ promise: CommitPromise) -> Bool {
        state.withLock { kept in
            if kept != nil { return false }
            kept = promise
            return true
        }
    }
}
