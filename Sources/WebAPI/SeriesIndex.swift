import LocatedText
import Telemetry

/// Every configured series with its group and device, found by name.
struct SeriesIndex: Sendable {
    struct Entry: Sendable {
        var series: Series
        var group: ScanGroup
        var device: DeviceDescription
    }

    /// In the order of the configuration.
    let entries: [Entry]
    private let positions: [String: Int]

    init(_ devices: [DeviceDescription]) {
        var entries: [Entry] = []
        var positions: [String: Int] = [:]
        for device in devices {
            for group in device.groups {
                for series in group.series where positions[series.id.description] == nil {
                    positions[series.id.description] = entries.count
                    entries.append(Entry(series: series, group: group, device: device))
                }
            }
        }
        self.entries = entries
        self.positions = positions
    }

    subscript(_ id: SeriesID) -> Entry? { positions[id.description].map { entries[$0] } }

    /// The series of this name; unknown names are answered with the nearest spelling.
    func entry(_ id: String) throws(Problem) -> Entry {
        if let position = positions[id] { return entries[position] }
        let names = entries.map(\.series.id.description)
        throw Problem(
            status: .notFound, code: "unknown_series", title: "The series is not known",
            detail: "no device reports '\(id)'", field: "id",
            remedy: Spelling.nearest(to: id, among: names).map { "did you mean '\($0)'?" }
                ?? "the series are listed at /api/v1/series")
    }
}
