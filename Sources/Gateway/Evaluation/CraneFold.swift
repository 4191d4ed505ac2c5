import CraneWork
import Store
import Telemetry

/// The cranes' part of the fold: scans in, finished lifts, overloads and near misses out.
package struct CraneFold: Sendable {
    private var detectors: [ScanGroup.ID: LiftDetector] = [:]
    private let columns: [ScanGroup.ID: CraneColumns]
    private var records: [StoredCraneRecord] = []

    /// - Parameters:
    ///   - groups: as registered.
    ///   - kinds: what each device is; only tower cranes lift.
    ///   - options: what counts as a lift; nil where the site does not say, and then nothing does.
    package init(
        groups: [ScanGroup] = [], kinds: [DeviceID: String] = [:], options: LiftOptions? = nil
    ) {
        var columns: [ScanGroup.ID: CraneColumns] = [:]
        for group in groups where kinds[group.device] == "crane.tower" {
            guard let options, let found = CraneColumns(group: group) else { continue }
            columns[group.id] = found
            detectors[group.id] = LiftDetector(
                crane: group.device, options: options, period: group.period)
        }
        self.columns = columns
    }

    mutating func take(_ scan: Scan) {
        guard let columns = columns[scan.group], let instant = columns.instant(of: scan) else {
            return
        }
        let found = detectors[scan.group]?.handle(instant) ?? []
        records += found.compactMap { StoredCraneRecord($0) }
    }

    /// Ends a row and hands over what has been found.
    ///
    /// - Parameter now: the row's trusted wall time; nil while nobody trusts the clock.
    mutating func endRow(now: Timestamp?) -> [StoredCraneRecord] {
        if let now {
            for id in detectors.keys.sorted() {
                let found = detectors[id]?.advance(to: now) ?? []
                records += found.compactMap { StoredCraneRecord($0) }
            }
        }
        defer { records = [] }
        return records
    }

    /// What a checkpoint keeps: each detector's state by its group's number.
    var state: [Int: [UInt8]] {
        Dictionary(
            uniqueKeysWithValues: detectors.map { ($0.key.number, $0.value.state.encoded()) })
    }

    /// Goes on from a stored state; a crane whose part cannot be read begins anew.
    mutating func restore(_ state: [Int: [UInt8]]) {
        for (number, bytes) in state {
            let id = ScanGroup.ID(number)
            guard detectors[id] != nil, let restored = try? LiftDetectorState(decoding: bytes)
            else { continue }
            detectors[id]?.restore(restored)
        }
    }
}
