import Alarms
import CraneWork
import EnergyAccounting
import Store
import Telemetry

/// What the API tells about the site itself.
package struct SiteDescription: Hashable, Sendable {
    package var id: SiteID
    package var name: String
    /// The zone's name in the IANA database.
    package var timezone: String
    /// `construction` or `operation`.
    package var phase: String
    /// In m²; nil when the configuration does not say.
    package var floorAreaSquareMetres: Double?

    package init(
        id: SiteID, name: String, timezone: String, phase: String, floorAreaSquareMetres: Double?
    ) {
        self.id = id
        self.name = name
        self.timezone = timezone
        self.phase = phase
        self.floorAreaSquareMetres = floorAreaSquareMetres
    }
}

/// One configured device, as the API tells of it.
package struct DeviceDescription: Hashable, Sendable {
    package var id: DeviceID
    package var titleEn: String
    package var titleZh: String
    /// The profile's kind, for example `dust_monitor`.
    package var kind: String
    /// The id of the link on which it is read.
    package var link: String
    /// Registered groups: their series have the store's numbers.
    package var groups: [ScanGroup]

    package init(
        id: DeviceID, titleEn: String, titleZh: String, kind: String, link: String,
        groups: [ScanGroup]
    ) {
        self.id = id
        self.titleEn = titleEn
        self.titleZh = titleZh
        self.kind = kind
        self.link = link
        self.groups = groups
    }

    package var title: LocalizedText { LocalizedText(en: titleEn, zh: titleZh) }
}

/// The line that an alarm rule draws across the chart of a series.
package struct LimitLine: Hashable, Sendable {
    package var rule: String
    package var title: LocalizedText
    /// The limit, in `unit`.
    package var above: Double
    package var unit: String

    package init(rule: String, title: LocalizedText, above: Double, unit: String) {
        self.rule = rule
        self.title = title
        self.above = above
        self.unit = unit
    }
}

/// Where the page and the chart libraries lie; libraries are served, never copied.
package struct DashboardFiles: Hashable, Sendable {
    /// The folder with `index.html`; nil serves no page.
    package var directory: String?
    /// Address below `/vendor/` → path of the file, for example `dygraph.min.js`.
    package var vendor: [String: String]
    /// The file behind `/openapi.yaml`; nil serves none.
    package var openAPI: String?

    package init(directory: String?, vendor: [String: String], openAPI: String? = nil) {
        self.directory = directory
        self.vendor = vendor
        self.openAPI = openAPI
    }

    /// Where Debian's `libjs-dygraphs` and `libjs-chart.js` put what the page loads.
    package static let debianVendor = [
        "dygraph.min.js": "/usr/share/javascript/dygraphs/dygraph.min.js",
        "dygraph.css": "/usr/share/javascript/dygraphs/dygraph.min.css",
        "chart.js": "/usr/share/javascript/chart.js/chart.min.js",
    ]
}

/// Everything that the routes need, handed in by whoever composes the gateway.
package struct WebAPIContext: Sendable {
    package var site: SiteDescription
    package var calendar: SiteCalendar
    package var wallClock: any WallClock
    /// How the time of day stands; nil where nobody judges it.
    package var clockStatus: @Sendable () -> ClockStatus? = { nil }
    /// What event streams wait on.
    package var clock: any Clock<Duration>
    package var store: StoreReader
    package var devices: [DeviceDescription]
    /// Titles of points, for people; a point without one is told by its key.
    package var pointTitles: [PointKey: LocalizedText]
    /// The meters, and what the site has decided about its accounts.
    package var energy: EnergyPlan
    package var limitLines: [SeriesID: [LimitLine]]
    /// By the rule's name.
    package var alarmTitles: [String: LocalizedText]
    package var uplinks: [UplinkDescription]
    package var readiness: Readiness
    /// The gateway's own metrics; the API adds those of its requests.
    package var metrics: @Sendable () async -> [MetricSample]
    package var dashboards: DashboardFiles
    /// The shifts by which lifts are counted; nil where no lifts are counted.
    package var shifts: ShiftPlan?
    /// Who may give instructions.
    package var tokens = AccessTokens.none
    /// Takes what a person wants done; returns when it is committed and acted upon.
    package var instruct: @Sendable (AlarmInstruction) async throws -> InstructionRecord = { _ in
        throw Problem.noInstructions
    }
    /// Says a word about the site: the circumstance, the word, who says it; returns when it is
    /// committed.
    package var say: @Sendable (String, String, String) async throws -> Timestamp = { _, _, _ in
        throw Problem.noInstructions
    }
    /// Closes the statement of a month or a year in somebody's name.
    package var close: @Sendable (AccountingPeriod, String) async throws -> ClosedStatement = {
        _, _ in throw Problem.noInstructions
    }
    /// Owes a platform a range again: its name, the range, which kinds (nil: all), who asks; returns
    /// how many items are owed that were not.
    package var resend:
        @Sendable (String, Timestamp, Timestamp, Set<String>?, String) async throws -> Int = {
            _, _, _, _, _ in throw Problem.noInstructions
        }
    /// An alarm as feeds tell of it.
    package var brief: @Sendable (AlarmRecord) async -> AlarmBrief? = { _ in nil }
    /// Who hears of alarms, and under which name things are owed to them.
    package var feeds: [(id: String, receiver: String)] = []
    /// What will be exceeded, as it looks at an instant.
    package var outlook: @Sendable (Timestamp) async -> [OutlookLine] = { _ in [] }
    /// How long after its slot a reading may become visible: commit interval and poll. It is added
    /// to three periods before a device counts as not answering.
    package var visibilityAllowance: Duration

    package init(
        site: SiteDescription, calendar: SiteCalendar, wallClock: any WallClock,
        clock: any Clock<Duration>, store: StoreReader, devices: [DeviceDescription],
        pointTitles: [PointKey: LocalizedText] = [:], energy: EnergyPlan,
        limitLines: [SeriesID: [LimitLine]] = [:], alarmTitles: [String: LocalizedText] = [:],
        uplinks: [UplinkDescription] = [], readiness: Readiness,
        metrics: @escaping @Sendable () async -> [MetricSample] = { [] },
        dashboards: DashboardFiles, visibilityAllowance: Duration = .seconds(3)
    ) {
        self.site = site
        self.calendar = calendar
        self.wallClock = wallClock
        self.clock = clock
        self.store = store
        self.devices = devices
        self.pointTitles = pointTitles
        self.energy = energy
        self.limitLines = limitLines
        self.alarmTitles = alarmTitles
        self.uplinks = uplinks
        self.readiness = readiness
        self.metrics = metrics
        self.dashboards = dashboards
        self.visibilityAllowance = visibilityAllowance
    }

    var now: Timestamp { wallClock.read().wall }
}
