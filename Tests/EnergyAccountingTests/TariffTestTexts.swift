import EnergyAccounting
import LocatedText
import Telemetry
import Testing

/// Tariffs, calendars and counts that several suites use.
enum TariffTestTexts {
    static let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)

    /// Central European time of 2026.
    static let berlin = SiteCalendar(
        zone: "Europe/Berlin", initialOffset: 3600,
        transitions: [
            .init(at: instant(2026, 3, 29, 1), offset: 7200),
            .init(at: instant(2026, 10, 25, 1), offset: 3600),
        ])

    /// An instant of UTC.
    static func instant(_ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0) -> Timestamp {
        CivilTime(year: year, month: month, day: day, hour: hour).timestamp(offset: 0)
    }

    /// Working days have a peak from 8 to 22, other days are all valley.
    static let works = """
        format: tariff/1
        tariff: works-2026
        title: { en: Works, zh: 工厂 }
        carrier: electricity
        currency: CNY
        days:
          weekend: [sat, sun]
          known: 2026
          holidays: [2026-01-01, 2026-02-16..2026-02-20]
          working_days: 2026-02-14
          source: a notice
          status: example
        tables:
          - from: 2026-01-01
            until: 2026-06-30
            source: a contract
            status: example
            bands:
              - { band: peak, price: 1.02 CNY/kWh }
              - { band: valley, price: 0.3 CNY/kWh }
            times:
              - days: working-day
                hours: { peak: 08:00-22:00, valley: 22:00-08:00 }
              - days: [weekend, holiday]
                hours: { valley: 00:00-24:00 }
          - from: 2026-07-01
            source: a contract
            status: example
            price: 0.7 CNY/kWh
        """

    /// One table from 2026 without end: the head of a file and the lines of its table.
    static func book(_ table: String, days: String = "", price: String = "price: 1 CNY/kWh") throws
        -> TariffBook
    {
        try TariffFile.parse(text(table, days: days, price: price), file: "t.yaml")
    }

    static func text(_ table: String, days: String = "", price: String = "price: 1 CNY/kWh")
        -> String
    {
        let lines = (price + "\n" + table).split(separator: "\n").map { "    \($0)\n" }.joined()
        return """
            format: tariff/1
            tariff: t
            title: { en: T, zh: 表 }
            carrier: electricity
            currency: CNY
            \(days)
            tables:
              - from: 2026-01-01
                source: s
                status: example

            """ + lines
    }

    /// So many slots that each counted the same.
    static func counts(_ count: Int, each increase: ScaledInteger) -> Counts {
        var counts = Counts(count: count)
        for slot in 0..<count { counts[slot] = Counts.Slot(increase: increase) }
        return counts
    }

    static func decimal(_ text: String) throws -> Exact { try #require(Exact(text: text)) }
}
