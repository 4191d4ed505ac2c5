/// What is owed to a platform: a reference, never a payload.
package struct OwedItem: Hashable, Sendable, Codable {
    package var uplink: String
    /// What is reported, for example `rollup/15min`.
    package var kind: String
    /// For whom: the scope of a scan group, or the name of a station.
    package var scope: String
    /// The first instant of the period.
    package var start: Timestamp
    /// 0 at first; each correction raises it.
    package var revision: Int
    /// Not before this instant.
    package var due: Timestamp
    /// The rollup because of which it is owed, where several make up one item.
    package var part: Part?

    /// One row of the rollups, which stands for all series of its scan group.
    package struct Part: Hashable, Sendable, Codable {
        package var resolution: Resolution
        package var start: Timestamp
        package var series: Int

        package init(resolution: Resolution, start: Timestamp, series: Int) {
            self.resolution = resolution
            self.start = start
            self.series = series
        }
    }

    /// - Parameter part: nil where one group's bucket is the whole item: its revision is the
    ///   item's. Otherwise the item's revision rises whenever a part of what was sent changes.
    package init(
        uplink: String, kind: String, scope: String, start: Timestamp, revision: Int,
        due: Timestamp, part: Part? = nil
    ) {
        self.part = part
        self.uplink = uplink
        self.kind = kind
        self.scope = scope
        self.start = start
        self.revision = revision
        self.due = due
    }
}

/// How a platform wants one point: its word for it, its unit, its digits, and what is told of it.
package struct UplinkPoint: Hashable, Sendable {
    /// What the platform calls the point; nil leaves it to the format.
    package var name: String?
    /// The unit in which its numbers go out; nil: the canonical unit of the series.
    package var unit: Unit?
    /// Digits behind the decimal point; nil: as many as the number has.
    package var decimals: Int?
    /// What is told of each period; empty leaves it to the format.
    package var statistics: [Statistic]

    package init(
        name: String? = nil, unit: Unit? = nil, decimals: Int? = nil, statistics: [Statistic] = []
    ) {
        self.name = name
        self.unit = unit
        self.decimals = decimals
        self.statistics = statistics
    }

    /// As the gateway itself has it.
    package static let asStored = UplinkPoint()
}

/// What a number says of the readings of a period.
package enum Statistic: Hashable, Sendable {
    case mean, minimum, maximum, first, last, sum
    /// What a counter counted.
    case increase
    /// The energetic mean of levels in dB.
    case energeticMean
    /// The level in dB that is exceeded during so many hundredths of the readings, 1 to 99.
    case exceeded(Int)
    /// The mean of directions in degrees as vectors of length 1; nothing when they cancel out.
    case vectorMean

    /// Whether the readings themselves are needed, because a rollup does not tell it.
    package var needsSamples: Bool {
        switch self {
        case .energeticMean, .exceeded, .vectorMean: true
        default: false
        }
    }
}

/// One reading of one series, as it is read back.
package struct Sample: Hashable, Sendable {
    package var time: Timestamp
    package var reading: Reading
    package var flags: ScanFlags

    package init(time: Timestamp, reading: Reading, flags: ScanFlags = []) {
        self.time = time
        self.reading = reading
        self.flags = flags
    }
}

/// What is told of one period to a platform, ready to be encoded.
///
/// As a rule it is one closed bucket of one scan group; a station that several devices make up has
/// the readings of all of them.
package struct UplinkItem: Hashable, Sendable {
    /// One series and what it said.
    package struct Entry: Hashable, Sendable {
        package var series: Series
        /// The fold of the whole period, in the series' canonical unit.
        package var rollup: Rollup
        /// How the platform wants it.
        package var point: UplinkPoint
        /// The readings of the period in order of time, where the platform gets them or a statistic
        /// needs them; empty otherwise.
        package var samples: [Sample]

        package init(
            series: Series, rollup: Rollup, point: UplinkPoint = .asStored, samples: [Sample] = []
        ) {
            self.series = series
            self.rollup = rollup
            self.point = point
            self.samples = samples
        }
    }

    package var site: SiteID
    /// What is told and how long the period is: `rollup/15min`, `raw/1min`, `2051/10min`.
    package var kind: String
    /// For whom: the scope of a scan group, or the name of a station.
    package var scope: String
    /// nil for a station that several devices make up.
    package var device: DeviceID?
    /// The first instant of the period.
    package var start: Timestamp
    /// The first instant after it.
    package var end: Timestamp
    package var revision: Int
    /// False while the store cannot write (state `unstored`).
    package var isStored: Bool
    /// True for what is told later than it would have been: the backlog of an outage.
    package var isBacklog: Bool
    package var entries: [Entry]

    package init(
        site: SiteID, kind: String, scope: String, device: DeviceID?, start: Timestamp,
        end: Timestamp, revision: Int, isStored: Bool = true, isBacklog: Bool = false,
        entries: [Entry]
    ) {
        self.site = site
        self.kind = kind
        self.scope = scope
        self.device = device
        self.start = start
        self.end = end
        self.revision = revision
        self.isStored = isStored
        self.isBacklog = isBacklog
        self.entries = entries
    }

    /// One closed bucket of one scan group.
    package init(
        site: SiteID, scope: String, device: DeviceID, bucket: Bucket, revision: Int,
        isStored: Bool = true, entries: [Entry]
    ) {
        self.init(
            site: site, kind: Self.kind(.rollup, bucket.resolution), scope: scope, device: device,
            start: bucket.start, end: bucket.end, revision: revision, isStored: isStored,
            entries: entries)
    }

    /// What is told of a bucket.
    package enum Content: String, Hashable, Sendable, CaseIterable {
        /// The folds of its readings.
        case rollup
        /// The readings themselves.
        case raw
    }

    /// The kind of an item that is one bucket.
    package static func kind(_ content: Content, _ resolution: Resolution) -> String {
        "\(content.rawValue)/\(resolution.rawValue)"
    }

    /// The second part of the kind, how long the period is: `15min`.
    package var span: String {
        kind.split(separator: "/", maxSplits: 1).last.map(String.init) ?? kind
    }

    /// Equal for every revision and every attempt of the same item: `site|kind|scope|start`.
    package var idempotencyKey: String { "\(site)|\(kind)|\(scope)|\(start.rfc3339())" }
}

/// What came of one attempt to send one item.
package enum Outcome: Hashable, Sendable {
    case accepted
    case retry(after: Duration, reason: String)
    /// The receiver has seen it and does not want it.
    case rejected(reason: String)
    /// Nothing was sent and nothing will be: there is nothing to tell, or no way to say it.
    case expired(reason: String)
}
