import Telemetry

extension SimulatedSite {
    /// The gateway's configuration for a running simulation, as an installer would write it.
    ///
    /// - Parameters:
    ///   - alarms: rule files to include, as paths that the configuration's folder resolves.
    ///   - cranes: the file that says what counts as a lift; nil counts none.
    ///   - figures: the folder with the shipped tariffs, factors and quotas; nil tells amounts alone.
    ///   - uplink: the broker of the supervision platform; nil leaves the uplink out.
    ///   - reportingSince: the platform is owed nothing that begins before; nil owes history too.
    ///   - moreUplinks: a file with a list of further platforms.
    ///   - feeds: receivers of alarms, as lines of a list.
    ///   - listen: address and port of the HTTP interface.
    package func configuration(
        endpoints: SimulatedEndpoints, bindings: SimulatedBindings, dataDirectory: String,
        alarms: [String], cranes: String? = nil, figures: String? = nil,
        uplink: SimulatedEndpoints.Broker?,
        reportingSince: Timestamp? = nil, moreUplinks: String? = nil,
        feeds: [String] = [], listen: String = "127.0.0.1:8420"
    ) -> String {
        var text = """
            # A simulated construction site, seed \(seed): every device below runs in this machine.
            site:
              id: demo-site
              name: 示范工地
              timezone: \(calendar.zone)
              phase: construction
              floor_area: 12000 m2
            data:
              directory: \(Self.quoted(dataDirectory))
            # The site lives by this machine's clock, which nothing here could check.
            clock: { trust: system }
            links:

            """
        for link in SimulatedBindings.modbusLinks {
            guard let port = endpoints.modbusPorts[link] else { continue }
            text += "  - id: \(link)\n    modbus: tcp://127.0.0.1:\(port)\n"
            text += devices(on: link, bindings: bindings)
        }
        if let broker = endpoints.broker {
            text += "  - id: broker\n    mqtt: mqtt://\(broker.host):\(broker.port)\n"
            text += devices(on: "broker", bindings: bindings)
        }
        text += "meters:\n"
        for meter in Self.meterTree {
            var fields = ["id: \(meter.id)"]
            if let parent = meter.parent {
                fields.append("parent: \(parent)")
            } else {
                fields.append("carrier: electricity")
            }
            if let item = meter.item { fields.append("item: \(item)") }
            if let zone = meter.zone { fields.append("zone: \(zone)") }
            fields.append("counter: \(meter.device).\(Key.energyImportTotal)")
            text += "  - { \(fields.joined(separator: ", ")) }\n"
        }
        text +=
            "  - { id: pv, role: generation, counter: pv-1.\(Key.energyExportTotal) }\n"
        if let figures { text += Self.energy(figures) }
        if !alarms.isEmpty {
            let files = alarms.map { "include: \(Self.quoted($0))" }
            text += "alarms: [ \(files.joined(separator: ", ")) ]\n"
        }
        if let cranes {
            text +=
                "cranes: { include: \(Self.quoted(cranes)), "
                + "shifts: { day: \"06:00\", night: \"18:00\" } }\n"
        }
        if !feeds.isEmpty {
            text += "feeds:\n" + feeds.map { "  - { \($0) }\n" }.joined()
        }
        if uplink != nil || moreUplinks != nil { text += "uplinks:\n" }
        if let moreUplinks { text += "  - include: \(Self.quoted(moreUplinks))\n" }
        if let uplink {
            text += """
                  - id: supervision
                    mqtt: mqtt://\(uplink.host):\(uplink.port)
                    topic: plumbline/demo-site
                    resolution: 1min

                """
            if let reportingSince {
                text += """
                        # The history before is made up; no platform is owed it.
                        since: \(calendar.rfc3339(reportingSince))

                    """
            }
        }
        return text + "api: { listen: \"\(listen)\" }\n"
    }

    /// Tariff, factors and quota, all of them examples.
    private static func energy(_ folder: String) -> String {
        func file(_ name: String) -> String { quoted(folder + "/" + name) }
        return """
            energy:
              items: \(file("energy/items.yaml"))
              tariffs: [ \(file("tariffs/example-industrial-electricity.yaml")) ]
              factors:
                include: [ \(file("factors/grid-electricity.yaml")), \(file("factors/standard-coal.yaml")) ]
                use:
                  - { factor: co2, carrier: electricity, region: east, scheme: regional }
                  - { factor: coal, carrier: electricity, region: national, scheme: equivalent }
              quotas: { include: [ \(file("quotas/example-area-quota.yaml")) ] }
              diagnosis: \(file("diagnosis/meters.yaml"))
              compliance: \(file("energy/compliance.yaml"))

            """
    }

    private func devices(on link: String, bindings: SimulatedBindings) -> String {
        var text = "    devices:\n"
        for device in Self.devices where device.link == link {
            var fields = ["id: \(device.id)", "profile: \(device.profile)"]
            if let interface = bindings.namedInterface(of: device.id) {
                fields.append("interface: \(interface)")
            }
            switch device.address {
            case .unit(let unit): fields.append("unit: \(unit)")
            case .key(let key): fields.append("key: \(key)")
            }
            if let area = Self.areas[device.id.text] { fields.append("area: \(area)") }
            if let name = Self.names[device.id.text] {
                fields.append("name: { en: \(Self.quoted(name.en)), zh: \(Self.quoted(name.zh)) }")
            }
            if !device.parameters.isEmpty {
                let parameters = device.parameters.sorted { $0.key < $1.key }
                    .map { "\($0.key): \(Self.plain($0.value))" }
                fields.append("params: { \(parameters.joined(separator: ", ")) }")
            }
            text += "      - { \(fields.joined(separator: ", ")) }\n"
        }
        return text
    }

    /// What people on the site call the devices.
    private static let names: [String: (en: String, zh: String)] = [
        "meter-main": ("Main meter", "总电表"),
        "meter-plant": ("Plant and cranes", "施工机械电表"),
        "meter-office": ("Site office", "办公区电表"),
        "meter-living": ("Living quarters", "生活区电表"),
        "dust-north": ("Dust, north gate", "北门扬尘站"),
        "dust-south": ("Dust, south fence", "南侧扬尘站"),
        "pv-1": ("PV on the office roof", "办公区屋顶光伏"),
        "crane-1": ("Tower crane 1", "1号塔机"),
    ]

    /// In which part of the site the devices stand.
    private static let areas = [
        "dust-north": "north", "dust-south": "south", "crane-1": "north", "meter-living": "camp",
        "meter-office": "camp",
    ]

    /// A double-quoted YAML scalar.
    private static func quoted(_ text: String) -> String {
        let escaped = text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }
        return "\"\(escaped.joined())\""
    }

    private static func plain(_ number: Double) -> String {
        number == number.rounded() && number.magnitude < 1e15 ? "\(Int64(number))" : "\(number)"
    }
}
