import LocatedText
import Telemetry
import UplinkFormats

extension SiteConfiguration {
    /// What uplinks name and the site does not have.
    func checkUplinks(_ series: [Series], units: [String: Unit], _ faults: FaultCollector) {
        let known = Set(series.map(\.id))
        let devices = Set(series.map(\.id.device))
        func expect(_ id: SeriesID, _ location: Location) {
            if known.contains(id) { return }
            faults.add(
                location, "'\(id)' is no point of this site",
                remedy: Spelling.nearest(to: id.description, among: known.map(\.description)).map {
                    "did you mean '\($0)'?"
                } ?? "'plumbline devices' lists the points")
        }
        for uplink in uplinks {
            switch uplink.way {
            case .mqtt, .http, .sparkplug:
                uplink.selection.check(series, units: units, faults)
                uplink.way.template?.check(series, faults)
                if case .sparkplug = uplink.way { checkMetrics(uplink, series, faults) }
            case .buildingEnergy(let energy):
                for meter in energy.meters {
                    expect(meter.series, meter.location)
                    if let unit = meter.unit, units[unit] == nil {
                        faults.add(meter.location, "the vocabulary has no unit '\(unit)'")
                    }
                }
            case .hj212(let hj212):
                for station in hj212.stations {
                    for id in station.codes.values { expect(id, station.location) }
                    for device in station.devices where !devices.contains(device) {
                        faults.add(station.location, "'\(device)' is no device of this site")
                    }
                    let told = series.compactMap { one in
                        hj212.point(of: one.id, in: station, units)?.name.map { ($0, one.id) }
                    }
                    refuseDoubles(
                        told.map { (name: $0.0, id: $0.1, location: station.location) },
                        remedy: "say which: 'codes: { CODE: DEVICE.POINT }', or two stations",
                        faults)
                    if told.isEmpty {
                        faults.add(
                            station.location, "no point of this station has a code",
                            remedy: "name its devices, or 'codes: { CODE: DEVICE.POINT }'")
                    }
                }
            }
        }
    }

    /// A node has one metric of a name.
    private func checkMetrics(_ uplink: Uplink, _ series: [Series], _ faults: FaultCollector) {
        let selection = uplink.selection
        for (_, ofDevice) in Dictionary(grouping: series.map(\.id), by: \.device) {
            refuseDoubles(
                ofDevice.filter(selection.holds).sorted {
                    (selection.names[$0.description] == nil ? 0 : 1, $0.description)
                        < (selection.names[$1.description] == nil ? 0 : 1, $1.description)
                }.map { id in
                    (
                        name: selection.names[id.description] ?? id.point.text, id: id,
                        location: selection.locations[id.description] ?? uplink.location
                    )
                }, remedy: "give each a name of its own", faults)
        }
    }

    private func refuseDoubles(
        _ told: [(name: String, id: SeriesID, location: Location)], remedy: String,
        _ faults: FaultCollector
    ) {
        var seen: [String: SeriesID] = [:]
        for (name, id, location) in told {
            if let first = seen[name], first != id {
                faults.add(
                    location, "'\(first)' and '\(id)' would both be told as '\(name)'",
                    remedy: remedy)
            }
            seen[name] = seen[name] ?? id
        }
    }
}
