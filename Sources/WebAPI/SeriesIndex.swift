import LocatedText
import Telemetry

/// Every configured series with its group and device, found by name.
struct SeriesIndex: Sendable {
    struct Entry: Sendable {
        var series: Series
        var group: ScanGroup
        var device: DeviceDescription
    }

    private let devices: [DeviceDescription]
    private let places: [DeviceID: Int]

    init(_ devices: [DeviceDescription]) {
        self.devices = devices
        places = Dictionary(devices.enumerated().map { ($1.id, $0) }) { first, _ in first }
    }

    /// In the order of the configuration, each series once; made anew at each call, because a large
    /// site has tens of thousands and nobody asks for all of them often.
    var entries: [Entry] {
        devices.flatMap { device in
            var known: Set<PointKey> = []
            return device.groups.flatMap { group in
                group.series.filter { known.insert($0.id.point).inserted }
                    .map { Entry(series: $0, group: group, device: device) }
            }
        }
    }

    subscript(_ id: SeriesID) -> Entry? {
        guard let place = places[id.device] else { return nil }
        for group in devices[place].groups {
            guard let series = group.series.first(where: { $0.id == id }) else { continue }
            return Entry(series: series, group: group, device: devices[place])
        }
        return nil
    }

    /// The series of this name; unknown names are answered with the nearest spelling.
    func entry(_ id: String) throws(Problem) -> Entry {
        if let entry = SeriesID(id).flatMap({ self[$0] }) { return entry }
        let names = entries.map(\.series.id.description)
        throw Problem(
            status: .notFound, code: "unknown_series", title: "The series is not known",
            detail: "no device reports '\(id)'", field: "id",
            remedy: Spelling.nearest(to: id, among: names).map { "did you mean '\($0)'?" }
                ?? "the series are listed at /api/v1/series")
    }
}
