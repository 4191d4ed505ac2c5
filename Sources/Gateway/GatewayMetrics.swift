import Acquisition
import Store
import Telemetry
import WebAPI

/// Gathers the figures of the loops, the links and the store for `/metrics` (design 7.4).
struct GatewayMetrics: Sendable {
    let counters: GatewayCounters
    let status: AcquisitionStatus
    let reader: StoreReader
    /// As they stand in the outbox: the uplinks and the feeds.
    let receivers: [String]
    let clock: TrustedWallClock

    func samples() async -> [MetricSample] {
        var samples = loops() + links() + time()
        if let statistics = try? await reader.statistics() {
            samples += store(statistics)
        }
        for uplink in receivers {
            guard let status = try? await reader.uplinkStatus(uplink: uplink) else { continue }
            samples.append(
                MetricSample(
                    "plumbline_uplink_owed_items", .gauge,
                    help: "Items that a platform or a feed has not acknowledged yet.",
                    labels: [("uplink", uplink)], value: Double(status.owed)))
            if let oldest = status.oldestOwed {
                samples.append(
                    MetricSample(
                        "plumbline_uplink_oldest_owed_timestamp_seconds", .gauge,
                        help: "When the oldest of them begins; absent when nothing is owed.",
                        labels: [("uplink", uplink)], value: Double(oldest.milliseconds) / 1000))
            }
            for (outcome, count) in [
                ("accepted", status.accepted), ("retried", status.retried),
                ("rejected", status.rejected), ("expired", status.expired),
            ] {
                samples.append(
                    MetricSample(
                        "plumbline_uplink_attempts_total", .counter,
                        help: "What came of what was owed, since the store was made.",
                        labels: [("uplink", uplink), ("outcome", outcome)], value: Double(count)))
            }
        }
        return samples
    }

    private func loops() -> [MetricSample] {
        let values = counters.values
        func total(_ name: String, _ help: String, _ value: Int) -> MetricSample {
            MetricSample("plumbline_\(name)_total", .counter, help: help, value: Double(value))
        }
        return [
            total("commits", "Journal rows made durable.", values.commits),
            total("commits_failed", "Commits that the store refused.", values.failedCommits),
            total("scans_committed", "Scans made durable.", values.scans),
            total("readings_committed", "Readings made durable.", values.readings),
            total("store_outages", "Times in which nothing could be written.", values.outages),
            total(
                "alarm_transitions_unstored", "Changes of alarms found while nothing was stored.",
                values.unstoredTransitions),
            MetricSample(
                "plumbline_store_unstored", .gauge,
                help: "1 while nothing can be written to the store.",
                value: values.isUnstored ? 1 : 0),
        ]
            + DropReason.allCases.map { reason in
                MetricSample(
                    "plumbline_readings_dropped_total", .counter,
                    help: "Readings that were given up, by reason.",
                    labels: [("reason", reason.rawValue)],
                    value: Double(values.dropped[reason, default: 0]))
            }
    }

    private func time() -> [MetricSample] {
        let status = clock.status
        func gauge(_ name: String, _ help: String, _ value: Double) -> MetricSample {
            MetricSample("plumbline_clock_\(name)", .gauge, help: help, value: value)
        }
        return [
            gauge(
                "trusted", "1 while the time of day is confirmed, not estimated or unknown.",
                status.state == .trusted ? 1 : 0),
            gauge(
                "estimated", "1 while the time of day is worked out without anybody's word.",
                status.state == .estimated ? 1 : 0),
            gauge(
                "offset_seconds", "What the machine's clock shows minus the time in use.",
                status.offsetSeconds ?? 0),
            gauge(
                "step_disbelieved", "1 while the machine's clock has stepped and is not followed.",
                status.isStepDisbelieved ? 1 : 0),
        ]
    }

    private func links() -> [MetricSample] {
        status.links.sorted { $0.key < $1.key }.flatMap { name, link in
            let labels = [(name: "link", value: name)]
            return [
                MetricSample(
                    "plumbline_link_connected", .gauge, help: "1 while the link is connected.",
                    labels: labels, value: link.isConnected ? 1 : 0),
                MetricSample(
                    "plumbline_link_requests_total", .counter,
                    help: "Requests made, or messages received.", labels: labels,
                    value: Double(link.requests)),
                MetricSample(
                    "plumbline_link_failures_total", .counter,
                    help: "Requests that brought no usable answer.", labels: labels,
                    value: Double(link.failures)),
                MetricSample(
                    "plumbline_slots_missed_total", .counter,
                    help: "Slots that passed before they could be polled.", labels: labels,
                    value: Double(link.missed)),
                MetricSample(
                    "plumbline_link_sessions_lost_total", .counter,
                    help: "Times in which the broker came back without the link's session.",
                    labels: labels, value: Double(link.sessionsLost)),
                MetricSample(
                    "plumbline_link_subscriptions_lost_total", .counter,
                    help: "Times in which the connection stood and the subscriptions were gone.",
                    labels: labels, value: Double(link.subscriptionsLost)),
            ]
                + RefusalReason.allCases.map { reason in
                    MetricSample(
                        "plumbline_messages_refused_total", .counter,
                        help: "Messages that brought no reading, by reason.",
                        labels: labels + [(name: "reason", value: reason.rawValue)],
                        value: Double(link.refused[reason, default: 0]))
                }
        }
    }

    private func store(_ statistics: StoreStatistics) -> [MetricSample] {
        func gauge(_ name: String, _ help: String, _ value: Int64) -> MetricSample {
            MetricSample("plumbline_\(name)", .gauge, help: help, value: Double(value))
        }
        return [
            gauge("store_file_bytes", "Bytes of the store's file.", statistics.fileBytes),
            gauge("store_wal_bytes", "Bytes of its write-ahead log.", statistics.walBytes),
            gauge(
                "store_used_bytes", "Bytes in use: pages, write-ahead log and ballast.",
                statistics.usedBytes),
            gauge(
                "store_budget_bytes", "Bytes that may be in use; 0 before it is known.",
                statistics.budgetBytes),
            gauge(
                "store_ballast_bytes", "Bytes held back for a full disk.",
                statistics.ballastBytes),
            gauge(
                "store_full", "1 while the budget is used up and nothing may be removed.",
                statistics.isFull ? 1 : 0),
            gauge(
                "store_damaged_buckets",
                "Sealed buckets of readings found damaged since the start.",
                Int64(statistics.damagedBuckets)),
            gauge(
                "store_quarantined_buckets",
                "Damaged buckets put aside for late readings since the store was made.",
                Int64(statistics.quarantinedBuckets)),
            gauge(
                "store_damaged_packs", "Days of packed quarters found damaged since the start.",
                Int64(statistics.damagedPacks)),
            gauge("journal_rows", "Rows of the journal.", statistics.journalRows),
            gauge(
                "evaluation_behind_rows", "Journal rows that are not evaluated durably yet.",
                max(0, statistics.newestSequence - statistics.evaluationCursor)),
            gauge(
                "store_damaged_rows",
                "Rows found damaged, in passing since the start or by the last verification.",
                Int64(max(statistics.damagedRows, counters.values.damagedRows))),
        ]
            + statistics.removed.map { removal in
                MetricSample(
                    "plumbline_store_removed_total", .counter,
                    help: "What housekeeping has removed since the store was made.",
                    labels: [
                        ("class", removal.kind.rawValue), ("reason", removal.reason.rawValue),
                    ], value: Double(removal.items))
            }
            + statistics.removed.filter { $0.kind == .raw }.map { removal in
                MetricSample(
                    "plumbline_store_removed_unacknowledged_total", .counter,
                    help: "Removed scans that some uplink of raw readings had not acknowledged.",
                    labels: [("reason", removal.reason.rawValue)], value: Double(removal.owed))
            }
    }
}
