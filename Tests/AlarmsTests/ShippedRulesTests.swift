import Foundation
import LocatedText
import Telemetry
import Testing

@testable import Alarms

/// Binds every rule of `Config/alarms` to a site that has every shipped profile.
@Suite("The shipped rules on a site with every shipped device")
struct ShippedRulesSiteTests {
    private let rules: [AlarmRule]
    private let vocabulary: ShippedVocabulary

    init() throws {
        rules = try ShippedRulesTests.rules()
        vocabulary = try ShippedVocabulary()
    }

    @Test("fit what they watch when all are on, and each of them watches something")
    func bind() throws {
        let site = try ShippedSite(vocabulary).complete
        let machine = AlarmMachine(
            rules: rules.map { rule in
                var rule = rule
                rule.isEnabled = true
                return rule
            }, site: site)
        #expect(machine.bindingFaults == [])
        let watching = Set(machine.monitors.map(\.rule.name))
        for rule in rules { #expect(watching.contains(rule.name), "\(rule.name) watches nothing") }
    }

    @Test("ask of a site for nothing that it may not have, unless it turned them on")
    func bindByDefault() throws {
        // Neither circumstances nor a background.
        let machine = AlarmMachine(rules: rules, site: try ShippedSite(vocabulary).plain)
        #expect(machine.bindingFaults == [])
        for kind in ["crane.tower", "hoist", "platform.unloading"] {
            #expect(
                rules.filter { $0.isEnabled && $0.kinds?.contains(kind) ?? false }.count >= 2,
                "\(kind)")
        }
    }

    @Test("have each a name of their own, in whatever file they stand")
    func names() {
        for (name, same) in Dictionary(grouping: rules, by: \.name) where same.count > 1 {
            Issue.record("'\(name)' stands \(same.map { "\($0.location)" })")
        }
        for (title, same) in Dictionary(grouping: rules, by: \.title.en) where same.count > 1 {
            Issue.record("'\(title)' is the title of \(same.map(\.name))")
        }
    }

    @Test("are off as long as nobody has read their figure")
    func honest() {
        for rule in rules where rule.status == .secondary || rule.status == .fromMemory {
            #expect(!rule.isEnabled, "\(rule.name)")
        }
        for rule in rules where rule.status == .fromMemory {
            #expect(rule.source.lowercased().contains("from memory"), "\(rule.name)")
        }
        for rule in rules { #expect(rule.module != "other", "\(rule.name) has no module") }
    }

    @Test("use the units and words of the vocabulary, and kinds that profiles have")
    func words() throws {
        for rule in rules {
            for kind in rule.kinds ?? [] {
                #expect(vocabulary.kinds.contains(kind), "\(rule.name): '\(kind)'")
            }
            for term in rule.when.terms + rule.unless {
                if case .silence(let scope) = term.measure, scope != .point { continue }
                for operand in [term.operand] + term.minus {
                    let known = try #require(
                        vocabulary.describe(operand), "\(rule.name): '\(operand.point)'")
                    switch term.test {
                    case .above(_, _, let unit), .below(_, _, let unit):
                        let isAlike = vocabulary.units[unit].map { written in
                            vocabulary.units[known.unit]?.dimension == written.dimension
                        }
                        #expect(
                            unit == known.unit || isAlike == true,
                            "\(rule.name): '\(operand.point)' in '\(unit)'")
                    case .isOneOf(let words):
                        for word in words {
                            #expect(known.words.contains(word), "\(rule.name): '\(word)'")
                        }
                    case .bit, .lasting: break
                    }
                }
            }
        }
    }

    @Test("tell a silent device while its link lives, and a dead link once")
    func silence() throws {
        let names: Set = ["dust_silent", "silent_link"]
        let groups = [dustGroup(1), dustGroup(2, device: "dust-south")]
        let devices = Dictionary(
            uniqueKeysWithValues: groups.map {
                ($0.device, AlarmSite.Device(kind: "station.dust-noise", link: "bus"))
            })
        var machine = AlarmMachine(
            rules: rules.filter { names.contains($0.name) },
            site: AlarmSite(groups: groups, devices: devices))
        var out: [String] = []
        /// A minute in which some of the stations answer.
        func play(_ minute: Int, north: Bool, south: Bool) {
            let time = Double(minute) * 60
            var heard = machine.handle(scan(time, north ? 50 : nil, isGood: north))
            heard += machine.handle(scan(time, south ? 50 : nil, group: 2, isGood: south))
            heard += machine.endRow() + machine.advance(to: at(time))
            out += heard.map { "\($0.rule) \($0.series.device) \($0.to.rawValue)@\(minute)" }
        }
        for minute in 0..<60 { play(minute, north: true, south: minute < 10) }
        #expect(out == ["dust_silent dust-south active_unacknowledged@29"])
        out = []
        for minute in 60..<120 { play(minute, north: false, south: false) }
        #expect(
            out == [
                "dust_silent dust-south suppressed@69",
                "silent_link link/bus active_unacknowledged@74",
                "dust_silent dust-north suppressed@79",
            ])
    }

    /// Both points of a dust group, good or failed together.
    private func scan(_ seconds: Double, _ pm10: Double?, group: Int = 1, isGood: Bool) -> Scan {
        let reading: Reading = isGood ? .number(55) : .bad(.timeout)
        return Scan(group: ScanGroup.ID(group), time: at(seconds), readings: [reading, reading])
    }
}

/// A device of every shipped profile and interface, with the points that its profile has.
private struct ShippedSite {
    private var groups: [ScanGroup] = []
    private var devices: [DeviceID: AlarmSite.Device] = [:]
    private let vocabulary: ShippedVocabulary
    private static let folder = ShippedRulesTests.folder.appending(path: "../../Devices")
        .standardizedFileURL

    init(_ vocabulary: ShippedVocabulary) throws {
        self.vocabulary = vocabulary
        let files = try FileManager.default.subpathsOfDirectory(atPath: Self.folder.path)
            .filter { $0.contains("/") && $0.hasSuffix(".yaml") }
        for file in files.sorted() {
            let url = Self.folder.appending(path: file)
            let profile = try LocatedNode.parse(
                String(contentsOf: url, encoding: .utf8), file: file)
            let kind = try #require(profile["device"]?["kind"]?.text)
            for (name, interface) in profile["interfaces"]?.members ?? [] {
                let device = DeviceID(
                    file.dropLast(5).replacing("/", with: "-") + "-\(name.lowercased())")
                devices[device] = AlarmSite.Device(kind: kind, link: "link-\(kind)")
                try add(device, kind, interface)
            }
        }
        devices[DeviceID("gateway")] = AlarmSite.Device(kind: "gateway")
        add(
            DeviceID("gateway"),
            [
                Self.series("gateway", "disk_used", .gauge, "1"),
                Self.series("gateway", "journal_backlog", .gauge, "{count}"),
                Self.series("gateway", "clock_offset", .gauge, "s"),
                Self.series("gateway", "clock_trusted", .state, ""),
                Self.series("gateway", "certificate_left", .gauge, "s"),
            ], every: .seconds(60))
        devices[DeviceID("accounts")] = AlarmSite.Device(kind: "accounts")
        add(
            DeviceID("accounts"),
            ["quota_used", "quota_expected", "quota_high"].map {
                Self.series("accounts", "\($0).office-area", .gauge, "1")
            }, every: .seconds(3_600))
        // No shipped profile has these points yet.
        devices[DeviceID("box")] = AlarmSite.Device(kind: "monitor.leakage", link: "box")
        add(
            DeviceID("box"),
            [
                Self.series("box", "conductor_temperature.ch1", .gauge, "Cel"),
                Self.series("box", "alarm_overheat.ch1", .state, ""),
            ], every: .seconds(5))
    }

    /// Without circumstances and without a background.
    var plain: AlarmSite { AlarmSite(groups: groups, devices: devices, units: vocabulary.units) }

    /// With all that a rule may ask for.
    var complete: AlarmSite {
        var site = self
        for circumstance in ShippedVocabulary.circumstances.keys.sorted() {
            site.add(
                DeviceID("site"), [Self.series("site", circumstance, .state, "")], every: nil)
        }
        site.devices[DeviceID("background")] = AlarmSite.Device(kind: "station.weather", link: "b")
        site.add(
            DeviceID("background"), [Self.series("background", "pm10", .gauge, "ug/m3")],
            every: .seconds(3600))
        return AlarmSite(
            groups: site.groups, devices: site.devices, standing: [DeviceID("site")],
            units: vocabulary.units)
    }

    private mutating func add(_ device: DeviceID, _ kind: String, _ interface: LocatedNode) throws {
        let polls = Dictionary(uniqueKeysWithValues: interface["polls"]?.members ?? [])
        var series: [String: [Series]] = [:]
        for (point, content) in interface["points"]?.members ?? [] {
            let known = try #require(
                vocabulary.describe(AlarmTerm.Operand(point: AlarmPoint(point), device: nil)))
            let poll =
                content["poll"]?.text ?? interface["defaults"]?["poll"]?.text
                ?? polls.keys.sorted().first ?? ""
            series[poll, default: []].append(
                Self.series(device.text, point, known.kind, known.unit))
        }
        for (poll, series) in series.sorted(by: { $0.key < $1.key }) {
            let faults = FaultCollector()
            var every = (polls[poll] ?? interface["every"]).flatMap { $0.duration(faults) }
            // A site has to say how often such a station sends: its rules ask for coverage.
            if every == nil, kind == "station.dust-noise" { every = .seconds(60) }
            add(device, series, every: every)
        }
    }

    private mutating func add(_ device: DeviceID, _ series: [Series], every: Duration?) {
        groups.append(
            ScanGroup(
                id: ScanGroup.ID(groups.count + 1), device: device, interface: "i", name: "n",
                series: series, period: every, isPolled: every != nil))
    }

    private static func series(
        _ device: String, _ point: String, _ kind: SeriesKind, _ unit: String
    ) -> Series {
        Series(
            id: SeriesID(device: DeviceID(device), point: PointKey(point)), kind: kind, unit: unit)
    }
}

/// What the shipped vocabulary says of points, read without the module that owns it.
private struct ShippedVocabulary {
    struct Point {
        var kind: SeriesKind
        var unit: String
        var words: [String]
    }

    let kinds: Set<String>
    private var quantities: [String: Point] = [:]
    private(set) var units: [String: Telemetry.Unit] = [:]

    /// What a site says of itself where it turns on rules that ask for it.
    static let circumstances = [
        "pollution_level": ["none", "yellow", "orange", "red"], "aqi_200_300": ["no", "yes"],
    ]

    init() throws {
        let folder = ShippedRulesTests.folder.appending(path: "../../Devices").standardizedFileURL
        func read(_ name: String) throws -> LocatedNode {
            let url = folder.appending(path: name)
            return try LocatedNode.parse(String(contentsOf: url, encoding: .utf8), file: name)
        }
        let schema = try read("profile.schema.yaml")
        let device = schema["properties"]?["device"] ?? schema["$defs"]?["device"]
        kinds = Set(
            (device?["properties"]?["kind"]?["enum"]?.elements.compactMap(\.text) ?? [])
                + ["gateway", "accounts"])
        let vocabulary = try read("vocabulary.yaml")
        var canonical: [String: String] = [:]
        for (symbol, unit) in vocabulary["units"]?.members ?? []
        where unit["factor"]?.text == "1" && unit["offset"] == nil {
            canonical[unit["dim"]?.text ?? ""] = symbol
        }
        for (symbol, unit) in vocabulary["units"]?.members ?? [] {
            units[symbol] = Telemetry.Unit(
                symbol: symbol, ucum: unit["ucum"]?.text ?? symbol,
                dimension: Dimension(unit["dim"]?.text ?? ""),
                factor: unit["factor"]?.text.flatMap { Double($0) } ?? 1,
                offset: unit["offset"]?.text.flatMap { Double($0) } ?? 0)
        }
        for (name, quantity) in vocabulary["quantities"]?.members ?? [] {
            let word = try #require(quantity["kind"]?.text)
            let kind: SeriesKind =
                word == "alarm" ? .state : try #require(SeriesKind(rawValue: word))
            quantities[name] = Point(
                kind: kind,
                unit: quantity["dim"]?.text.flatMap { canonical[$0] } ?? "",
                words: word == "alarm"
                    ? ["normal", "warning", "alarm"]
                    : quantity["states"]?.elements.compactMap(\.text) ?? [])
        }
    }

    func describe(_ operand: AlarmTerm.Operand) -> Point? {
        if operand.device == DeviceID("site") {
            return Self.circumstances[operand.point.text]
                .map { Point(kind: .state, unit: "", words: $0) }
        }
        let quantity = operand.point.text.prefix { $0 != "." }
        return quantities[String(quantity)]
    }
}

extension LocatedNode {
    fileprivate subscript(key: String) -> LocatedNode? { members.first { $0.0 == key }?.1 }

    fileprivate var members: [(String, LocatedNode)] {
        if case .mapping(let entries) = content { entries.map { ($0.key, $0.value) } } else { [] }
    }

    fileprivate var elements: [LocatedNode] {
        if case .sequence(let nodes) = content { nodes } else { [] }
    }

    fileprivate var text: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }
}
