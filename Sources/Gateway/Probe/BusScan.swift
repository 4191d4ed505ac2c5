import DeviceProfiles
import FieldLinks
import Frames
import Telemetry

/// A walk over the units of a bus, and over the settings of its line.
package struct BusScan: Sendable {
    /// A profile that may be the device's.
    package struct Candidate: Sendable {
        package var profile: String
        package var interface: String
        package var status: Provenance.Status
        /// The share of its points that are good and plausible, 0 to 1.
        package var fit: Double
        /// How many points that are.
        package var points: Int
    }

    /// Somebody who answered.
    package struct Found: Sendable {
        /// The settings of the line; nil on a network.
        package var line: SerialLine?
        /// The unit id, or the address of a meter.
        package var unit: Int
        package var meter: (protocol: FieldProtocol, address: String)?
        /// Best first; unverified profiles are never among them.
        package var candidates: [Candidate]
        /// What physics says of a device that no profile fits.
        package var guesses: [RegisterGuess]
    }

    package let library: ProfileLibrary
    /// How long a unit may take before it counts as absent.
    package let timeout: Duration

    package init(library: ProfileLibrary, timeout: Duration = .milliseconds(300)) {
        self.library = library
        self.timeout = timeout
    }

    /// Asks each of `units` at each of `places`.
    ///
    /// - Parameters:
    ///   - looksForMeters: also asks for the one meter of DL/T 645 or CJ/T 188 that a line may have;
    ///     several meters on one line answer at once and are not understood.
    ///   - onProgress: the share that is done.
    ///   - onFound: called as devices answer.
    /// - Throws: `BusError` when a place cannot be reached at all.
    package func run(
        _ places: [BusPlace], units: ClosedRange<Int>, looksForMeters: Bool,
        onProgress: (Double) -> Void, onFound: (Found) -> Void
    ) async throws(BusError) {
        let steps = Double(places.count * units.count)
        var done = 0.0
        for place in places {
            let isLine = if case .modbusTCP = place { false } else { true }
            let probe = DeviceProbe(
                link: BusLink(place, responseTimeout: timeout, isShared: isLine), timeout: timeout)
            try await probe.connect()
            let line: SerialLine? = if case .serial(let line) = place { line } else { nil }
            if looksForMeters, isLine {
                for found in await meters(probe.link, line) { onFound(found) }
            }
            for unit in units {
                if Task.isCancelled { return }
                if let found = await look(UInt8(clamping: unit), probe, line) { onFound(found) }
                done += 1
                onProgress(done / steps)
            }
            await probe.link.perform { $0.close() }
        }
    }

    private func look(_ unit: UInt8, _ probe: DeviceProbe, _ line: SerialLine?) async -> Found? {
        let knock = RegisterRequest(area: .holding, address: 0, count: 1)
        if case .failure(let error) = await probe.read(knock, unit: unit) {
            // A gateway speaks so for units that are not there.
            guard case .exception(let code) = error.code, ![4, 10, 11].contains(code) else {
                return nil
            }
        }
        var recording = DeviceRecording(taken: "", from: "", unit: Int(unit), profile: nil)
        var candidates: [Candidate] = []
        for id in library.ids {
            guard let profile = library[id], profile.provenance.status != .unverified else {
                continue
            }
            for name in profile.interfaces(speaking: .modbus) {
                if let candidate = await tryOn(profile, name, unit, probe, &recording) {
                    candidates.append(candidate)
                }
            }
        }
        candidates.sort {
            // Much that fits says more than little that fits well.
            ($0.evidence, $1.status.rank, $1.profile) > ($1.evidence, $0.status.rank, $0.profile)
        }
        var guesses: [RegisterGuess] = []
        if candidates.first.map({ $0.fit < 0.8 }) ?? true {
            for area in [RegisterArea.holding, .input] {
                guesses += RegisterGuess.guesses(
                    await sweep(area, unit, probe, &recording), area: area)
            }
        }
        return Found(
            line: line, unit: Int(unit), meter: nil, candidates: candidates,
            guesses: Array(guesses.prefix(12)))
    }

    /// Whether a profile's conditions hold, and how plausible its readings are then.
    private func tryOn(
        _ profile: DeviceProfile, _ name: String, _ unit: UInt8, _ probe: DeviceProbe,
        _ recording: inout DeviceRecording
    ) async -> Candidate? {
        guard
            let binding = try? ModbusBinding(
                profile: profile, interface: name, device: DeviceID("scan")),
            !binding.interface.identify.isEmpty,
            case .ready(let ready)? = try? await probe.prepare(binding, unit: unit, &recording)
        else { return nil }
        let look = await probe.look(ready, unit: unit, &recording)
        guard
            let fit = ProfileFit.score(look.rows.map { ($0.key, $0.reading.number) }), fit > 0.3
        else { return nil }
        return Candidate(
            profile: profile.id, interface: name, status: profile.provenance.status, fit: fit,
            points: look.rows.count)
    }

    /// The registers that meters put first, as far as the device gives them.
    private func sweep(
        _ area: RegisterArea, _ unit: UInt8, _ probe: DeviceProbe,
        _ recording: inout DeviceRecording
    ) async -> [Int: UInt16] {
        for start in stride(from: 0, to: 160, by: 20) {
            let request = RegisterRequest(area: area, address: start, count: 20)
            switch await probe.read(request, unit: unit) {
            case .success(let answer): recording.note(request, answer)
            case .failure(let error):
                guard case .exception = error.code else {
                    return recording.image.areas[area] ?? [:]
                }
            }
        }
        return recording.image.areas[area] ?? [:]
    }

    /// The one meter of another protocol that may be on the line.
    private func meters(_ link: BusLink, _ line: SerialLine?) async -> [Found] {
        let timeout = max(timeout, .milliseconds(800))
        var found: [Found] = []
        let question = DLT645Request(.readAddress, of: .wildcard)
        let answer = await link.perform { link in
            try? link.exchange(question.bytes(), name: "DL/T 645 address", timeout: timeout) {
                DLT645Request.search($0, for: question)
            }
        }
        if case .address(let address)? = answer {
            found.append(meter(.dlt645, "\(address)", line))
        }
        for type in [0x10, 0x20, 0x30] as [UInt8] {
            let question = CJT188Request(.readAddress, type: type, of: .wildcard)
            let answer = await link.perform { link in
                try? link.exchange(question.bytes(), name: "CJ/T 188 address", timeout: timeout) {
                    CJT188Request.search($0, for: question)
                }
            }
            if case .address(let address)? = answer {
                found.append(meter(.cjt188, "\(address)", line))
            }
        }
        return found
    }

    private func meter(
        _ language: FieldProtocol, _ address: String, _ line: SerialLine?
    ) -> Found {
        let fitting = library.ids.compactMap { id -> Candidate? in
            guard let profile = library[id], profile.provenance.status != .unverified,
                let name = profile.interfaces(speaking: language).first
            else { return nil }
            return Candidate(
                profile: id, interface: name, status: profile.provenance.status, fit: 0,
                points: 0)
        }
        return Found(
            line: line, unit: 0, meter: (language, address), candidates: fitting, guesses: [])
    }
}

extension BusScan.Candidate {
    /// Orders candidates: what fits well, and of that the most.
    fileprivate var evidence: Double { fit >= 0.8 ? Double(points) : fit }
}

extension Provenance.Status {
    /// 0 is the best known.
    fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? Self.allCases.count }
}
