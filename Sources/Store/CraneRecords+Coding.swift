import CraneWork
import Foundation
import Telemetry

extension StoredCraneRecord {
    /// A record with its key and its figures beside it; nil when it cannot be written as JSON, as a
    /// figure that is no number cannot.
    package init?(_ record: CraneRecord) {
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
    package var lift: Lift? { record(.lift) }

    /// The overload that is stored here; nil for another kind.
    package var overload: OverloadEpisode? { record(.overload) }

    /// The near miss that is stored here; nil for another kind.
    package var nearMiss: NearMiss? { record(.nearMiss) }

    private func record<Record: Decodable>(_ wanted: Kind) -> Record? {
        guard kind == wanted else { return nil }
        return try? JSONDecoder().decode(Record.self, from: Data(body.utf8))
    }
}
