import Telemetry

/// The library as a table for people: `docs/devices.md` and `plumbline devices --library`.
package struct LibraryTable: Sendable {
    /// One profile.
    package struct Row: Hashable, Sendable {
        package var id: String
        /// A word of the schema, for example `meter.electric`.
        package var kind: String
        package var vendor: BilingualText
        package var title: BilingualText
        package var models: [String]
        /// Names and protocols, sorted: `rs485: modbus`.
        package var interfaces: [String]
        /// Points of all interfaces together; personal ones count.
        package var points: Int
        package var status: Provenance.Status
        package var openQuestions: Int
        /// Whether the profile can switch something.
        package var hasCommands: Bool
    }

    /// In order of kind, then of id.
    package let rows: [Row]

    package init(_ library: ProfileLibrary) {
        let order = Dictionary(
            Self.kinds.enumerated().map { ($1.word, $0) }, uniquingKeysWith: { a, _ in a })
        rows = library.ids.compactMap { library[$0].map(Row.init) }.sorted {
            (order[$0.kind] ?? .max, $0.id) < (order[$1.kind] ?? .max, $1.id)
        }
    }

    /// What a kind of device is called.
    package static func title(ofKind word: String) -> BilingualText {
        kinds.first { $0.word == word }?.title ?? BilingualText(en: word, zh: word)
    }

    /// The kinds in the order of the table.
    private static let kinds: [(word: String, title: BilingualText)] = [
        ("meter.electric", "Electric meters", "电能表"),
        ("inverter.pv", "PV inverters", "光伏逆变器"),
        ("charger.ev", "EV chargers", "充电桩"),
        ("meter.water", "Water meters", "水表"),
        ("meter.gas", "Gas meters", "燃气表"),
        ("meter.heat", "Heat and cooling meters", "冷热量表"),
        ("station.dust-noise", "Dust and noise", "扬尘与噪声"),
        ("station.weather", "Weather", "气象"),
        ("crane.tower", "Tower cranes", "塔机"),
        ("hoist", "Construction hoists", "施工升降机"),
        ("platform.unloading", "Unloading platforms", "卸料平台"),
        ("sensor.pit", "Level and foundation pit", "液位与基坑"),
        ("sensor.tilt", "Tilt", "倾角"),
        ("sensor.load", "Load cells", "称重"),
        ("monitor.leakage", "Leakage current", "剩余电流"),
        ("relay", "Relays", "继电器"),
        ("wash.vehicle", "Vehicle wash", "车辆冲洗"),
    ].map { ($0.0, BilingualText(en: $0.1, zh: $0.2)) }

    /// The page `docs/devices.md`, byte for byte.
    package func markdown() -> String {
        let makers = Set(rows.map(\.vendor.en)).count
        let unverified = rows.count { $0.status == .unverified }
        var text = """
            # Devices

            <!-- Made by `make devices` from the files of Devices/; edit those, not this page. -->

            \(rows.count) profiles of \(makers) makers. How well each is known is the word in the \
            column *known from*: `measured` on a device, `vendor-doc`, `open-source` (two \
            independent sources), `community` (one source, or doubts), `unverified`. The last \
            column counts the doubts, which the file lists under `open_questions`. The \
            \(unverified) unverified ones are never offered by a scan.

            Not here? [add-a-device.md](add-a-device.md) takes ten minutes.

            """
        var kind = ""
        for row in rows {
            if row.kind != kind {
                kind = row.kind
                let title = Self.title(ofKind: kind)
                text += """

                    ## \(title.en) · \(title.zh)

                    | profile | device | 设备 | vendor | models | over | points | known from | open |
                    |---|---|---|---|---|---|---:|---|---:|

                    """
            }
            text += "| " + row.cells.map(Self.escaped).joined(separator: " | ") + " |\n"
        }
        return text
    }

    private static func escaped(_ cell: String) -> String {
        cell.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}

extension LibraryTable.Row {
    init(_ profile: DeviceProfile) {
        id = profile.id
        kind = profile.kind
        vendor = profile.vendor
        title = profile.title
        models = profile.models
        interfaces = profile.interfaces.map { "\($0.key): \($0.value.fieldProtocol.rawValue)" }
            .sorted()
        points = profile.interfaces.values.reduce(0) { $0 + $1.points.count }
        status = profile.provenance.status
        openQuestions = profile.provenance.openQuestions.count
        hasCommands = profile.interfaces.values.contains { interface in
            if case .modbus(let modbus) = interface { !modbus.commands.isEmpty } else { false }
        }
    }

    /// The vendor's name in both languages, once if they are the same.
    package var vendorText: String {
        vendor.en == vendor.zh ? vendor.en : "\(vendor.en) \(vendor.zh)"
    }

    fileprivate var cells: [String] {
        [
            "[`\(id)`](../Devices/\(id).yaml)", title.en, title.zh, vendorText,
            models.joined(separator: ", "),
            interfaces.joined(separator: ", ") + (hasCommands ? ", with commands" : ""),
            "\(points)", status.rawValue, openQuestions == 0 ? "–" : "\(openQuestions)",
        ]
    }
}
