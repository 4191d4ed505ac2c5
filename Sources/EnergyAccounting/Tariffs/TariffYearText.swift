import LocatedText
import Telemetry

/// `seasons:` and `times:` of one table as they are written: bands by their names.
///
/// A table may take them over from another one, so names find their prices later, in `bound(to:)`.
struct TariffYearDraft {
    var seasons: [TariffSeason]
    var seasonOfDay: [Int]
    /// Season by season the bands of the quarters of each kind of day.
    var plans: [[String]]
    /// Each name of a band and the place where it is first used.
    var names: [(name: String, location: Location)]

    /// nil when something was wrong, which `faults` then knows.
    init?(
        seasons seasonsNode: LocatedNode?, times: LocatedNode, days: TariffDays,
        _ faults: FaultCollector
    ) {
        let soFar = faults.faults.count
        let year = seasonsNode.map { TariffSeasonText.read($0, faults) }
        seasons = year?.seasons ?? TariffYear.flat.seasons
        seasonOfDay = year?.seasonOfDay ?? TariffYear.flat.seasonOfDay
        names = []
        plans = []
        var grid: [[String]?] = Array(
            repeating: nil, count: seasons.count * TariffDayClass.allCases.count)
        for element in times.list(faults) {
            let entry = TariffTimesText(
                element, seasons: seasons, isSeasonal: seasonsNode != nil, days: days, faults)
            for (name, location) in entry.names where !names.contains(where: { $0.name == name }) {
                names.append((name, location))
            }
            for season in entry.seasons {
                for kind in entry.kinds {
                    let place = season * TariffDayClass.allCases.count + kind.rawValue
                    if grid[place] != nil {
                        faults.add(
                            element.location,
                            "the times of \(Self.words(seasons, season, kind)) stand twice",
                            remedy: "leave one of them out")
                    }
                    grid[place] = entry.bands
                }
            }
        }
        for season in seasons.indices {
            for kind in days.occurring
            where grid[season * TariffDayClass.allCases.count + kind.rawValue] == nil {
                faults.add(
                    times.location, "\(Self.words(seasons, season, kind)) has no times",
                    remedy: "add an entry with 'hours: { … }'")
            }
        }
        guard faults.faults.count == soFar else { return nil }
        // A kind of day that never comes has no times of its own; it gets those of working days.
        plans = grid.indices.map { place in
            let kinds = TariffDayClass.allCases.count
            return grid[place] ?? grid[place / kinds * kinds] ?? []
        }
    }

    private static func words(
        _ seasons: [TariffSeason], _ season: Int, _ kind: TariffDayClass
    ) -> String {
        seasons.count == 1
            ? "a \(kind.word)" : "a \(kind.word) of the season '\(seasons[season].name)'"
    }

    /// The year with the bands of a table; nil when a name has no price there, which is a fault.
    ///
    /// - Parameter place: where to complain when the times come from another table.
    func bound(
        to bands: [TariffBand], at place: Location?, _ faults: FaultCollector
    ) -> TariffYear? {
        var indices: [String: Int] = [:]
        for (index, band) in bands.enumerated() { indices[band.name] = index }
        var isComplete = true
        for (name, location) in names where indices[name] == nil {
            isComplete = false
            let near = Spelling.nearest(to: name, among: bands.map(\.name))
            faults.add(
                place ?? location, "the band '\(name)' has no price in this table",
                remedy: near.map { "did you mean '\($0)'?" }
                    ?? "the bands are: \(bands.map(\.name).joined(separator: ", "))")
        }
        guard isComplete else { return nil }
        return TariffYear(
            seasons: seasons, seasonOfDay: seasonOfDay,
            plans: plans.map { plan in
                TariffDayPlan(bands: plan.map { indices[$0] ?? 0 })
            })
    }
}

/// One element of `times:`: for which days it stands, and the band of each quarter.
struct TariffTimesText {
    var seasons: [Int]
    var kinds: [TariffDayClass]
    /// Of 96 quarters; empty text where a fault was noted.
    var bands: [String]
    var names: [(name: String, location: Location)]

    init(
        _ node: LocatedNode, seasons: [TariffSeason], isSeasonal: Bool, days: TariffDays,
        _ faults: FaultCollector
    ) {
        var reader = MappingReader(node, faults)
        let seasonNode = reader.optional("seasons")
        let kindNode = reader.optional("days")
        let hours = reader.required("hours")
        reader.finish()
        self.seasons = Array(seasons.indices)
        if let seasonNode, !isSeasonal {
            faults.add(
                seasonNode.location, "the table has no seasons",
                remedy: "add 'seasons:' to the table, or leave this out")
        } else if let seasonNode {
            let words = seasons.indices.map { (seasons[$0].name, $0) }
            self.seasons = TariffText.oneOrMore(seasonNode, faults)
                .compactMap { $0.word(words, faults) }
        }
        kinds = TariffDayClass.allCases
        if let kindNode {
            kinds = TariffText.oneOrMore(kindNode, faults).compactMap { element in
                let words = TariffDayClass.allCases.map { ($0.word, $0) }
                guard let kind = element.word(words, faults) else { return nil }
                if !days.occurring.contains(kind) {
                    faults.add(
                        element.location, "the tariff does not say which day is a \(kind.word)",
                        remedy: kind == .weekend
                            ? "add 'days: { weekend: [sat, sun] … }' at the top of the file"
                            : "add 'days: { known: …, holidays: […] … }' at the top of the file")
                }
                return kind
            }
        }
        names = []
        bands = Array(repeating: "", count: TariffDayPlan.quarters)
        if let hours { read(hours, faults) }
    }

    private mutating func read(_ hours: LocatedNode, _ faults: FaultCollector) {
        var owners: [String?] = Array(repeating: nil, count: TariffDayPlan.quarters)
        var isSound = true
        for entry in hours.entries(faults) {
            names.append((entry.key, entry.keyLocation))
            for element in TariffText.oneOrMore(entry.value, faults) {
                guard let quarters = Self.quarters(element, faults) else {
                    isSound = false
                    continue
                }
                var twice: [String: [Int]] = [:]
                for quarter in quarters.sorted() {
                    if let owner = owners[quarter] { twice[owner, default: []].append(quarter) }
                    owners[quarter] = entry.key
                }
                for (owner, quarters) in twice.sorted(by: { $0.key < $1.key }) {
                    faults.add(
                        element.location,
                        "\(Self.words(quarters)) stands in '\(owner)' and in '\(entry.key)'",
                        remedy: "each minute of a day has one band")
                }
            }
        }
        let missing = owners.indices.filter { owners[$0] == nil }
        // A time that could not be read would be reported as missing once more.
        if !missing.isEmpty, isSound {
            faults.add(
                hours.location, "no band holds \(Self.words(missing))",
                remedy: "each minute of a day has one band")
        }
        bands = owners.map { $0 ?? "" }
    }

    private static func words(_ quarters: [Int]) -> String {
        TariffText.spans(quarters)
            .map { "\(TariffText.time($0.lowerBound))-\(TariffText.time($0.upperBound + 1))" }
            .joined(separator: ", ")
    }

    /// The quarters of `22:00-06:00`.
    private static func quarters(_ node: LocatedNode, _ faults: FaultCollector) -> [Int]? {
        guard let text = node.string(faults) else { return nil }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
            .map { minutes($0) }
        guard ends.count == 2, let start = ends[0], let end = ends[1], start < 24 * 60 else {
            faults.add(
                node.location, "'\(text)' is not a span of a day",
                remedy: "two times with a hyphen, '08:00-11:30', '22:00-06:00' or '22:00-24:00'")
            return nil
        }
        guard start % 15 == 0, end % 15 == 0 else {
            faults.add(
                node.location, "'\(text)' does not stand on quarters of an hour",
                remedy: "minutes are 00, 15, 30 or 45")
            return nil
        }
        guard start != end else {
            faults.add(
                node.location, "'\(text)' holds no time",
                remedy: "a whole day is '00:00-24:00'")
            return nil
        }
        let (first, last) = (start / 15, end / 15)
        return first < last
            ? Array(first..<last)
            : Array(first..<TariffDayPlan.quarters) + Array(0..<last)
    }

    /// Minutes since midnight of `22:15`, 0 to 1440.
    private static func minutes(_ text: Substring) -> Int? {
        let bytes = Array(text.utf8)
        let isTime =
            bytes.count == 5 && bytes[2] == 0x3A
            && [0, 1, 3, 4].allSatisfy { (0x30...0x39).contains(bytes[$0]) }
        guard isTime else { return nil }
        let hour = Int(bytes[0] - 0x30) * 10 + Int(bytes[1] - 0x30)
        let minute = Int(bytes[3] - 0x30) * 10 + Int(bytes[4] - 0x30)
        guard minute < 60, hour < 24 || (hour == 24 && minute == 0) else { return nil }
        return hour * 60 + minute
    }
}
