import LocatedText
import Telemetry

//  evidence:                              what else is told of an alarm
//    - modules: [dust]                    alarms of these modules; without it all
//      areas: [north]                     of devices in these parts of the site; without it all
//      ran:                               what ran meanwhile, by its power or its state
//        - { series: fog-1.active_power.total, above: 500 W, title: { en: Fog cannon, zh: 雾炮 } }
//        - { series: pumps.switch.ch1, is: ["on"], title: { en: Spray, zh: 喷淋 } }
//      show:                              how things stood, as a mean
//        - { series: mast.wind_speed, title: { en: Wind, zh: 风速 } }
//      camera: { id: cam-12, before: 5min, after: 10min }

extension SiteConfiguration {
    /// What else is told of the alarms of a module or a part of the site.
    package struct Evidence: Hashable, Sendable {
        /// What counts as running.
        package enum Running: Hashable, Sendable {
            /// Above a number, in the unit of the series.
            case above(Double, unit: String)
            /// One of these words.
            case isOneOf([String])
        }

        /// A series that is looked at.
        package struct Witness: Hashable, Sendable {
            package var series: SeriesID
            package var title: LocalizedText
            /// nil: its mean is shown.
            package var running: Running?
            package var location: Location
        }

        /// A camera, and what of its recording belongs to an alarm.
        package struct Camera: Hashable, Sendable {
            package var id: String
            package var before: Duration
            package var after: Duration
        }

        package var modules: [String]?
        package var areas: [String]?
        package var witnesses: [Witness]
        package var camera: Camera?
    }
}

extension SiteConfiguration.Evidence {
    static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> Self? {
        var reader = MappingReader(node, faults)
        func texts(_ key: String) -> [String]? {
            reader.optional(key)?.list(faults).compactMap { $0.string(faults) }
        }
        let modules = texts("modules")
        let areas = texts("areas")
        let ran = (reader.optional("ran")?.list(faults) ?? [])
            .compactMap { Witness.parse($0, mayRun: true, faults) }
        let show = (reader.optional("show")?.list(faults) ?? [])
            .compactMap { Witness.parse($0, mayRun: false, faults) }
        let camera = reader.optional("camera").flatMap { Camera.parse($0, faults) }
        reader.finish()
        if ran.isEmpty, show.isEmpty, camera == nil {
            faults.add(
                node.location, "nothing is told", remedy: "name 'ran:', 'show:' or 'camera:'")
            return nil
        }
        return Self(modules: modules, areas: areas, witnesses: ran + show, camera: camera)
    }
}

extension SiteConfiguration.Evidence.Witness {
    fileprivate static func parse(
        _ node: LocatedNode, mayRun: Bool, _ faults: FaultCollector
    ) -> Self? {
        var reader = MappingReader(node, faults)
        let seriesNode = reader.required("series")
        let name = seriesNode?.string(faults)
        let title = reader.optional("title").flatMap { SiteConfiguration.Name.parse($0, faults) }
        var running: SiteConfiguration.Evidence.Running?
        if mayRun {
            if let node = reader.optional("above"), let (value, unit) = node.quantity(faults) {
                running = .above(value, unit: unit)
            }
            if let node = reader.optional("is") {
                running = .isOneOf(node.list(faults).compactMap { $0.string(faults) })
            }
            if running == nil {
                faults.add(
                    node.location, "nobody says when it runs",
                    remedy: "'above: 500 W' or 'is: [\"on\"]'")
            }
        }
        reader.finish()
        guard let seriesNode, let name else { return nil }
        guard let series = SeriesID(name) else {
            faults.add(
                seriesNode.location, "'\(name)' is not a series",
                remedy: "for example 'fog-1.power'")
            return nil
        }
        return Self(
            series: series,
            title: LocalizedText(en: title?.en ?? name, zh: title?.zh ?? name), running: running,
            location: node.location)
    }
}

extension SiteConfiguration.Evidence.Camera {
    fileprivate static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> Self? {
        var reader = MappingReader(node, faults)
        let id = reader.required("id")?.string(faults)
        let before = reader.optional("before")?.duration(faults) ?? .seconds(300)
        let after = reader.optional("after")?.duration(faults) ?? .seconds(600)
        reader.finish()
        return id.map { Self(id: $0, before: before, after: after) }
    }
}
