import CraneWork
import Foundation
import Telemetry

/// `Config/cranes/work.yaml`.
let shippedFile = URL(filePath: #filePath).appending(path: "../../../Config/cranes/work.yaml")
    .standardizedFileURL

/// The shipped figures.
let shipped: LiftOptions = {
    do {
        let text = try String(contentsOf: shippedFile, encoding: .utf8)
        return try CraneWorkFile.parse(text, file: "work.yaml")
    } catch {
        fatalError("\(error)")
    }
}()

let crane = DeviceID("crane-1")

/// The instant `seconds` after a midnight.
func at(_ seconds: Double) -> Timestamp {
    Timestamp(milliseconds: 1_767_225_600_000 + Int64((seconds * 1000).rounded()))
}

func seconds(_ time: Timestamp) -> Double {
    Double(time.milliseconds - at(0).milliseconds) / 1000
}

func seconds(_ duration: Duration) -> Double { Double(duration.milliseconds) / 1000 }

extension [CraneRecord] {
    var lifts: [Lift] { compactMap { if case .lift(let lift) = $0 { lift } else { nil } } }
    var overloads: [OverloadEpisode] {
        compactMap { if case .overload(let episode) = $0 { episode } else { nil } }
    }
    var nearMisses: [NearMiss] {
        compactMap { if case .nearMiss(let miss) = $0 { miss } else { nil } }
    }
}

/// Everything that a detector makes of some instants, silence at the end included.
func fold(
    _ instants: [CraneInstant], options: LiftOptions = shipped, period: Duration? = nil
) -> [CraneRecord] {
    var detector = LiftDetector(crane: crane, options: options, period: period)
    var out = instants.flatMap { detector.handle($0) }
    if let last = instants.map(\.time).max() { out += detector.advance(to: last + .seconds(3600)) }
    return out
}

/// Loads as text, one reading a step: `0x5 2x10 ? 2x5 0x4`; `?` is a bad reading, `_` none at all.
///
/// The hook rises by half a metre with every reading, so that a load that stands is a lift.
func loads(
    _ text: String, every step: Double = 5, from start: Double = 0, rising: Double = 0.5
) -> [CraneInstant] {
    var instants: [CraneInstant] = []
    var number = 0.0
    for word in text.split(separator: " ") {
        let parts = word.split(separator: "x")
        let times = parts.count > 1 ? Int(parts[1]) ?? 1 : 1
        for _ in 0..<times {
            defer { number += 1 }
            if parts[0] == "_" { continue }
            instants.append(
                CraneInstant(
                    time: at(start + number * step), load: Double(parts[0]),
                    hookHeight: 10 + number * rising, radius: 20, slewAngle: 90))
        }
    }
    return instants
}
