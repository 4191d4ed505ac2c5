import LocatedText
import Telemetry

/// What a profile must satisfy before it ships, beyond its form.
///
///  1. id = path; keys, facets, units and dimensions of the vocabulary (checked while reading)
///  2. a sentinel has exactly the width of its type (checked while reading)
///  3. counters say `counter`, states say `values` of the vocabulary's words
///  4. points do not overlap unless the same registers carry bits; none is wider than one read;
///     with `blocks`, each lies in one of them
///  5. both orders are stated (checked while reading); a value wider than a register has a vector
///  6. at least one vector; every number with a scale, sign, factor, encoding or sentinel is in one
///  7. Modbus says how to identify the device, unless it was measured
///  8. a command's `confirm` is a point, `safe` one of its values
///  9. no anchors or tags (checked while reading)
/// 10. a status above community has sources for places and types and no open question; measured
///     names the firmware
struct ProfileLint {
    let faults: FaultCollector

    func check(_ profile: DeviceProfile) {
        checkProvenance(profile)
        for interface in profile.interfaces.values {
            for point in interface.points { checkKind(point) }
            checkVectors(interface)
            if case .modbus(let modbus) = interface {
                checkRegisters(modbus)
                checkCommands(modbus)
                if modbus.identify.isEmpty, profile.provenance.status != .measured {
                    faults.add(
                        modbus.location, "'identify' is missing",
                        remedy: "say by which registers a look-alike is told apart")
                }
            }
        }
        if profile.interfaces.isEmpty, faults.isEmpty {
            faults.add(profile.location, "a profile needs at least one interface")
        }
    }

    private func checkProvenance(_ profile: DeviceProfile) {
        let provenance = profile.provenance
        guard provenance.status.isAboveCommunity else { return }
        let word = provenance.status.rawValue
        if !provenance.openQuestions.isEmpty {
            faults.add(
                profile.location, "the status '\(word)' is claimed with open questions",
                remedy: "answer them, or write 'status: community'")
        }
        let covered = Set(provenance.sources.flatMap(\.covers))
        let hasModbus = !profile.interfaces(speaking: .modbus).isEmpty
        for wanted in hasModbus ? ["addresses", "types"] : ["fields"]
        where !covered.contains(wanted) {
            faults.add(
                profile.location, "no source covers the \(wanted)",
                remedy: "name one, or write 'status: community'")
        }
        if provenance.status == .measured, profile.firmware == nil {
            faults.add(
                profile.location, "'measured' needs the firmware that was measured",
                remedy: "add 'firmware' under 'device'")
        }
    }

    private func checkKind(_ point: ProfilePoint) {
        switch point.description.kind {
        case .counter where point.counter == nil:
            faults.add(
                point.location, "'\(point.key)' is a counter without 'counter'",
                remedy: "add 'counter: {modulus: null, resets: …}'")
        case .state where point.values.isEmpty && point.flags.isEmpty:
            faults.add(
                point.location, "'\(point.key)' is a state without 'values'",
                remedy: "add 'values: {\"0\": \(point.description.states.first ?? "…"), …}'")
        case .gauge where point.counter != nil, .state where point.counter != nil,
            .text where point.counter != nil:
            faults.add(point.location, "'\(point.key)' is not a counter")
        default: break
        }
        if case .register(let source) = point.origin,
            (source.type == .text) != (point.description.kind == .text)
        {
            faults.add(
                point.location, "'\(point.key)' does not fit the type \(source.type.rawValue)")
        }
        if case .register(let source) = point.origin, point.bits != nil || !point.flags.isEmpty,
            ![.uint16, .uint32, .uint64].contains(source.type) || source.encoding != .plain
        {
            faults.add(point.location, "only unsigned integers have bits and flags")
        }
        if case .payload(_, true) = point.origin, point.bits == nil {
            faults.add(point.location, "a text of bits needs 'bits: [lowest, highest]'")
        }
    }

    private func checkRegisters(_ interface: ModbusInterface) {
        let limits = interface.limits
        for block in interface.blocks
        where block.count > (block.area.isBits ? limits.maxBits : limits.maxRegisters) {
            faults.add(
                interface.location,
                "the block \(block.area.rawValue)/\(block.address) is longer than one read")
        }
        var seen: [(source: RegisterSource, point: ProfilePoint)] = []
        for point in interface.points {
            for source in point.registerSources {
                if source.count > limits.maxRegisters, !source.area.isBits {
                    faults.add(
                        point.location,
                        "'\(point.key)' is wider than max_registers \(limits.maxRegisters)")
                }
                if !interface.blocks.isEmpty,
                    !interface.blocks.contains(where: { $0.holds(source) })
                {
                    faults.add(
                        point.location, "'\(point.key)' lies in none of 'blocks'",
                        remedy: "only blocks are read; a value may not be split between two")
                }
            }
            switch point.origin {
            case .register(let source): seen.append((source, point))
            case .sum(let parts): seen += parts.map { ($0.source, point) }
            case .payload, .factor, .meter: break
            }
        }
        seen.sort {
            ($0.source.area.rawValue, $0.source.address) < (
                $1.source.area.rawValue, $1.source.address
            )
        }
        for (a, b) in zip(seen, seen.dropFirst()) {
            guard a.source.area == b.source.area, a.source.addresses.overlaps(b.source.addresses)
            else { continue }
            let areBits =
                a.source.addresses == b.source.addresses && a.point.bits != nil
                && b.point.bits != nil
            if !areBits {
                faults.add(
                    max(a.point.location, b.point.location, by: { $0.line < $1.line }),
                    "'\(a.point.key)' and '\(b.point.key)' overlap",
                    remedy: "only the same registers may be shared, and only with 'bits'")
            }
        }
    }

    private func max(
        _ a: Location, _ b: Location, by isLess: (Location, Location) -> Bool
    ) -> Location { isLess(a, b) ? b : a }

    private func checkCommands(_ interface: ModbusInterface) {
        for command in interface.commands
        where !interface.points.contains(where: { $0.key == command.confirm }) {
            faults.add(
                interface.location,
                "the command '\(command.key)' is confirmed by '\(command.confirm)', which is no point"
            )
        }
    }

    private func checkVectors(_ interface: ProfileInterface) {
        let expected = Set(interface.tests.flatMap { $0.expect.map(\.key) })
        if interface.tests.isEmpty {
            faults.add(
                interface.points.first?.location ?? Location(file: "", line: 1, column: 1),
                "the interface has no vector", remedy: "add one under 'tests'")
            return
        }
        for point in interface.points where !expected.contains(point.key) && !point.isPersonal {
            guard let reason = Self.needsVector(point) else { continue }
            faults.add(
                point.location, "'\(point.key)' has \(reason) and is in no vector",
                remedy: "add it to a test's 'expect'")
        }
    }

    private static func needsVector(_ point: ProfilePoint) -> String? {
        if point.scale != .number(1) { return "a scale" }
        if !point.times.isEmpty { return "a factor" }
        if point.offset != 0 { return "an offset" }
        if !point.invalidBits.isEmpty || !point.invalidTexts.isEmpty { return "a sentinel" }
        if case .meter = point.origin { return "a format" }
        if case .register(let source) = point.origin {
            if source.encoding != .plain { return "an encoding" }
            if source.count > 1, source.type != .text { return "a word order" }
            if [.int16, .int32, .int64].contains(source.type) { return "a sign" }
        }
        return nil
    }
}
