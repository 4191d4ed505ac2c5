import Telemetry
import XMLText

/// The values of one period as the platform reads them.
///
///     <data operation="report">
///       <sequence>1</sequence>              the number of the report on this connection
///       <parser>yes</parser>                values are in engineering units
///       <time>20261121081500</time>         of the period, in site time
///       <total>1</total>                    of a run of stored periods, as far as it is known
///       <current>1</current>                this one's place in it
///       <meter id="01">
///         <function id="01" coding="330302D11001A00" error="">71204.8</function>
///       </meter>
///     </data>
///
/// A value that is bad or missing has an `error` and no text; it is never 0.
struct EnergyReport: Hashable, Sendable {
    /// `yyyyMMddHHmmss`.
    let time: String
    private let meters: [XMLTree]

    /// What is told of `item`; nil when none of its series is in the table.
    init?(_ item: UplinkItem, _ options: BuildingEnergyOptions, _ calendar: SiteCalendar) {
        let end = options.dialect.time == .end
        time = Self.text(end ? item.end : item.start, calendar)
        var meters: [XMLTree] = []
        for entry in item.entries {
            guard let point = options.meters[entry.series.id] else { continue }
            let function = Self.function(entry, point, options.dialect)
            // Two series of one meter stand below it together, also when others lie between.
            if let place = meters.firstIndex(where: { $0.attribute("id") == point.meter }) {
                meters[place].children.append(function)
            } else {
                meters.append(
                    XMLTree("meter", [.init("id", point.meter)], children: [function]))
            }
        }
        if meters.isEmpty { return nil }
        self.meters = meters
    }

    private static func function(
        _ entry: UplinkItem.Entry, _ point: EnergyMeterPoint, _ dialect: EnergyDialect
    ) -> XMLTree {
        let usual: Statistic = dialect.amount == .register ? .last : .increase
        let value = plain(entry, entry.point.statistics.first ?? usual)
        return XMLTree(
            "function",
            [
                .init("id", point.function), .init("coding", point.coding),
                .init("error", value == nil ? dialect.faultMark : dialect.goodMark),
            ], text: value ?? "")
    }

    /// Digits without an exponent, which few platforms read; nil when nothing is known.
    private static func plain(_ entry: UplinkItem.Entry, _ statistic: Statistic) -> String? {
        guard let text = entry.text(statistic) else { return nil }
        guard text.contains("e") else { return text }
        return entry.number(statistic).flatMap { DecimalText.fixed($0, places: 9) }
    }

    /// An instant as `yyyyMMddHHmmss` of the site.
    static func text(_ time: Timestamp, _ calendar: SiteCalendar) -> String {
        let civil = calendar.civil(time)
        return civil.year.padded(4)
            + [civil.month, civil.day, civil.hour, civil.minute, civil.second].map { $0.padded(2) }
            .joined()
    }

    /// The instant that 14 digits name, with or without signs between them; nil for anything else.
    static func time(_ text: String, _ calendar: SiteCalendar) -> Timestamp? {
        var digits = DigitCursor(EnergyText.digits(text).utf8)
        guard let year = digits.digits(4), let month = digits.digits(2), let day = digits.digits(2),
            let hour = digits.digits(2), let minute = digits.digits(2),
            let second = digits.digits(2), digits.isAtEnd
        else { return nil }
        let civil = CivilTime(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        return civil.isValid ? calendar.timestamp(civil) : nil
    }

    /// The element of the message.
    func element(
        _ operation: String, sequence: String, total: Int = 1, current: Int = 1
    ) -> XMLTree {
        XMLTree(
            "data", [.init("operation", operation)],
            children: [
                XMLTree("sequence", text: sequence), XMLTree("parser", text: "yes"),
                XMLTree("time", text: time), XMLTree("total", text: "\(total)"),
                XMLTree("current", text: "\(current)"),
            ] + meters)
    }
}
