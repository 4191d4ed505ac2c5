import Acquisition
import DeviceProfiles
import FieldLinks
import Telemetry

/// One device looked at by hand: raw registers, or what a profile makes of them.
package struct DeviceProbe: Sendable {
    /// What one point said.
    package struct Row: Sendable {
        package var key: PointKey
        /// Where it came from, for example `holding/0x61`.
        package var places: String
        /// The registers as they came, in hexadecimal; empty without an answer.
        package var raw: String
        package var reading: Reading
        package var unit: String
    }

    /// One look at the device.
    package struct Look: Sendable {
        package var rows: [Row]
        /// Each failed request, with its reason in words.
        package var failures: [String]
        /// The answers of a meter as they stood on the line.
        package var frames: [[UInt8]] = []
    }

    package let link: BusLink
    package let timeout: Duration

    package init(link: BusLink, timeout: Duration = .seconds(1)) {
        self.link = link
        self.timeout = timeout
    }

    /// Connects; throws what keeps it from that, with a remedy.
    package func connect() async throws(BusError) {
        let result = await link.perform { link -> Result<Void, BusError> in
            do throws(BusError) {
                return .success(try link.connect())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Makes one request.
    package func read(
        _ request: RegisterRequest, unit: UInt8
    ) async -> Result<RegisterAnswer, BusError> {
        let timeout = timeout
        return await link.perform { link in
            do throws(BusError) {
                try link.connect()
                return .success(try link.read(request, unit: unit, timeout: timeout))
            } catch {
                return .failure(error)
            }
        }
    }

    /// Asks the device what its profile wants to know before its numbers are believed.
    ///
    /// - Returns: the binding to read by, or why the device is not the profile's; the error when it
    ///   does not answer.
    package func prepare(
        _ binding: ModbusBinding, unit: UInt8, _ recording: inout DeviceRecording
    ) async throws(BusError) -> DevicePreparation.Outcome? {
        var preparation = DevicePreparation(binding)
        while let request = preparation.next {
            switch await read(request, unit: unit) {
            case .success(let answer):
                recording.note(request, answer)
                preparation.take(answer)
            case .failure(let error):
                switch error.code {
                case .exception(1), .exception(2), .exception(3):
                    recording.note(request, .bad(.exception))
                    preparation.take(.bad(.exception))
                default: throw error
                }
            }
        }
        return preparation.outcome
    }

    /// Reads all groups of a profile once.
    package func look(
        _ binding: ModbusBinding, unit: UInt8, _ recording: inout DeviceRecording
    ) async -> Look {
        var look = Look(rows: [], failures: [])
        for group in binding.groups.indices {
            var answers: [RegisterAnswer] = []
            let requests = binding.requests(group: group)
            for request in requests {
                switch await read(request, unit: unit) {
                case .success(let answer): answers.append(answer)
                case .failure(let error):
                    answers.append(.bad(error.badReason))
                    look.failures.append("\(error)")
                }
                if let last = answers.last { recording.note(request, last) }
            }
            let readings = binding.decode(group: group, answers: answers)
            for (series, reading) in zip(binding.groups[group].series, readings) {
                let sources =
                    binding.interface.points.first { $0.key == series.id.point }?.registerSources
                    ?? []
                look.rows.append(
                    Row(
                        key: series.id.point,
                        places: sources.map { DeviceRecording.place($0.area, $0.address) }
                            .joined(separator: " "),
                        raw: sources.map { Self.raw($0, requests, answers) }
                            .joined(separator: " "),
                        reading: reading, unit: series.unit))
            }
        }
        return look
    }

    private static func raw(
        _ source: RegisterSource, _ requests: [RegisterRequest], _ answers: [RegisterAnswer]
    ) -> String {
        for (request, answer) in zip(requests, answers)
        where request.area == source.area && request.addresses.contains(source.address) {
            let offset = source.address - request.address
            switch answer {
            case .registers(let words) where offset + source.count <= words.count:
                return words[offset..<(offset + source.count)].map { word in
                    let text = String(word, radix: 16, uppercase: true)
                    return String(repeating: "0", count: 4 - text.utf8.count) + text
                }.joined()
            case .bits(let bits) where offset < bits.count: return bits[offset] ? "1" : "0"
            default: return ""
            }
        }
        return ""
    }

    /// Reads all items of a meter's profile once.
    package func look(_ binding: MeterBinding) async -> Look {
        var look = Look(rows: [], failures: [])
        for group in binding.groups.indices {
            var answers: [MeterAnswer] = []
            for request in binding.requests(group: group) {
                switch await exchange(request) {
                case .success(let answer):
                    answers.append(answer)
                    if case .data(let data) = answer { look.frames.append(request.reply(data)) }
                case .failure(let error):
                    answers.append(.bad(error.badReason))
                    look.failures.append("\(error)")
                }
            }
            let readings = binding.decode(group: group, answers: answers)
            for (series, reading) in zip(binding.groups[group].series, readings) {
                look.rows.append(
                    Row(
                        key: series.id.point, places: "", raw: "", reading: reading,
                        unit: series.unit))
            }
        }
        return look
    }

    private func exchange(_ request: MeterRequest) async -> Result<MeterAnswer, BusError> {
        let timeout = timeout
        return await link.perform { link in
            do throws(BusError) {
                try link.connect()
                return .success(
                    try link.exchange(
                        request.bytes, name: "\(request)", timeout: timeout, request.search))
            } catch {
                return .failure(error)
            }
        }
    }
}
