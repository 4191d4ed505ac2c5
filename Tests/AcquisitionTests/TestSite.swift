import Acquisition
import DeviceProfiles
import Foundation
import Synchronization
import Telemetry

/// Two small profiles, parsed by the real parser.
enum TestSite {
    private static let vocabulary = """
        format: device-vocabulary/1
        units:
          V: {ucum: V, dim: voltage, factor: 1}
          h: {ucum: h, dim: duration, factor: 1}
          Cel: {ucum: Cel, dim: temperature, factor: 1}
        facets:
          phase: [l1, l2, l3]
          channel: [ch1, ch2]
        quantities:
          run_time: {kind: counter, dim: duration, facets: [], zh: 运行时间}
          switch: {kind: state, facets: [channel], states: ["off", "on"], zh: 开关}
          voltage: {kind: gauge, dim: voltage, facets: [phase], zh: 电压}
          air_temperature: {kind: gauge, dim: temperature, facets: [], zh: 气温}
        """

    private static func profile(_ id: String, _ interfaces: String) throws -> DeviceProfile {
        let text = """
            format: device-profile/1
            device:
              id: \(id)
              vendor: {en: Test, zh: 测试}
              models: [test]
              kind: meter.electric
              title: {en: Test, zh: 测试}
            provenance:
              status: unverified
              checked: "2026-11-21"
              sources: [{ref: "this test", covers: [addresses]}]
            interfaces:

            """
        let library = try ProfileLibrary(
            vocabularyText: vocabulary, profiles: [("\(id).yaml", text + interfaces)])
        guard let profile = library[id] else { throw CocoaError(.fileReadCorruptFile) }
        return profile
    }

    /// Three registers of one poll class; `addresses` need not touch each other.
    static func meter(
        _ device: String, addresses: [Int], period: String = "1s", timeout: String = "200ms",
        quiet: String = "0ms", identify: String = "between: [0, 65535]", isCounter: Bool = false
    ) throws -> ModbusBinding {
        var text = """
              tcp:
                protocol: modbus
                unit: 1
                word_order: high_first
                byte_order: high_first
                limits: {max_registers: 40, response_timeout: \(timeout), quiet_time: \(quiet), join_gaps: 8}
                identify: [{at: holding/\(addresses[0]), type: uint16, \(identify)}]
                polls: {fast: \(period)}
                defaults: {type: uint16, poll: fast}
                points:

            """
        for (index, address) in addresses.enumerated() {
            text +=
                isCounter
                ? "      run_time: {at: holding/\(address), unit: h, counter: {modulus: null, resets: never}}\n"
                : "      voltage.l\(index + 1): {at: holding/\(address), unit: V}\n"
        }
        text += """
                tests:
                  - name: one
                    given: {holding/\(addresses[0]): "0001"}
                    expect: {\(isCounter ? "run_time" : "voltage.l1"): 1}

            """
        return try ModbusBinding(
            profile: try profile("test/meter", text), interface: "tcp",
            device: DeviceID(device))
    }

    /// A relay of one channel that may be switched and is to be off.
    static func relay(
        _ device: String, coil: Int, _ revertAfter: String, _ period: String,
        minInterval: String? = nil
    ) throws -> ModbusBinding {
        let text = """
              tcp:
                protocol: modbus
                unit: 1
                word_order: high_first
                byte_order: high_first
                limits: {max_registers: 8, response_timeout: 200ms, quiet_time: 0ms, max_bits: 8}
                identify: [{at: holding/0, type: uint16, between: [0, 65535]}]
                polls: {fast: \(period)}
                defaults: {type: uint16, poll: fast}
                maps: {onoff: {"0": "off", "1": "on"}}
                points:
                  switch.ch1: {at: coil/\(coil), values: onoff}
                commands:
                  switch.ch1:
                    at: coil/\(coil)
                    function: 5
                    values: {"on": 0xFF00, "off": 0x0000}
                    confirm: switch.ch1
                    safe: "off"
                    revert_after: \(revertAfter)\(minInterval.map { "\n        min_interval: \($0)" } ?? "")
                tests:
                  - name: one
                    given: {coil/\(coil): "1"}
                    expect: {switch.ch1: "on"}

            """
        return try ModbusBinding(
            profile: try profile("test/relay", text), interface: "tcp", device: DeviceID(device))
    }

    /// A thermometer that publishes `{"t": 21.5}` on `site/<key>/data`, without a time.
    static func thermometer(_ device: String, key: String) throws -> MQTTBinding {
        let text = """
              mqtt:
                protocol: mqtt
                subscribe: "site/{device}/data"
                qos: 1
                payload: json
                device_key: "{device}"
                time: {format: arrival}
                every: 10s
                silent_after: 60s
                points:
                  air_temperature: {at: $.t, unit: Cel}
                tests:
                  - name: warm
                    given: {topic: site/k/data, payload: {t: 21.5}}
                    expect: {air_temperature: 21.5}

            """
        return try MQTTBinding(
            profile: try profile("test/thermometer", text), interface: "mqtt",
            device: DeviceID(device), key: key)
    }

    /// An MQTT interface, given as YAML without indentation, bound to a device.
    static func mqtt(
        _ device: String, key: String, _ interface: String
    ) throws -> MQTTBinding {
        let lines = interface.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        return try MQTTBinding(
            profile: try profile("test/other", "  it:\n\(lines)\n"), interface: "it",
            device: DeviceID(device), key: key)
    }

    /// The group with a number, as the registry would give it.
    static func numbered(_ group: ScanGroup, _ number: Int) -> ScanGroup {
        var group = group
        group.id = ScanGroup.ID(number)
        return group
    }
}

/// The machine's clocks.
struct SystemClock: WallClock {
    func read() -> ClockReading {
        ClockReading(
            bootID: "test", monotonic: milliseconds(CLOCK_MONOTONIC),
            wall: Timestamp(milliseconds: milliseconds(CLOCK_REALTIME)), isTrusted: true)
    }

    private func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// Takes admissions down and commits them as the test says.
final class RecordingSink: ScanSink {
    private struct State {
        var admissions: [Admission] = []
        var promises: [CommitPromise] = []
    }

    private let state = Mutex(State())
    /// Decides over each admission by its number, from 0.
    private let decide: @Sendable (Int, CommitPromise) -> Void

    init(
        _ decide: @escaping @Sendable (Int, CommitPromise) -> Void = { number, promise in
            promise.succeed(sequence: Int64(number + 1))
        }
    ) {
        self.decide = decide
    }

    var admissions: [Admission] { state.withLock { $0.admissions } }
    var scans: [Scan] { admissions.flatMap(\.scans) }
    func scans(of group: Int) -> [Scan] { scans.filter { $0.group.number == group } }

    func admit(_ admission: sending Admission) async throws -> CommitTicket {
        let promise = CommitPromise()
        let copy = admission
        let number = state.withLock { state in
            state.admissions.append(copy)
            state.promises.append(promise)
            return state.admissions.count - 1
        }
        decide(number, promise)
        return promise.ticket
    }
}

/// The events of an acquisition.
final class EventLog: Sendable {
    private let state = Mutex<[AcquisitionEvent]>([])
    var events: [AcquisitionEvent] { state.withLock { $0 } }
    func note(_ event: AcquisitionEvent) { state.withLock { $0.append(event) } }
}
