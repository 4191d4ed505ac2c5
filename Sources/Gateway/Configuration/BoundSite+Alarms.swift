import Alarms
import LocatedText
import Telemetry

/// What the site says of itself, beside its devices: instructions and circumstances take the way of
/// readings, as scans of devices that no link reads.
///
///     operators.instruction    text    what people want done with alarms
///     site.<circumstance>      state   what people say of the site, until they take it back
///     gateway.<point>                  what the gateway reports of itself (`OwnPoints`)
///     accounts.<point>                 how the year stands beside its quotas (`QuotaPoints`)
extension BoundSite {
    static let siteDevice = DeviceID("site")
    static let operatorsDevice = DeviceID("operators")

    /// The group whose texts are instructions.
    static let operators = own(operatorsDevice, "instruction", .text)

    /// The groups that no device reports, not yet numbered by a store.
    package var ownGroups: [ScanGroup] {
        [Self.operators, ownPoints] + [quotaPoints].compactMap(\.self)
            + configuration.circumstances.map { Self.own(Self.siteDevice, $0.id, .state) }
    }

    private static func own(
        _ device: DeviceID, _ point: String, _ kind: SeriesKind
    ) -> ScanGroup {
        ScanGroup(
            device: device, interface: "gateway", name: point,
            series: [
                Series(
                    id: SeriesID(device: device, point: PointKey(point)), kind: kind, unit: "",
                    isUrgent: true)
            ], period: nil, isPolled: false, lateness: .zero)
    }

    /// What the rules need to know of this site.
    package func alarmSite(groups: [ScanGroup]) -> AlarmSite {
        var devices: [DeviceID: AlarmSite.Device] = [:]
        for link in configuration.links {
            for device in link.devices {
                devices[device.id] = AlarmSite.Device(
                    kind: kinds[device.id] ?? "", link: link.id, area: device.area)
            }
        }
        devices[Self.gatewayDevice] = AlarmSite.Device(kind: "gateway")
        if quotaPoints != nil { devices[Self.accountsDevice] = AlarmSite.Device(kind: "accounts") }
        return AlarmSite(
            groups: groups, devices: devices,
            standing: [Self.siteDevice, Self.operatorsDevice], calendar: calendar,
            phase: configuration.site.phase, units: units)
    }

    /// Names that no device of a link may have.
    static let ownDevices = [siteDevice, operatorsDevice, gatewayDevice, accountsDevice]

    /// Checks what the site says beside its devices against them.
    ///
    /// - Returns: what is told of alarms, with its limits in the units of the series.
    static func evidence(
        _ evidence: [SiteConfiguration.Evidence], _ series: [Series], _ units: [String: Unit],
        _ faults: FaultCollector
    ) -> [SiteConfiguration.Evidence] {
        let known = Dictionary(series.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return evidence.map { one in
            var one = one
            for index in one.witnesses.indices {
                let witness = one.witnesses[index]
                guard let series = known[witness.series] else {
                    faults.add(
                        witness.location, "no device of the site reports '\(witness.series)'",
                        remedy: "name a series that `plumbline query` lists")
                    continue
                }
                one.witnesses[index].running = running(witness, series, units, faults)
            }
            return one
        }
    }

    private static func running(
        _ witness: SiteConfiguration.Evidence.Witness, _ series: Series, _ units: [String: Unit],
        _ faults: FaultCollector
    ) -> SiteConfiguration.Evidence.Running? {
        let isNumber = series.kind == .gauge || series.kind == .counter
        switch witness.running {
        case .above(let limit, let unit):
            guard isNumber else {
                faults.add(
                    witness.location, "'\(series.id)' has words, not numbers",
                    remedy: "'is:' with the words that mean that it runs")
                return nil
            }
            let plain = UnitSpelling.plain(series.unit)
            if unit == plain { return witness.running }
            guard let from = units[unit], let to = units[plain], from.dimension == to.dimension
            else {
                faults.add(
                    witness.location, "the limit is in '\(unit)', the series in '\(series.unit)'",
                    remedy: "write the limit in '\(series.unit)'")
                return nil
            }
            return .above(to.fromCanonical(from.canonical(limit)), unit: series.unit)
        case .isOneOf where isNumber:
            faults.add(
                witness.location, "'\(series.id)' has numbers, not words", remedy: "'above: 500 W'")
            return nil
        case .isOneOf, nil: return witness.running
        }
    }
}
