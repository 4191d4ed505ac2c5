import DeviceProfiles
import SparkplugWire
import Telemetry

/// Registers of any device, and the look at it that comes before its numbers are believed.
///
///     first byte   which profile   then for each request: '!' refused, '.' silent, 'b' bits,
///                  else the words
enum RegisterCase {
    private static let bindings: [ModbusBinding] = Shipped.sure {
        try Shipped.interfaces(.modbus).map {
            try ModbusBinding(
                profile: $0.profile, interface: $0.interface, device: DeviceID("d"))
        }
    }

    @Sendable static func run(_ bytes: [UInt8]) throws {
        var input = FuzzBytes(bytes)
        var binding = input.choice(bindings)
        var preparation = DevicePreparation(binding)
        var asked = 0
        while let request = preparation.next {
            asked += 1
            try promise(asked < 2000, "the preparation does not end")
            // Behind the end only refusals follow, and those must lead to an outcome.
            preparation.take(input.isEmpty ? .bad(.exception) : answer(to: request, &input))
        }
        if case .ready(let prepared)? = preparation.outcome { binding = prepared }
        for group in binding.groups.indices {
            let requests = binding.requests(group: group)
            for request in requests {
                try promise(
                    request.address >= 0 && request.count > 0
                        && request.address + request.count <= 65_536,
                    "registers that do not exist are asked for: \(request)")
            }
            let answers = requests.map { answer(to: $0, &input) }
            let row = binding.decode(group: group, answers: answers)
            try promiseReadings(row, count: binding.groups[group].series.count)
        }
    }

    private static func answer(
        to request: RegisterRequest, _ input: inout FuzzBytes
    ) -> RegisterAnswer {
        switch input.byte() {
        case UInt8(ascii: "!"): .bad(.exception)
        case UInt8(ascii: "."): .bad(.timeout)
        case UInt8(ascii: "b"): .bits((0..<request.count).map { _ in input.byte() & 1 == 1 })
        default:
            request.area.isBits
                ? .bits((0..<request.count).map { _ in input.byte() & 1 == 1 })
                : .registers((0..<request.count).map { _ in input.word() })
        }
    }
}

/// One MQTT message, read by the profile that the first byte names.
enum MQTTPayloadCase {
    private static let tests = """
        tests: [{name: one, given: {topic: a/K, payload: "1"}, expect: {}}]
        """
    private static let made = [
        """
        subscribe: "a/{device}"
        payload: json
        device_key: "{device}"
        time: {at: "$.t[1]", format: epoch-ms}
        maps: {b: {"0": normal, "1": alarm}}
        points:
          pm10: {at: "$.items[?@.id==2].list[?@.n=='a'].value", unit: ug/m3}
          alarm_wind: {at: "$['w']", type: bits, bits: [30, 30], values: b}
          device_status: {at: $.s, bits: [3, 52], values: {"0": ok}}
        """,
        """
        subscribe: "a/{device}"
        payload: kv
        device_key: "{device}"
        time: {format: arrival}
        points:
          air_temperature: {at: key/temp, unit: Cel}
          device_status: {at: key/st, values: {"ok": ok, "1": fault}}
        """,
        """
        subscribe: "a/{device}"
        payload: csv
        device_key: "{device}"
        time: {format: arrival}
        points:
          air_temperature: {at: column/0, unit: Cel}
          device_status: {at: column/2, values: {"ok": ok, "1": fault}}
        """,
        """
        subscribe: "a/{device}"
        payload: text
        device_key: "{device}"
        time: {format: arrival}
        points: {air_temperature: {at: payload, unit: Cel}}
        """,
        """
        subscribe: "a/+"
        payload: json
        each: $.devices
        samples: "@.samples"
        device_key: "{name}"
        time: {at: "@.t", format: epoch-s}
        points: {air_temperature: {at: "@.c", unit: Cel}}
        """,
    ]

    private static let bindings: [MQTTBinding] = Shipped.sure {
        try Shipped.interfaces(.mqtt).map { try bound($0.profile, $0.interface) }
            + made.map { try bound(Shipped.profile("\($0)\n\(tests)"), "it") }
    }

    private static func bound(_ profile: DeviceProfile, _ name: String) throws -> MQTTBinding {
        guard case .mqtt(let interface)? = profile.interfaces[name] else {
            throw Broken(description: "not an MQTT interface")
        }
        let key = interface.format == .sparkplug ? "G/N/D" : "TC0001"
        return try MQTTBinding(
            profile: profile, interface: name, device: DeviceID("d"), key: key)
    }

    @Sendable static func run(_ bytes: [UInt8]) throws {
        var input = FuzzBytes(bytes)
        let binding = input.choice(bindings)
        let payload = input.remainder()
        _ = binding.matches(topic: text(payload))
        let decoded = [
            binding.decode(topic: binding.topic(), payload: payload, arrival: morning)
        ]
        var all = decoded
        if case .records(let records) = binding.open(payload) {
            try promise(records.count <= payload.count, "more records than bytes")
            all += records.prefix(64).map {
                binding.decode($0, payload: payload, arrival: morning, isTimeOfDay: false)
            }
        }
        for case .scan(let time, _, let row, _) in all {
            try promiseReadings(row, count: binding.group.series.count)
            // A time of a device has passed the profile's judgement, or is the arrival.
            try promise(
                (-62_135_596_800_000...253_402_300_799_999).contains(time.milliseconds),
                "a time outside of the years 1 to 9999: \(time.milliseconds)")
        }
    }
}

/// Sparkplug messages of a node and its devices.
///
///     each message   kind (0–5), device if bit 3 | length | payload
enum SparkplugCase {
    private static let kinds = ["NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"]

    @Sendable static func run(_ bytes: [UInt8]) throws {
        var input = FuzzBytes(bytes)
        var session = SparkplugSession()
        while !input.isEmpty {
            let kind = input.choice(kinds)
            let device = kind.hasPrefix("D") ? "/D" : ""
            let payload = input.bytes(Int(input.byte()))
            try checkPayload(payload)
            for effect in session.take(
                topic: "spBv1.0/G/\(kind)/N\(device)", payload: payload)
            {
                guard case .metrics(_, _, let moments) = effect else { continue }
                try promise(
                    moments.allSatisfy { $0.metrics.allSatisfy { $0.name != nil } },
                    "a metric without a name")
                let times = moments.map { $0.time?.milliseconds ?? 0 }
                try promise(times == times.sorted(), "the moments are not in order")
            }
        }
        try checkPayload(bytes)
    }

    private static func checkPayload(_ bytes: [UInt8]) throws {
        guard let payload = try? SparkplugPayload(bytes) else { return }
        let again = payload.bytes
        try promise(
            (try? SparkplugPayload(again))?.bytes == again, "written again it reads otherwise")
        try promise(
            (try? SparkplugPayload(again))?.metrics.count == payload.metrics.count,
            "metrics are lost when it is written again")
    }
}
