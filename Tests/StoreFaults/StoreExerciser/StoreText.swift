import Store
import Telemetry

/// All that a store holds, read through its own calls, as lines of text.
///
/// `store_text.py` writes the same lines from the file itself, by docs/formats/store.md alone.
struct StoreText {
    private let reader: StoreReader
    private static let start = Timestamp(milliseconds: 0)
    private static let end = Timestamp(milliseconds: 4_000_000_000_000)

    /// - Parameter calendar: the site's, as the file was made with it.
    static func lines(
        ofStoreIn folder: String, calendar: SiteCalendar, seals: Bool
    ) async throws(StoreError) -> [String] {
        let store = try Store.open(StoreOptions(directory: folder), calendar: calendar)
        if seals { try await Sealing.everything(of: store) }
        let text = StoreText(reader: store.reader)
        let registry = try await store.reader.registry()
        let groups = (registry.superseded + registry.groups).sorted { $0.id < $1.id }
        var lines: [String] = []
        for group in groups { lines += try await text.lines(of: group) }
        lines += try await text.rollups(of: registry)
        lines += try await text.alarms()
        for uplink in ["city", "district"] { lines += try await text.outbox(uplink) }
        lines += try await text.audit()
        if let point = try await store.reader.checkpoint() {
            lines.append("checkpoint \(point.version) \(point.cursor) \(hex(point.state))")
        }
        try store.close()
        return lines
    }

    private func lines(of group: ScanGroup) async throws(StoreError) -> [String] {
        let points = group.series.map { "\($0.id.point)#\($0.number)" }.joined(separator: ",")
        let scans = try await reader.scans(group: group.id, from: Self.start, to: Self.end)
        return ["group \(group.id) \(group.scope) \(points)"]
            + scans.map { scan in
                let readings = scan.readings.map(Self.text).joined(separator: "|")
                return "scan \(group.id) \(scan.time.milliseconds) \(scan.sequence)"
                    + " \(scan.flags.rawValue) \(readings)"
            }
    }

    private func rollups(of registry: Registry) async throws(StoreError) -> [String] {
        var lines: [String] = []
        let series = registry.groups.flatMap(\.series).sorted { $0.number < $1.number }
        for resolution in [Resolution.quarterHour, .hour, .day, .month] {
            for series in series {
                let found = try await reader.rollups(
                    series: series.number, resolution: resolution, from: Self.start, to: Self.end)
                lines += found.map { record in
                    let rollup = record.rollup
                    let fields: [String] = [
                        resolution.rawValue, "\(series.number)",
                        "\(record.bucket.start.milliseconds)", "\(rollup.count)", "\(rollup.bad)",
                        Self.text(rollup.expected),
                        Self.text(rollup.first == nil ? nil : rollup.sum.value),
                        Self.text(rollup.minimum), Self.text(rollup.maximum),
                        Self.text(rollup.first?.value), Self.text(rollup.last?.value),
                        Self.text(rollup.increase?.double), rollup.isEstimated ? "1" : "0",
                        "\(record.revision)",
                    ]
                    return "rollup " + fields.joined(separator: " ")
                }
            }
        }
        return lines
    }

    private func alarms() async throws(StoreError) -> [String] {
        var lines: [String] = []
        for alarm in try await reader.alarms() {
            lines.append(
                "alarm \(alarm.key) \(alarm.state.rawValue) \(alarm.raised.milliseconds)")
            for change in try await reader.transitions(alarmKey: alarm.key) {
                let e = change.evidence
                lines.append(
                    "change \(change.time.milliseconds) \(change.from.rawValue)"
                        + " \(change.to.rawValue) \(change.ruleVersion) \(change.severity)"
                        + " \(e.value) \(e.unit) \(e.limit) \(e.windowStart.milliseconds)"
                        + " \(e.windowEnd.milliseconds) \(e.samples) \(Self.text(e.coverage))"
                        + " \(change.isBackfill ? 1 : 0)")
            }
        }
        return lines
    }

    private func outbox(_ uplink: String) async throws(StoreError) -> [String] {
        let status = try await reader.uplinkStatus(uplink: uplink)
        let owed = try await reader.owedItems(
            uplink: uplink, now: Self.end, correctionSpacing: .zero, liveSince: Self.start,
            live: true, limit: 10_000)
        let fields: [String] = [
            uplink, "\(status.owed)", "\(status.accepted)", "\(status.retried)",
            "\(status.rejected)", "\(status.expired)", status.lastOutcome ?? "-",
            Self.text(status.lastTime?.milliseconds),
            Self.text(status.lastAccepted?.milliseconds), status.lastReason ?? "-",
        ]
        return ["uplink " + fields.joined(separator: " ")]
            + owed.map {
                "owed \(uplink) \($0.kind) \($0.scope) \($0.start.milliseconds) \($0.revision)"
                    + " \($0.due.milliseconds)"
            }
    }

    private func audit() async throws(StoreError) -> [String] {
        let verdict = try await reader.verifyAudit()
        return try await reader.audit(limit: 1000).map {
            "audit \($0.sequence) \($0.time.milliseconds) \($0.actor) \($0.action) \($0.detail)"
                + " \(Self.hex($0.hash))"
        } + ["audit \(verdict)"]
    }

    private static func text(_ reading: Reading) -> String {
        switch reading {
        case .good(.number(let number)): "\(number)"
        case .good(.text(let text)): "'\(text)'"
        case .bad(let reason): "!\(reason.rawValue)"
        }
    }

    private static func text<T>(_ value: T?) -> String { value.map { "\($0)" } ?? "-" }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// Seals all that can be sealed, as the evaluation does bit by bit.
enum Sealing {
    static func everything(of store: Store) async throws(StoreError) {
        guard let checkpoint = try await store.reader.checkpoint() else { return }
        while true {
            let seals = store.reader.dueSeals(
                cursor: checkpoint.cursor, now: nil, everything: true)
            if seals.isEmpty { return }
            try await store.writer.apply(
                EvaluationEffects(checkpoint: checkpoint, seals: seals))
        }
    }
}
