import Telemetry

extension SimulatedYear {
    /// The profile of a register: one counter, read every quarter of an hour.
    package static func profile(_ register: Register) -> String {
        let modulus = register.modulus.map { "\(Int64($0))" } ?? "null"
        let point =
            register.device.text == "pv-1"
            ? "active_energy.export.total" : "active_energy.import.total"
        return """
            format: device-profile/1
            device:
              id: simulated/\(register.device)
              vendor: { en: Plumbline, zh: 模拟 }
              models: [counter]
              kind: meter.electric
              title: { en: "Simulated counter", zh: 模拟计数器 }
            provenance:
              status: unverified
              checked: "2026-11-22"
              sources:
                - { ref: "the simulator itself", covers: [addresses] }
            interfaces:
              rs485:
                protocol: modbus
                unit: 1
                serial: { baud: 9600, data_bits: 8, parity: none, stop_bits: 1 }
                word_order: high_first
                byte_order: high_first
                identify: [ { at: holding/0x0000, type: uint32, between: [0, 1000000000] } ]
                limits: { max_registers: 40, response_timeout: 1s }
                polls: { slow: 900s }
                defaults: { type: uint32, poll: slow }
                points:
                  \(point): { at: holding/0x0000, scale: 0.01, unit: kWh, counter: { modulus: \(modulus), resets: manual } }
                tests:
                  - name: a counter of two places
                    given: { holding/0x0000: "0001E240" }
                    expect: { \(point): 1234.56 }

            """
    }

    /// The profile of the thermometer.
    package static let thermometerProfile = """
        format: device-profile/1
        device:
          id: simulated/station-1
          vendor: { en: Plumbline, zh: 模拟 }
          models: [thermometer]
          kind: station.weather
          title: { en: "Simulated thermometer", zh: 模拟气温计 }
        provenance:
          status: unverified
          checked: "2026-11-22"
          sources:
            - { ref: "the simulator itself", covers: [addresses] }
        interfaces:
          rs485:
            protocol: modbus
            unit: 1
            serial: { baud: 9600, data_bits: 8, parity: none, stop_bits: 1 }
            word_order: high_first
            byte_order: high_first
            identify: [ { at: holding/0x0000, type: int16, between: [-600, 600] } ]
            limits: { max_registers: 40, response_timeout: 1s }
            polls: { slow: 3600s }
            defaults: { type: int16, poll: slow }
            points:
              air_temperature: { at: holding/0x0000, scale: 0.1, unit: Cel }
            tests:
              - name: below nought
                given: { holding/0x0000: "FFDD" }
                expect: { air_temperature: -3.5 }

        """

    /// The site that reads these registers, with everything that the accounts of a year need.
    ///
    /// - Parameters:
    ///   - share: the folder with the files that are shipped.
    ///   - directory: where the store lies.
    package func configuration(
        zone: String, directory: String, share: String
    ) -> String {
        func quoted(_ text: String) -> String { "\"\(text)\"" }
        let devices = registers.enumerated().map { index, register in
            "      - { id: \(register.device), profile: simulated/\(register.device), "
                + "unit: \(index + 1) }"
        }
        let station =
            "      - { id: \(Self.thermometer.device), profile: simulated/station-1, "
            + "unit: \(registers.count + 1) }"
        let energy = { (file: String) in quoted("\(share)/Config/\(file)") }
        return """
            # A simulated year of a construction site: nothing of it is anybody's.
            site:
              id: simulated-year
              name: 模拟工地
              timezone: \(zone)
              phase: construction
              floor_area: 12000 m2
              occupants: 180
            data: { directory: \(quoted(directory)), durability: process, retention: { raw: 14600 d } }
            clock: { trust: system }
            links:
              - id: bus
                modbus: tcp://127.0.0.1:1
                devices:
            \((devices + [station]).joined(separator: "\n"))
            meters:
              - { id: main, title: { en: Main meter, zh: 总表 }, carrier: electricity, limit: 630 kW, counter: meter-main.active_energy.import.total }
              - { id: plant, title: { en: Plant and cranes, zh: 施工机械 }, parent: main, item: special, zone: plant, machine: crane, counter: meter-plant.active_energy.import.total }
              - { id: office, title: { en: Site office, zh: 办公区 }, parent: main, item: lighting-sockets, zone: office, counter: meter-office.active_energy.import.total }
              - { id: living, title: { en: Living quarters, zh: 生活区 }, parent: main, item: lighting-sockets, zone: living, counter: meter-living.active_energy.import.total }
              - { id: pv, title: { en: Photovoltaics, zh: 光伏 }, role: generation, counter: pv-1.active_energy.export.total }
              - { id: rest, title: { en: Everything else, zh: 其余 }, formula: main - plant - office - living }
              - { id: subcontractor, title: { en: Subcontractor, zh: 分包单位 }, share: { of: living, by: people, part: 60, whole: 180 } }
              - { id: generator, title: { en: Generator, zh: 发电机柴油 }, carrier: diesel, entries: true }
            energy:
              items: \(energy("energy/items.yaml"))
              tariffs: [ tariff-electricity.yaml, tariff-diesel.yaml ]
              factors:
                include: [ \(energy("factors/grid-electricity.yaml")), \(energy("factors/standard-coal.yaml")) ]
                use:
                  - { factor: co2, carrier: electricity, region: east, scheme: regional }
                  - { factor: coal, carrier: electricity, region: national, scheme: equivalent }
              quotas: { include: [ \(energy("quotas/example-area-quota.yaml")) ] }
              entries: energy-entries.yaml
              outdoor: { temperature: \(Self.thermometer), known_hours: 80 % }
              variables:
                - { variable: hdd, heating_below: 18 }
                - { variable: cdd, cooling_above: 26 }
                - { variable: concrete, produced: concrete, unit: m3 }
                - { variable: staff, of: people }
              baselines: { method: baseline-method.yaml, frozen: [] }
              diagnosis: \(energy("diagnosis/meters.yaml"))
              compliance: \(energy("energy/compliance.yaml"))
              particulars:
                - { key: permit, title: { en: Building permit, zh: 施工许可证号 }, value: "simulated" }
                - { key: stage, title: { en: Stage, zh: 施工阶段 }, value: 主体结构 }
            api: { listen: "127.0.0.1:8420" }

            """
    }

    /// What the site's people wrote down.
    package func entries(calendar: SiteCalendar) -> String {
        let year = calendar.civil(from + .seconds(86_400)).year
        var text = "format: energy-entries/1\nentries:\n"
        for register in registers {
            guard let exchange = register.exchange else { continue }
            let meter = register.device.text.replacing("meter-", with: "")
            text +=
                "  - { exchange: \(meter), at: \"\(calendar.rfc3339(exchange.at))\", "
                + "old_end: \(exchange.oldEnd), new_start: 0, reason: display dead, by: Li }\n"
        }
        text += """
              - { area: 4000 m2, from: \(year)-01-01 }
              - { area: 7500 m2, from: \(year)-04-16 }
              - { area: 12000 m2, from: \(year)-09-01 }
              - { people: 120, from: \(year)-01-01 }
              - { people: 180, from: \(year)-05-01 }

            """
        for month in 1...12 {
            let name = "\(year)-\(month < 10 ? "0" : "")\(month)"
            text += "  - { output: \(200 + 7 * month), month: \(name) }\n"
            text +=
                "  - { produced: concrete, unit: m3, amount: \(900 + 31 * month), month: \(name) }\n"
            if month != 2 {
                text +=
                    "  - { delivered: generator, first: \(name)-03, last: \(name)-19, "
                    + "amount: \(150 + month), source: bill, by: Wang }\n"
            }
        }
        return text
    }

    /// Every reading as text: series, instant, value. The first line names the columns.
    package func readingLines(of register: Register) -> [String] {
        let series = Self.series(of: register).description
        return instants.compactMap { time in
            reading(of: register, at: time).map { value in
                let hundredths = Int64((value * 100).rounded())
                let rest = "\(hundredths % 100)"
                let padded = String(repeating: "0", count: 2 - rest.count) + rest
                return "\(series),\(time.rfc3339()),\(hundredths / 100).\(padded)"
            }
        }
    }

    /// Every reading of the thermometer as text, like `readingLines`.
    package var temperatureLines: [String] {
        thermometerInstants.compactMap { time in
            temperature(at: time).map { value in
                let tenths = Int64((value * 10).rounded())
                let sign = tenths < 0 ? "-" : ""
                let digits = "\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
                return "\(Self.thermometer),\(time.rfc3339()),\(sign)\(digits)"
            }
        }
    }

    /// The series that a register is kept under.
    package static func series(of register: Register) -> SeriesID {
        SeriesID(
            device: register.device,
            point: register.device.text == "pv-1"
                ? Key.energyExportTotal : Key.energyImportTotal)
    }
}
