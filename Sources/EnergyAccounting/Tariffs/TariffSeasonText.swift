import LocatedText
import Telemetry

/// Reads `seasons:`, which cuts the year.
enum TariffSeasonText {
    /// The seasons and the season of each day of a leap year.
    static func read(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> (seasons: [TariffSeason], seasonOfDay: [Int]) {
        var seasons: [TariffSeason] = []
        var owners: [Int?] = Array(repeating: nil, count: TariffYear.daysOfYear)
        var rest: (season: Int, name: String)?
        let soFar = faults.faults.count
        for element in node.list(faults) {
            var reader = MappingReader(element, faults)
            let nameNode = reader.required("season")
            let name = nameNode.flatMap { $0.name(faults) }
            let title = reader.optional("title").flatMap { LocalizedText.parse($0, faults) }
            let months = reader.optional("months")
            let days = reader.optional("days")
            let other = reader.optional("other")
            reader.finish()
            guard let name, let nameNode else { continue }
            if seasons.contains(where: { $0.name == name }) {
                faults.add(
                    nameNode.location, "the season '\(name)' stands twice",
                    remedy: "put its months and days together")
                continue
            }
            let index = seasons.count
            seasons.append(
                TariffSeason(name: name, title: title ?? LocalizedText(en: name, zh: name)))
            if let other, other.bool(faults) == true {
                if let rest {
                    faults.add(
                        other.location, "'\(rest.name)' takes what is left of the year already",
                        remedy: "give one of the two its months")
                }
                rest = (index, name)
            }
            guard months != nil || days != nil || other != nil else {
                faults.add(
                    element.location, "the season '\(name)' has no days",
                    remedy: "add 'months: […]', 'days: [12-15..01-31]' or 'other: true'")
                continue
            }
            let parts =
                (months.map { $0.list(faults).compactMap { month($0, faults) } } ?? [])
                + (days.map {
                    TariffText.oneOrMore($0, faults).compactMap { span($0, faults) }
                } ?? [])
            for (days, location) in parts {
                claim(days, for: index, &owners, seasons, location, faults)
            }
        }
        if let rest { owners = owners.map { $0 ?? rest.season } }
        let missing = owners.indices.filter { owners[$0] == nil }
        // Days that could not be read would be reported as missing once more.
        if !missing.isEmpty, faults.faults.count == soFar {
            faults.add(
                node.location, "no season holds \(words(missing))",
                remedy: "add the days to a season, or one with 'other: true'")
        }
        // Never empty, so that the times can be read for further faults.
        return (
            seasons.isEmpty ? TariffYear.flat.seasons : seasons, owners.map { $0 ?? 0 }
        )
    }

    private static func claim(
        _ days: [Int], for season: Int, _ owners: inout [Int?], _ seasons: [TariffSeason],
        _ location: Location, _ faults: FaultCollector
    ) {
        var twice: [Int: [Int]] = [:]
        for day in days.sorted() {
            if let owner = owners[day] { twice[owner, default: []].append(day) }
            owners[day] = season
        }
        for (owner, days) in twice.sorted(by: { $0.key < $1.key }) {
            faults.add(
                location,
                "\(words(days)) lies in '\(seasons[owner].name)' and in '\(seasons[season].name)'",
                remedy: "each day of the year has one season")
        }
    }

    private static func month(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> (days: [Int], location: Location)? {
        guard let month = node.int(faults) else { return nil }
        guard (1...12).contains(month) else {
            faults.add(node.location, "'\(month)' is not a month", remedy: "1 to 12")
            return nil
        }
        let first = TariffYear.index(month: month, day: 1)
        let count = CivilTime.daysInMonth(year: leapYear, month: month)
        return (Array(first..<(first + count)), node.location)
    }

    /// `12-15..01-31`, or one day.
    private static func span(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> (days: [Int], location: Location)? {
        guard let text = node.string(faults) else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let ends: [Int?] =
            switch parts.count {
            case 1: [day(parts[0]), day(parts[0])]
            case 3 where parts[1].isEmpty: [day(parts[0]), day(parts[2])]
            default: [nil, nil]
            }
        guard let first = ends[0], let last = ends[1] else {
            faults.add(
                node.location, "'\(text)' is not a span of days of the year",
                remedy: "month and day, '12-15..01-31'")
            return nil
        }
        let days =
            first <= last
            ? Array(first...last)
            : Array(first..<TariffYear.daysOfYear) + Array(0...last)
        return (days, node.location)
    }

    /// A year that has every day that a year can have.
    private static let leapYear = 2024

    /// The place in a leap year of `12-15`.
    private static func day(_ text: Substring) -> Int? {
        let bytes = Array(text.utf8)
        let isDay =
            bytes.count == 5 && bytes[2] == 0x2D
            && [0, 1, 3, 4].allSatisfy { (0x30...0x39).contains(bytes[$0]) }
        guard isDay else { return nil }
        let month = Int(bytes[0] - 0x30) * 10 + Int(bytes[1] - 0x30)
        let day = Int(bytes[3] - 0x30) * 10 + Int(bytes[4] - 0x30)
        guard CivilTime(year: leapYear, month: month, day: day).isValid else { return nil }
        return TariffYear.index(month: month, day: day)
    }

    private static func words(_ days: [Int]) -> String {
        func text(_ day: Int) -> String {
            let first = CivilTime.daysSinceEpoch(year: leapYear, month: 1, day: 1)
            let date = CivilTime.date(daysSinceEpoch: first + day)
            return "\(TariffText.padded(date.month))-\(TariffText.padded(date.day))"
        }
        return TariffText.spans(days)
            .map {
                $0.count == 1
                    ? text($0.lowerBound) : "\(text($0.lowerBound))..\(text($0.upperBound))"
            }
            .joined(separator: ", ")
    }
}
