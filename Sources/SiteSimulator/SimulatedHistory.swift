import DeviceProfiles
import Telemetry

/// The past of the simulated site as scans, made piece by piece while it is read.
///
/// Every scan takes the way of the wire: values → registers or payload → readings. Chunks follow
/// each other in time and each is ordered by time, across all groups.
package struct SimulatedHistory: Sequence, IteratorProtocol {
    /// One scan group and the instant of its next scan.
    private struct Track {
        var group: ScanGroup
        var device: DeviceID
        var source: SimulatedBindings.Source
        var period: Duration
        var next: Timestamp
    }

    private let site: SimulatedSite
    private let end: Timestamp
    private let chunk: Duration
    private var chunkEnd: Timestamp
    private var tracks: [Track]

    init(
        site: SimulatedSite, from: Timestamp, to: Timestamp, chunk: Duration,
        bindings: SimulatedBindings, groups: [ScanGroup]
    ) throws(SimulationError) {
        self.site = site
        end = to
        self.chunk = chunk
        chunkEnd = from.slot(every: chunk) + chunk
        tracks = []
        for group in groups {
            guard let source = try bindings.source(of: group) else { continue }
            let period = group.period ?? SimulatedPublisher.defaultPeriod
            let slot = from.slot(every: period)
            tracks.append(
                Track(
                    group: group, device: group.device, source: source, period: period,
                    next: slot < from ? slot + period : slot))
        }
    }

    /// The scans of the next chunk, empty when no group has one in it; nil at the end.
    package mutating func next() -> [Scan]? {
        guard chunkEnd - chunk < end else { return nil }
        var scans: [Scan] = []
        let limit = chunkEnd < end ? chunkEnd : end
        for index in tracks.indices {
            while tracks[index].next < limit {
                let track = tracks[index]
                scans.append(
                    Scan(
                        group: track.group.id, time: track.next, flags: .backfill,
                        readings: track.source.readings(
                            site.values(of: track.device, at: track.next), track.next)))
                tracks[index].next = track.next + track.period
            }
        }
        chunkEnd = chunkEnd + chunk
        // A stable order, so that the same seed gives the same journal.
        scans.sort { ($0.time, $0.group) < ($1.time, $1.group) }
        return scans
    }
}

extension SimulatedSite {
    /// What the site's devices said in `[from, to)`, as scans flagged `backfill`.
    ///
    /// - Parameters:
    ///   - chunk: how much time one element covers.
    ///   - groups: the registry's scan groups, with their numbers; groups of other devices are
    ///     left out.
    /// - Throws: `foreignGroup` when a group's series are not those of the device's profile.
    package func history(
        from: Timestamp, to: Timestamp, chunk: Duration = .seconds(600),
        bindings: SimulatedBindings, groups: [ScanGroup]
    ) throws(SimulationError) -> SimulatedHistory {
        try SimulatedHistory(
            site: self, from: from, to: to, chunk: chunk, bindings: bindings, groups: groups)
    }

    /// The first instant at or after `time` at which the devices of these groups have something to
    /// say; nil when none of them belongs to the site.
    ///
    /// Where history ends between two of these instants and live readings begin before the second,
    /// none is missing and none is said twice.
    package func nextScan(
        from time: Timestamp, bindings: SimulatedBindings, groups: [ScanGroup]
    ) throws(SimulationError) -> Timestamp? {
        var next: Timestamp?
        for group in groups where try bindings.source(of: group) != nil {
            let period = group.period ?? SimulatedPublisher.defaultPeriod
            let slot = time.slot(every: period)
            let first = slot < time ? slot + period : slot
            next = next.map { min($0, first) } ?? first
        }
        return next
    }
}
