import CraneWork
import Foundation
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
    package init(groups: [ScanGroup] = [], kinds: [DeviceID: String] = [:]) {
        var columns: [ScanGroup.ID: CraneColumns] = [:]
        for group in groups where kinds[group.device] == "crane.tower" {
            guard let found = CraneColumns(group: group) else { continue }
            columns[group.id] = found
            detectors[group.id] = LiftDetector(crane: group.device, period: group.period)
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

extension StoredCraneRecord {
    /// nil when the record cannot be written as JSON, which a figure that is no number would be.
    init?(_ record: CraneRecord) {
        switch record {
        case .lift(let lift):
            guard let body = Self.text(lift) else { return nil }
            self.init(
                key: "lift|\(lift.key)", kind: .lift, crane: lift.crane, start: lift.start,
                end: lift.end, peakLoad: lift.peakLoad, peakMoment: lift.peakMomentRatio,
                greatestWind: lift.greatestWind, overloads: lift.overloads,
                isBackfill: lift.isBackfill, body: body)
        case .overload(let episode):
            guard let body = Self.text(episode) else { return nil }
            self.init(
                key: "overload|\(episode.key)", kind: .overload, crane: episode.crane,
                start: episode.start, end: episode.end, peakLoad: nil,
                peakMoment: episode.quantity == .moment ? episode.peak : nil, greatestWind: nil,
                overloads: episode.level == .overload ? 1 : 0, isBackfill: episode.isBackfill,
                body: body)
        case .nearMiss(let miss):
            guard let body = Self.text(miss) else { return nil }
            self.init(
                key: "near_miss|\(miss.key)", kind: .nearMiss, crane: miss.crane, start: miss.start,
                end: miss.end, peakLoad: nil, peakMoment: miss.kind == .moment ? miss.peak : nil,
                greatestWind: miss.kind == .wind ? miss.peak : nil, overloads: 0,
                isBackfill: miss.isBackfill, body: body)
        }
    }

    private static func text(_ value: some Encodable) -> String? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The lift that is stored here; nil for another kind.
    package var lift: Lift? {
        guard kind == .lift else { return nil }
        return try? JSONDecoder().decode(Lift.self, from: Data(body.utf8))
    }

    /// The near miss that is stored here; nil for another kind.
    package var nearMiss: NearMiss? {
        guard kind == .nearMiss else { return nil }
        return try? JSONDecoder().decode(NearMiss.self, from: Data(body.utf8))
    }
}
