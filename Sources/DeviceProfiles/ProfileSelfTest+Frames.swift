import Frames
import LocatedText
import Telemetry

/// Vectors that are bytes from a line: packets of HJ 212, frames of meters.
extension DeviceProfile {
    func play(
        _ test: ProfileTest, packet bytes: [UInt8], on name: String
    ) throws(BindingError) -> [Fault] {
        guard case .hj212(let interface)? = interfaces[name] else { return [] }
        var stream = HJ212Stream(.init(checksums: [interface.checksum]))
        let events = stream.append(bytes)
        guard events.count == 1, case .packet(let received)? = events.first,
            stream.waiting == 0, stream.skipped == 0
        else {
            var cause = "its length, its end or its checksum is wrong"
            for case .refused(let refusal) in events { cause = refusal.detail }
            return [Fault(test.location, "'\(test.name)' is no packet: \(cause)")]
        }
        let binding = try HJ212Binding(
            profile: self, interface: name, parameters: test.parameters,
            device: DeviceID("self-test"), key: received.packet.mn)
        guard binding.accepts(received.checksum, isUpperCase: received.isUpperCase) else {
            return [Fault(test.location, "'\(test.name)': the profile refuses this checksum")]
        }
        // Without an expected time the vector is played as if it arrived when it was made.
        let arrival = test.time ?? Timestamp(milliseconds: 0)
        switch binding.decode(received.packet, arrival: arrival) {
        case .unselected:
            return [Fault(test.location, "'\(test.name)': 'select' does not take this packet")]
        case .refused(let reason, let detail):
            return [
                Fault(
                    test.location,
                    "the vector '\(test.name)' is refused as \(reason.word): \(detail)")
            ]
        case .scan(let time, _, let row, let hasDeviceTime):
            var faults = compare(test, readings(binding.group, row))
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

    func play(_ test: ProfileTest, _ frames: [[UInt8]], on binding: MeterBinding) -> [Fault] {
        var readings: [PointKey: Reading] = [:]
        var isUsed = Array(repeating: false, count: frames.count)
        for index in binding.groups.indices {
            let answers = binding.requests(group: index).map { request -> MeterAnswer in
                var answer = MeterAnswer.bad(.timeout)
                for (number, frame) in frames.enumerated() {
                    guard case .found(let found) = request.search(frame) else { continue }
                    isUsed[number] = true
                    if case .data = answer { continue }
                    answer = found
                }
                return answer
            }
            readings.merge(
                self.readings(
                    binding.groups[index], binding.decode(group: index, answers: answers)),
                uniquingKeysWith: { a, _ in a })
        }
        var faults = compare(test, readings)
        for (number, used) in isUsed.enumerated() where !used {
            faults.append(
                Fault(
                    test.location, "'\(test.name)': frame \(number + 1) answers no request",
                    remedy: "check its address, item and checksum"))
        }
        return faults
    }

    private func readings(_ group: ScanGroup, _ row: [Reading]) -> [PointKey: Reading] {
        Dictionary(zip(group.series.map(\.id.point), row), uniquingKeysWith: { a, _ in a })
    }
}
