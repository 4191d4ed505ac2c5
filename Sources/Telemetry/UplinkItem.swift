/// What is owed to a platform: a reference, never a payload.
package struct OwedItem: Hashable, Sendable, Codable {
    package var uplink: String
    /// What is reported, for example `rollup/15min`.
    package var kind: String
    /// For whom: the scope of a scan group.
    package var scope: String
    /// The start of the bucket.
    package var start: Timestamp
    /// 0 at first; each correction raises it.
    package var revision: Int
    /// Not before this instant.
    package var due: Timestamp

    package init(
        uplink: String, kind: String, scope: String, start: Timestamp, revision: Int,
        due: Timestamp
    ) {
        self.uplink = uplink
        self.kind = kind
        self.scope = scope
        self.start = start
        self.revision = revision
        self.due = due
    }
}

/// One closed bucket of one scan group, ready to be encoded for a platform.
package struct UplinkItem: Hashable, Sendable {
    /// One series and its rollup.
    package struct Entry: Hashable, Sendable {
        package var series: Series
        package var rollup: Rollup
        package init(series: Series, rollup: Rollup) {
            self.series = series
            self.rollup = rollup
        }
    }

    package var site: SiteID
    package var scope: String
    package var device: DeviceID
    package var bucket: Bucket
    package var revision: Int
    /// False while the store cannot write (state `unstored`).
    package var isStored: Bool
    package var entries: [Entry]

    package init(
        site: SiteID, scope: String, device: DeviceID, bucket: Bucket, revision: Int,
        isStored: Bool = true, entries: [Entry]
    ) {
        self.site = site
        self.scope = scope
        self.device = device
        self.bucket = bucket
        self.revision = revision
        self.isStored = isStored
        self.entries = entries
    }

    package var kind: String { "rollup/\(bucket.resolution.rawValue)" }

    /// Equal for every revision and every attempt of the same item: `site|kind|scope|start`.
    package var idempotencyKey: String {
        "\(site)|\(kind)|\(scope)|\(bucket.start.rfc3339())"
    }
}

/// What came of one attempt to send one item.
package enum Outcome: Hashable, Sendable {
    case accepted
    case retry(after: Duration, reason: String)
    case rejected(reason: String)
}
