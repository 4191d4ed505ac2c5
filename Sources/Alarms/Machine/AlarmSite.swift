import Telemetry

/// What the rules need to know of the site besides the readings.
package struct AlarmSite: Sendable {
    /// What the configuration says of a device.
    package struct Device: Hashable, Sendable {
        /// As its profile names it, for example `crane.tower`.
        package var kind: String
        /// The link on which it is read.
        package var link: String
        /// The part of the site in which it stands; nil when nobody has said.
        package var area: String?

        package init(kind: String = "", link: String = "", area: String? = nil) {
            self.kind = kind
            self.link = link
            self.area = area
        }
    }

    /// As registered; a series that stands in several groups is watched in each.
    package var groups: [ScanGroup]
    package var devices: [DeviceID: Device]
    /// Devices whose word stands until it is taken back: it does not grow old.
    package var standing: Set<DeviceID>
    package var calendar: SiteCalendar
    /// `construction` or `operation`; nil when nobody has said.
    package var phase: String?
    /// The units of the vocabulary by their symbols: a limit may be written in any of a dimension.
    package var units: [String: Unit]

    package init(
        groups: [ScanGroup], devices: [DeviceID: Device] = [:], standing: Set<DeviceID> = [],
        calendar: SiteCalendar = .utc, phase: String? = nil, units: [String: Unit] = [:]
    ) {
        self.units = units
        self.groups = groups
        self.devices = devices
        self.standing = standing
        self.calendar = calendar
        self.phase = phase
    }
}
