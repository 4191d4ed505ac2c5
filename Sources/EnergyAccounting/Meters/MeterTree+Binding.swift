import LocatedText
import Telemetry

extension MeterTree {
    /// Says which meters name a series that is not there, counts nothing or counts something else.
    package func bindingFaults(series: some Sequence<Series>) -> [Fault] {
        var known: [SeriesID: Series] = [:]
        for one in series { known[one.id] = one }
        return meters.compactMap { meter in
            guard let counter = meter.counter else { return nil }
            guard let series = known[counter] else {
                let near = Spelling.nearest(
                    to: counter.description, among: known.keys.map(\.description).sorted())
                return Fault(
                    meter.location, "no device reports '\(counter)'",
                    remedy: near.map { "did you mean '\($0)'?" }
                        ?? "the device's profile lists its points")
            }
            guard series.kind == .counter else {
                return Fault(
                    meter.location,
                    "'\(counter)' is a \(series.kind.rawValue), not a counter",
                    remedy: "name the point that counts energy")
            }
            guard series.unit == meter.carrier.counterUnit else {
                return Fault(
                    meter.location,
                    "'\(counter)' counts '\(series.unit)', not '\(meter.carrier.unit)'",
                    remedy: "name the point that counts \(meter.carrier.rawValue)")
            }
            return nil
        }
    }
}
