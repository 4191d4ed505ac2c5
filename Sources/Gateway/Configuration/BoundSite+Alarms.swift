import Alarms
import Telemetry

/// What the site says of itself, beside its devices: instructions and circumstances take the way of
/// readings, as scans of two devices that no link reads.
///
///     operators.instruction    text    what people want done with alarms
///     site.<circumstance>      state   what people say of the site, until they take it back
extension BoundSite {
    static let siteDevice = DeviceID("site")
    static let operatorsDevice = DeviceID("operators")

    /// The group whose texts are instructions.
    static let operators = own(operatorsDevice, "instruction", .text)

    /// The groups that no device reports, not yet numbered by a store.
    package var ownGroups: [ScanGroup] {
        [Self.operators]
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
        return AlarmSite(
            groups: groups, devices: devices,
            standing: [Self.siteDevice, Self.operatorsDevice], calendar: calendar,
            phase: configuration.site.phase, units: units)
    }
}
