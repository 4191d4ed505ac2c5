import DeviceProfiles
import FieldLinks
import SparkplugWire
import Synchronization
import Telemetry
import Testing

@testable import Acquisition

@Suite("From messages to admissions")
struct MessageRouterTests {
    private static let start: UInt64 = 1_795_219_500_000
    private let now = ClockReading(
        bootID: "b", monotonic: 0, wall: Timestamp(milliseconds: Int64(start)), isTrusted: true)

    private func router(
        _ bindings: [MQTTBinding], recent: [DeliveryMark] = [],
        mostReadings: Int = Admission.mostReadings
    ) -> MessageRouter {
        MessageRouter(
            link: "l",
            targets: bindings.enumerated().map {
                .init(
                    binding: $0.element,
                    group: TestSite.numbered($0.element.group, $0.offset + 1))
            }, memory: 10, recent: recent, mostReadings: mostReadings)
    }

    private func message(
        _ text: String, id: UInt16 = 0, topic: String = "site/K/data", isAgain: Bool = false
    ) -> MQTTMessage {
        MQTTMessage(
            topic: topic, payload: Array(text.utf8), qos: id > 0 ? 1 : 0, messageID: id,
            mayBeRedelivery: isAgain)
    }

    private func samples() throws -> MQTTBinding {
        try TestSite.mqtt(
            "a", key: "K",
            """
            protocol: mqtt
            subscribe: "site/{device}/data"
            payload: json
            samples: $
            device_key: "{device}"
            time: {at: "@.ts", format: epoch-ms}
            points: {air_temperature: {at: "@.t", unit: Cel}}
            tests: [{name: one, given: {topic: site/K/data, payload: [{ts: 1000, t: 2}]}, expect: {air_temperature: 2}}]
            """)
    }

    private func list(_ count: Int) -> String {
        "[" + (0..<count).map { #"{"ts":\#(1000 * ($0 + 1)),"t":1}"# }.joined(separator: ",") + "]"
    }

    private func sparkplug(_ device: String) throws -> MQTTBinding {
        try TestSite.mqtt(
            device.lowercased(), key: "G/N/\(device)",
            """
            protocol: mqtt
            payload: sparkplug-b
            points: {air_temperature: {at: metric/T, unit: Cel}, voltage.l1: {at: metric/U, unit: V}}
            tests: [{name: one, given: {topic: spBv1.0/G/DDATA/N/D, payload: "1801"}, expect: {air_temperature: null}}]
            """)
    }

    private func sparkplug(
        _ kind: String, _ sequence: UInt64, _ metrics: [(String, Double, UInt64)]
    ) -> MQTTMessage {
        let payload = SparkplugPayload(
            timestamp: Self.start,
            metrics: metrics.map { name, value, time in
                .init(
                    name: name, timestamp: Self.start + time, datatype: 10, value: .double(value))
            }, sequence: sequence)
        return MQTTMessage(topic: "spBv1.0/G/\(kind)", payload: payload.bytes, qos: 0)
    }

    @Test("a birth of several instants empties the row once: what it said first is kept")
    func birthOfTwoInstants() throws {
        var router = router([try sparkplug("D")])
        let outcome = router.route(
            [
                sparkplug("NBIRTH/N", 0, []),
                sparkplug("DBIRTH/N/D", 1, [("T", 20, 0), ("U", 230, 1000)]),
                sparkplug("DDATA/N/D", 2, [("U", 231, 2000)]),
                // Born again without U.
                sparkplug("DBIRTH/N/D", 3, [("T", 21, 3000)]),
            ], now: now)
        #expect(
            outcome.scans.map(\.readings) == [
                [.number(20), .bad(.absent)], [.number(20), .number(230)],
                [.number(20), .number(231)], [.number(21), .bad(.absent)],
            ])
    }

    @Test("a death, a gap and a kept message are no sign of life")
    func signsOfLife() throws {
        var router = router([try sparkplug("D"), try sparkplug("E"), try samples()])
        let births = router.route(
            [
                sparkplug("NBIRTH/N", 0, []), sparkplug("DBIRTH/N/D", 1, [("T", 20, 0)]),
                sparkplug("DBIRTH/N/E", 2, [("T", 20, 0)]),
            ], now: now)
        #expect(births.heard == [0, 1])
        let gap = router.route([sparkplug("DDATA/N/D", 9, [("T", 21, 1000)])], now: now)
        #expect(gap.scans.count == 3 && gap.heard == [0])
        let death = router.route([sparkplug("NDEATH/N", 0, [])], now: now)
        #expect(death.scans.count == 1 && death.heard == [])
        var kept = message(list(1))
        kept.isRetained = true
        let retained = router.route([kept], now: now)
        #expect(retained.scans.count == 1 && retained.heard == [])
        #expect(router.route([message(list(1))], now: now).heard == [2])
    }

    @Test(
        "admissions are split between messages; a message above the bound is refused, once and all")
    func large() throws {
        var router = router([try samples()], mostReadings: 100)
        let outcome = router.route(
            [
                message(list(60), id: 1), message(list(40), id: 2), message(list(1), id: 3),
                message(list(101), id: 4), message(list(100), id: 5), message(list(70)),
                message(list(70)),
            ], now: now)
        #expect(outcome.awaited.map(\.readings) == [100, 1, 100])
        #expect(
            outcome.awaited.map { $0.admission.deliveries.map(\.messageID) } == [[1, 2], [3], [5]])
        #expect(outcome.awaited.allSatisfy { $0.devices.count == $0.admission.scans.count })
        #expect(outcome.unawaited.map(\.readings) == [70, 70])
        #expect(outcome.unawaited.allSatisfy { $0.admission.deliveries.isEmpty })
        #expect(outcome.refused.map(\.reason) == [.oversized])
        #expect(outcome.refused.first?.detail == "101 readings, at most 100")
    }

    @Test("redeliveries end at the first message that is none, and with the session")
    func redeliveries() throws {
        let constant = #"{"t": 21.5}"#
        func again(_ ids: [UInt16]) -> [MQTTMessage] {
            ids.map { message(constant, id: $0, isAgain: true) }
        }
        var router = router([try TestSite.thermometer("t", key: "K")])
        func taken(_ messages: [MQTTMessage]) -> [UInt16] {
            router.route(messages, now: now).awaited.flatMap(\.admission.deliveries)
                .map(\.messageID)
        }
        let marks = router.route((1...8).map { message(constant, id: $0) }, now: now)
            .awaited.flatMap(\.admission.deliveries)
        router.remember(marks)
        router.begin(.connection)
        // 7 and 8 were not acknowledged; then the broker counts anew. What cannot be read in between
        // brings evidence only, and says nothing of what follows.
        let garbage = message("garbage", id: 3, isAgain: true)
        #expect(taken(again([7]) + [garbage] + again([8, 9, 1, 2])) == [3, 9, 1, 2])
        router.begin(.connection)
        #expect(taken(again([5])) == [])
        router.begin(.session)
        #expect(taken(again([6])) == [6])
        router.begin(.connection)
        #expect(taken(again([7])) == [7], "marks of an ended session mean nothing")
    }

    @Test("a message that was not committed is new when it comes again, and ends no redelivery")
    func failedBefore() throws {
        var router = router([try TestSite.thermometer("t", key: "K")])
        func message(_ id: UInt16, isAgain: Bool = false) -> MQTTMessage {
            self.message(#"{"t": \#(id)}"#, id: id, isAgain: isAgain)
        }
        let marks = router.route([message(1), message(2)], now: now)
            .awaited.flatMap(\.admission.deliveries)
        // The commit of the first failed, that of the second succeeded: neither was acknowledged.
        router.expectAgain(Array(marks.prefix(1)))
        router.remember(Array(marks.suffix(1)))
        router.begin(.connection)
        let outcome = router.route((1...3).map { message($0, isAgain: true) }, now: now)
        #expect(outcome.awaited.flatMap(\.admission.deliveries).map(\.messageID) == [1, 3])
        #expect(outcome.refused.map(\.reason) == [.duplicate])
    }

    @Test("marks are remembered as long as the memory says, around the ring")
    func marks() throws {
        let marks = (0..<25).map { DeliveryMark(link: "l", messageID: $0, digest: 0) }
        var router = router([try TestSite.thermometer("t", key: "K")], recent: marks)
        let payload = #"{"t": 1}"#
        let digest = message(payload).digest
        router.remember(
            (0..<13).map { DeliveryMark(link: "l", messageID: $0, digest: digest) })
        let outcome = router.route(
            (0..<13).reversed().map { message(payload, id: $0, isAgain: true) }, now: now)
        #expect(outcome.refused.count == 10)
        #expect(outcome.awaited.flatMap(\.admission.deliveries).map(\.messageID) == [2, 1])
    }

    @Test("messages with QoS 0 are handed on apart, so that no failed commit takes them along")
    func unawaited() throws {
        var router = router([try TestSite.thermometer("t", key: "K")])
        let outcome = router.route(
            [message(#"{"t": 1}"#), message(#"{"t": 2}"#, id: 7), message(#"{"t": 3}"#)], now: now)
        #expect(
            outcome.unawaited.flatMap(\.admission.scans).map(\.readings)
                == [[.number(1)], [.number(3)]])
        #expect(
            outcome.awaited.flatMap(\.admission.scans).map(\.readings) == [[.number(2)]])
        #expect(outcome.awaited.flatMap(\.admission.deliveries).map(\.messageID) == [7])
    }
}
