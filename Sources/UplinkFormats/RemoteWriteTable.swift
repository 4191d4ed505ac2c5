import RemoteWriteWire
import Telemetry

/// The series of one request while it is filled.
struct RemoteWriteTable {
    /// What names a series. A label without a value is the same as none (Prometheus' data model), so
    /// empty ones are left out.
    struct Key: Hashable {
        var metric: String
        var site: String
        var device = ""
        var point = ""
        var resolution = ""
        var stat = ""

        static let names: Set = ["device", "point", "resolution", "site", "stat"]

        fileprivate var labels: [RemoteWriteRequest.Label] {
            [
                .init("__name__", metric), .init("device", device), .init("point", point),
                .init("resolution", resolution), .init("site", site), .init("stat", stat),
            ]
        }
    }

    private let common: [RemoteWriteRequest.Label]
    private var series: [RemoteWriteRequest.TimeSeries] = []
    private var places: [Key: Int] = [:]

    /// - Parameter labels: of every series. Those that a key has itself, and those that begin with two
    ///   underscores, which engines keep for themselves, are left out.
    init(labels: [String: String]) {
        var byName: [String: String] = [:]
        // Two spellings may become one legal name: then the one that sorts last is told.
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) {
            let legal = RemoteWriteNames.legal(name)
            if !legal.hasPrefix("__"), !Key.names.contains(legal) { byName[legal] = value }
        }
        common = byName.map { .init($0.key, $0.value) }
    }

    /// Adds one sample to the series of that key, a new one if need be.
    mutating func add(_ value: Double, at time: Timestamp, to key: Key) {
        let sample = RemoteWriteRequest.Sample(value, at: time.milliseconds)
        if let place = places[key] {
            series[place].samples.append(sample)
            return
        }
        let labels = (key.labels + common).filter { !$0.value.isEmpty }
            .sorted { $0.name < $1.name }
        places[key] = series.count
        series.append(.init(labels: labels, samples: [sample]))
    }

    /// The series in the order in which they came, each with its samples in order of time. Of two
    /// samples at one instant the later one counts.
    var request: RemoteWriteRequest {
        RemoteWriteRequest(
            series.map { series in
                let samples = series.samples
                let isOrdered = zip(samples, samples.dropFirst())
                    .allSatisfy { $0.timestamp < $1.timestamp }
                if isOrdered { return series }
                let latest = Dictionary(
                    samples.map { ($0.timestamp, $0) }, uniquingKeysWith: { _, later in later })
                return .init(
                    labels: series.labels,
                    samples: latest.values.sorted { $0.timestamp < $1.timestamp })
            })
    }
}

extension [UplinkItem] {
    /// The key of one item, or those of the first and last of several.
    var sharedKey: String {
        guard let first, let last else { return "" }
        return count == 1
            ? first.idempotencyKey : "\(first.idempotencyKey)..\(last.idempotencyKey)"
    }
}
