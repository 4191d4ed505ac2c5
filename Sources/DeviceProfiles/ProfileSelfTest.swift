import LocatedText
import Telemetry

extension DeviceProfile {
    /// Plays the vectors of every interface with the gateway's own decoder.
    ///
    /// - Returns: each failure with its place; empty when all hold.
    package func selfTest() -> [Fault] {
        interfaces.sorted { $0.key < $1.key }.flatMap { name, interface in
            interface.tests.flatMap { play($0, on: name) }
        }
    }

    private func play(_ test: ProfileTest, on name: String) -> [Fault] {
        let device = DeviceID("self-test")
        do {
            switch test.given {
            case .registers(let areas):
                let binding = try ModbusBinding(
                    profile: self, interface: name, parameters: test.parameters, device: device)
                return play(test, RegisterImage(areas), on: binding)
            case .messages(let messages, let device):
                guard let last = messages.last else { return [] }
                let binding = try MQTTBinding(
                    profile: self, interface: name, parameters: test.parameters,
                    device: DeviceID("self-test"),
                    key: device ?? deviceKey(in: last.topic, of: name))
                return play(test, messages, on: binding)
            case .packet(let bytes): return try play(test, packet: bytes, on: name)
            case .meterFrames(let key, let frames):
                let binding = try MeterBinding(
                    profile: self, interface: name, parameters: test.parameters, device: device,
                    key: key)
                return play(test, frames, on: binding)
            }
        } catch {
            return [Fault(test.location, "the vector '\(test.name)' cannot be played: \(error)")]
        }
    }

    private func play(
        _ test: ProfileTest, _ image: RegisterImage, on binding: ModbusBinding
    ) -> [Fault] {
        var readings: [PointKey: Reading] = [:]
        for index in binding.groups.indices {
            let answers = binding.requests(group: index).map(image.answer)
            let row = binding.decode(group: index, answers: answers)
            for (series, reading) in zip(binding.groups[index].series, row) {
                readings[series.id.point] = reading
            }
        }
        var faults = compare(test, readings)
        for expectation in test.expect {
            guard
                let point = binding.interface.points.first(where: { $0.key == expectation.key }),
                point.registerSources.contains(where: { source in
                    source.addresses.contains { image[source.area, $0] == nil }
                })
            else { continue }
            faults.append(
                Fault(
                    expectation.location,
                    "'given' does not hold every register of "
                        + "'\(expectation.key)'", remedy: "give its whole width"))
        }
        return faults
    }

    private func play(
        _ test: ProfileTest, _ messages: [ProfileTest.Message], on binding: MQTTBinding
    ) -> [Fault] {
        // Without an expected time the vector is played as if it arrived when it was made.
        let arrival = test.time ?? Timestamp(milliseconds: 0)
        let decoding: MQTTDecoding
        if binding.interface.format == .sparkplug {
            decoding = binding.decodeSparkplug(messages.map { ($0.topic, $0.payload) }, at: arrival)
        } else if let last = messages.last {
            decoding = binding.decode(topic: last.topic, payload: last.payload, arrival: arrival)
        } else {
            return []
        }
        switch decoding {
        case .refused(let reason, let detail):
            return [
                Fault(
                    test.location,
                    "the vector '\(test.name)' is refused as \(reason.word): \(detail)")
            ]
        case .scan(let time, _, let row, let hasDeviceTime):
            let readings = Dictionary(
                zip(binding.group.series.map(\.id.point), row), uniquingKeysWith: { a, _ in a })
            var faults = compare(test, readings)
            if let expected = test.time, time != expected || !hasDeviceTime {
                faults.append(
                    Fault(
                        test.location,
                        "'\(test.name)': the time is "
                            + (hasDeviceTime ? time.rfc3339() : "the arrival")
                            + ", expected \(expected.rfc3339())"))
            }
            return faults
        }
    }

    /// What stands in the topic where the pattern says `{device}`.
    private func deviceKey(in topic: String, of name: String) -> String {
        guard case .mqtt(let interface) = interfaces[name] else { return "" }
        if interface.format == .sparkplug {
            return SparkplugMessage(topic: topic)?.address.key ?? ""
        }
        let pattern = interface.topicPattern.split(
            separator: "/", omittingEmptySubsequences: false)
        let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
        guard let index = pattern.firstIndex(of: "{device}"), index < levels.count else {
            return ""
        }
        return String(levels[index])
    }

    func compare(_ test: ProfileTest, _ readings: [PointKey: Reading]) -> [Fault] {
        test.expect.compactMap { expectation in
            let reading = readings[expectation.key] ?? .bad(.absent)
            guard !Self.matches(reading.value, expectation.value) else { return nil }
            return Fault(
                expectation.location,
                "'\(test.name)': \(expectation.key) is \(Self.words(reading)), expected "
                    + (expectation.value.map { Self.words(.good($0)) } ?? "no value"))
        }
    }

    /// Numbers may differ by one part in 10¹², the residue of units that are no decimals.
    private static func matches(_ actual: Value?, _ expected: Value?) -> Bool {
        if case .number(let a) = actual, case .number(let b) = expected {
            return abs(a - b) <= 1e-12 * max(abs(a), abs(b))
        }
        return actual == expected
    }

    private static func words(_ reading: Reading) -> String {
        switch reading {
        case .good(.number(let number)): "\(number)"
        case .good(.text(let text)): "'\(text)'"
        case .bad(let reason): "no value (\(reason.word))"
        }
    }
}
