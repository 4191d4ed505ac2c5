import Acquisition
import DeviceProfiles
import LocatedText
import Telemetry

//  sprays:                                     what is switched while alarms stand
//    - id: north
//      enabled: true                           off without it
//      switch: pumps.switch.ch1                a command that the device grants
//      on: "on"                                its words; `off` is its safe one
//      off: "off"
//      alarms: [pm10_15min]                    any of these rules
//      areas: [north]                          on a device there; optional: anywhere
//      run: { least: 3min, most: 20min, rest: 10min }
//      never: [ { circumstance: maintenance, is: ["on"] } ]    at least one; nor as long as nobody
//                                              has said how it stands

extension SiteConfiguration {
    /// A spray, a fog cannon or another thing that is switched while alarms stand.
    package struct Spray: Hashable, Sendable {
        /// Words of a circumstance under which it never runs.
        package struct Never: Hashable, Sendable {
            package var id: String
            package var words: [String]
        }

        package var id: String
        package var isEnabled: Bool
        package var device: DeviceID
        package var point: PointKey
        package var on: String
        package var off: String
        /// Names of rules.
        package var alarms: [String]
        /// nil: everywhere.
        package var areas: [String]?
        var run: SprayPlanner.Run
        package var never: [Never]
        package var location: Location
    }
}

extension SiteConfiguration.Spray {
    static func parse(
        _ node: LocatedNode, rules: [String], circumstances: [SiteConfiguration.Circumstance],
        _ faults: FaultCollector
    ) -> Self? {
        var reader = MappingReader(node, faults)
        let id = reader.required("id")?.identifier(faults)
        let isEnabled = reader.optional("enabled")?.bool(faults) ?? false
        let target = reader.required("switch").flatMap { series($0, faults) }
        let on = reader.required("on")?.string(faults)
        let off = reader.required("off")?.string(faults)
        let alarms =
            reader.required("alarms")
            .map { names($0, known: rules, faults) } ?? []
        let areas = reader.optional("areas")?.list(faults).compactMap { $0.string(faults) }
        let run = reader.required("run").flatMap { SprayPlanner.Run.parse($0, faults) }
        let never = (reader.required("never")?.list(faults) ?? [])
            .compactMap { Never.parse($0, circumstances, faults) }
        reader.finish()
        guard let id, let target, let on, let off, let run else { return nil }
        if never.isEmpty {
            faults.add(
                node.location, "nothing keeps the spray from running in maintenance",
                remedy: "add 'never: [ { circumstance: maintenance, is: [\"on\"] } ]'")
        }
        return Self(
            id: id, isEnabled: isEnabled, device: target.device, point: target.point, on: on,
            off: off, alarms: alarms, areas: areas, run: run, never: never,
            location: node.location)
    }

    private static func series(_ node: LocatedNode, _ faults: FaultCollector) -> SeriesID? {
        guard let text = node.string(faults) else { return nil }
        if let series = SeriesID(text) { return series }
        faults.add(node.location, "'\(text)' is not a point", remedy: "'pumps.switch.ch1'")
        return nil
    }

    private static func names(
        _ node: LocatedNode, known: [String], _ faults: FaultCollector
    ) -> [String] {
        node.list(faults).compactMap { node in
            guard let name = node.string(faults) else { return nil }
            if known.contains(name) { return name }
            let near = Spelling.nearest(to: name, among: known)
            faults.add(
                node.location, "there is no alarm '\(name)'",
                remedy: near.map { "did you mean '\($0)'?" }
                    ?? "name one that the site includes and has not turned off")
            return nil
        }
    }
}

extension SiteConfiguration.Spray.Never {
    fileprivate static func parse(
        _ node: LocatedNode, _ circumstances: [SiteConfiguration.Circumstance],
        _ faults: FaultCollector
    ) -> Self? {
        var reader = MappingReader(node, faults)
        let name = reader.required("circumstance")
        let words = (reader.required("is")?.list(faults) ?? []).compactMap { $0.string(faults) }
        reader.finish()
        guard let name, let id = name.string(faults) else { return nil }
        guard let circumstance = circumstances.first(where: { $0.id == id }) else {
            faults.add(
                name.location, "there is no circumstance '\(id)'",
                remedy: "add it to 'circumstances:'")
            return nil
        }
        guard !words.isEmpty, words.allSatisfy(circumstance.states.contains) else {
            faults.add(
                node.location, "'\(id)' does not have these words",
                remedy: "some of \(circumstance.states.joined(separator: ", "))")
            return nil
        }
        return Self(id: id, words: words)
    }
}

extension SprayPlanner.Run {
    fileprivate static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> Self? {
        var reader = MappingReader(node, faults)
        let least = reader.required("least")?.duration(faults)
        let most = reader.required("most")?.duration(faults)
        let rest = reader.required("rest")?.duration(faults)
        reader.finish()
        guard let least, let most, let rest else { return nil }
        guard least > .zero, least <= most, rest > .zero, most <= .seconds(7200) else {
            faults.add(
                node.location, "such a run cannot be meant",
                remedy: "least up to most, most up to 2 h, and a rest: "
                    + "'{ least: 3min, most: 20min, rest: 10min }'")
            return nil
        }
        return Self(least: least, most: most, rest: rest)
    }
}

extension BoundSite {
    /// Checks that every spray is a granted command that goes back to safety by itself.
    static func checkSprays(
        _ sprays: [SiteConfiguration.Spray], _ links: [Link], _ faults: FaultCollector
    ) {
        let commands = links.flatMap { link -> [DeviceCommand] in
            guard case .bus(_, _, let units) = link else { return [] }
            return units.flatMap(\.commands)
        }
        var switches: Set<SeriesID> = []
        for spray in sprays {
            func fault(_ what: String, _ remedy: String) {
                faults.add(spray.location, what, remedy: remedy)
            }
            guard
                let command = commands.first(where: {
                    $0.device == spray.device && $0.key == spray.point
                })
            else {
                fault(
                    "'\(spray.device)' grants no command '\(spray.point)'",
                    "add 'commands: [\(spray.point)]' to the device")
                continue
            }
            if !switches.insert(SeriesID(device: spray.device, point: spray.point)).inserted {
                fault(
                    "another spray switches '\(spray.device).\(spray.point)'", "one for each switch"
                )
            }
            for word in [spray.on, spray.off] where command.values[word] == nil {
                fault(
                    "the command has no word '\(word)'",
                    "one of \(command.values.keys.sorted().joined(separator: ", "))")
            }
            if command.safe != spray.off {
                fault(
                    "'off' is not the word to which the device goes back", "write that one")
            }
            guard let revert = command.revertAfter else {
                fault(
                    "the device does not go back to its safe word by itself",
                    "a profile whose command has 'revert_after:'")
                continue
            }
            if spray.run.most > revert {
                fault(
                    "the device goes back after \(revert.milliseconds / 1000) s already",
                    "a shorter 'most:'")
            }
        }
    }
}
