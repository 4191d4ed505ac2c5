import EnergyAccounting
import LocatedText
import Telemetry
import Testing

@Suite("Outdoor temperatures and variables")
struct EnergyVariableTests {
    /// Hours of a day at so many °C; nil is unknown.
    private func days(
        _ hours: [Double?], from: String, calendar: SiteCalendar = SavingsSite.calendar,
        percent: Exact = OutdoorSource.usualKnownHoursPercent, now: String = "2027-01-01T00:00:00Z"
    ) throws -> OutdoorDays {
        let start = try #require(Timestamp(rfc3339: from))
        return OutdoorDays(
            hours: hours.enumerated().compactMap { index, celsius in
                celsius.map { (start: start + .seconds(3600 * index), celsius: $0) }
            }, knownHoursPercent: percent, calendar: calendar,
            now: try #require(Timestamp(rfc3339: now)))
    }

    private let january = "2026-01-05T00:00:00+08:00"

    @Test("a day has the mean of its hours when enough of them are known", arguments: 0...24)
    func knownHours(known: Int) throws {
        let hours = (0..<24).map { $0 < known ? Double($0) : nil }
        let day = try BaselineExample.day("2026-01-05")
        let mean = try days(hours, from: january).means[day]
        // 80 % of 24 hours are 19.2: nineteen are not enough.
        #expect(mean == (known >= 20 ? Double(known - 1) / 2 : nil))
    }

    @Test("the share is the site's own, of the hours that the day has")
    func share() throws {
        let half = (0..<24).map { $0 < 12 ? 4.0 : nil }
        let day = try BaselineExample.day("2026-01-05")
        #expect(try days(half, from: january, percent: Exact(50)).means[day] == 4)
        #expect(try days(half, from: january, percent: Exact(51)).means[day] == nil)
        // In Berlin the 29th of March 2026 has 23 hours; 23 of them are all.
        let berlin = SiteCalendar(
            zone: "Europe/Berlin", initialOffset: 3600,
            transitions: [
                .init(at: try #require(Timestamp(rfc3339: "2026-03-29T01:00:00Z")), offset: 7200)
            ])
        let spring = try days(
            Array(repeating: 7, count: 23), from: "2026-03-29T00:00:00+01:00", calendar: berlin,
            percent: Exact(100))
        #expect(spring.means == [try BaselineExample.day("2026-03-29"): 7])
    }

    @Test("a day that has not ended, and a reading that is no number, are unknown")
    func unknown() throws {
        let all = [Double?](repeating: 5, count: 24)
        #expect(try days(all, from: january, now: "2026-01-05T23:59:59+08:00").means.isEmpty)
        #expect(try days(all, from: january, now: "2026-01-06T00:00:00+08:00").means.count == 1)
        let broken = (0..<24).map { $0 < 5 ? Double.nan : 5 }
        #expect(try days(broken, from: january).means.isEmpty)
    }

    private func variables(
        _ text: String, hasOutdoor: Bool = true, entries: String = ""
    ) throws -> (variables: [EnergyVariable], faults: String) {
        let faults = FaultCollector()
        let found = EnergyVariable.parse(
            try LocatedNode.parse(text, file: "site.yaml"), faults)
        let book = entries.isEmpty ? .none : try energyEntries(entries)
        for one in found {
            faults.add(Faults(one.bindingFaults(hasOutdoor: hasOutdoor, entries: book)))
        }
        return (found, faults.faults.map(\.description).joined(separator: "\n"))
    }

    @Test("variables are read with their units")
    func read() throws {
        let (found, faults) = try variables(
            """
            - { variable: hdd, heating_below: 18 }
            - { variable: cdd, cooling_above: 26.5 }
            - { variable: concrete, produced: concrete, unit: m3 }
            - { variable: staff, of: people }
            - { variable: output, of: output }
            """)
        #expect(faults == "")
        #expect(found.map(\.unit) == ["K·d", "K·d", "m3", "person·d", "10⁴ CNY"])
        #expect(found[1].degreeDays == DegreeDayBase(.cooling, celsius: 26.5))
        #expect(found[2].baselineVariable == BaselineVariable("concrete", unit: "m3"))
    }

    @Test(
        "variables that cannot be are refused with what to do",
        arguments: [
            ("- { variable: hdd }", "exactly one thing; one of heating_below"),
            ("- { variable: hdd, heating_below: 18, of: people }", "exactly one thing"),
            ("- { variable: HDD, heating_below: 18 }", "'HDD' is not a name"),
            ("- { variable: hdd, heating_below: 64 }", "'64' is no base of degree days"),
            ("- { variable: hdd, heating_below: 18, unit: K }", "only 'produced' has a unit"),
            ("- { variable: c, produced: concrete }", "'concrete' has no unit"),
            ("- { variable: c, produced: concret, unit: m3 }", "did you mean 'concrete'?"),
            (
                "- { variable: c, produced: concrete, unit: t }",
                "'concrete' is in t here and in m3 in the entries"
            ),
            ("- { variable: c, of: peopel }", "'peopel' is not accepted here"),
            (
                "[ { variable: c, of: people }, { variable: c, of: output } ]",
                "the variable 'c' stands twice"
            ),
        ])
    func refused(text: String, words: String) throws {
        let entries = "  - { produced: concrete, unit: m3, amount: 1, month: 2026-01 }\n"
        #expect(try variables(text, entries: entries).faults.contains(words))
    }

    @Test("degree days need an outdoor temperature; a product may not have been made yet")
    func bound() throws {
        let text = "- { variable: hdd, heating_below: 18 }"
        #expect(
            try variables(text, hasOutdoor: false).faults.contains("needs an outdoor temperature"))
        #expect(try variables("- { variable: c, produced: c, unit: m3 }").faults == "")
    }

    private func outdoor(_ text: String, _ series: [Series] = []) throws -> String {
        let faults = FaultCollector()
        let source = OutdoorSource.parse(try LocatedNode.parse(text, file: "s.yaml"), faults)
        faults.add(Faults(source?.bindingFaults(series: series) ?? []))
        return faults.faults.map(\.description).joined(separator: "\n")
    }

    @Test("a temperature that is not there, or is none, is refused")
    func outdoorFaults() throws {
        func series(_ kind: SeriesKind, _ unit: String) -> [Series] {
            [
                Series(
                    id: SeriesID(device: DeviceID("s-1"), point: PointKey("air_temperature")),
                    kind: kind, unit: unit)
            ]
        }
        let good = "{ temperature: s-1.air_temperature }"
        #expect(try outdoor(good, series(.gauge, "Cel")) == "")
        #expect(try outdoor(good).contains("no device reports 's-1.air_temperature'"))
        #expect(
            try outdoor("{ temperature: s-1.air_temperatur }", series(.gauge, "Cel"))
                .contains("did you mean 's-1.air_temperature'?"))
        #expect(
            try outdoor(good, series(.gauge, "Pa")).contains("is no temperature: a gauge in 'Pa'"))
        #expect(try outdoor(good, series(.state, "Cel")).contains("a state in 'Cel'"))
        #expect(try outdoor("{ temperature: here }").contains("'here' is no series"))
        #expect(
            try outdoor("{ temperature: s-1.air_temperature, known_hours: 0 % }")
                .contains("above 0 %, at most 100 %"))
        #expect(try outdoor("{ known_hours: 80 % }").contains("'temperature' is missing"))
    }

    @Test("people and production of a period are sums of all of its days and months, or unknown")
    func values() throws {
        var site = SavingsSite()
        site.entries = """
              - { people: 10, from: 2026-01-01 }
              - { people: 40, from: 2026-02-15 }
              - { produced: concrete, unit: m3, amount: 700, month: 2026-01 }
              - { produced: concrete, unit: m3, amount: 50, month: 2026-01 }

            """
        let accounts = try site.accounts()
        func value(_ source: EnergyVariable.Source, _ period: String) throws -> Double? {
            accounts.value(
                of: EnergyVariable("v", source, location: SavingsSite.here),
                in: try #require(AccountingPeriod(period)))
        }
        // February: 14 days of 10 and 14 of 40.
        #expect(try value(.personDays, "2026-02") == 700)
        #expect(try value(.personDays, "2026-02-15") == 40)
        #expect(try value(.personDays, "2025-12-31..2026-01-01") == nil)
        #expect(try value(.produced("concrete", unit: "m3"), "2026-01") == 750)
        #expect(try value(.produced("concrete", unit: "m3"), "2026-02") == nil)
        #expect(try value(.produced("concrete", unit: "m3"), "2026-01-01") == nil)
        #expect(try value(.output, "2026-01") == nil)
    }
}
