import Telemetry
import TestSeeds

@testable import BucketCodec

let group = ScanGroup.ID(3)

/// A bucket that nobody would choose: any kind of column, any times, any quality.
struct RandomBucket {
    var scans: [Scan]
    var width: Int
    var period: Duration?

    var rows: BucketRows { BucketRows(scans: scans, width: width) }

    init(using random: inout SeededGenerator, rows fixedRows: Int? = nil) {
        let sizes = [0, 1, 2, 3, 17, 127, 128, 129, 240, 257, 400]
        let rows = fixedRows ?? sizes.randomElement(using: &random) ?? 1
        width = Int.random(in: 0...5, using: &random)
        let millisecond = [nil, 1, 7, 1000, 15_000, 3_600_000, 86_400_000].randomElement(
            using: &random)
        period = (millisecond ?? nil).map { .milliseconds($0) }
        let times = Self.times(rows, period, &random)
        let columns = (0..<width).map { _ in Self.column(rows, &random) }
        let isPlain = !random.oneIn(4)
        scans = (0..<rows).map { row in
            Scan(
                group: group, time: times[row].0, sequence: times[row].1,
                flags: isPlain ? [] : ScanFlags(rawValue: .random(in: 0...255, using: &random)),
                readings: columns.map { $0[row] })
        }
    }

    private static func times(
        _ rows: Int, _ period: Duration?, _ random: inout SeededGenerator
    ) -> [(Timestamp, UInt16)] {
        let kind = Int.random(in: 0..<7, using: &random)
        let step = period?.milliseconds ?? 30_000
        var time = Int64.random(in: 1_700_000_000_000...1_900_000_000_000, using: &random)
        time -= kind == 0 ? time % step : 0
        var sequence: UInt16 = 0
        return (0..<rows).map { _ in
            defer {
                sequence = 0
                switch kind {
                case 0, 1: time += step
                case 2: time += step * (random.oneIn(9) ? .random(in: 1...999, using: &random) : 1)
                case 3:
                    if random.oneIn(3) {
                        sequence = random.oneIn(2) ? .max : .random(in: 0...9, using: &random)
                    } else {
                        time += step
                    }
                case 4: time += .random(in: -50...5000, using: &random)
                default: time = .random(in: .min ... .max, using: &random)
                }
            }
            let jitter = kind == 1 ? Int64.random(in: -6...6, using: &random) : 0
            return (Timestamp(milliseconds: time + jitter), sequence)
        }
    }

    private static func column(_ rows: Int, _ random: inout SeededGenerator) -> [Reading] {
        let good = values(rows, &random)
        let badness = [0, 0, 0, 2, 50, 1].randomElement(using: &random) ?? 0
        let reasons = BadReason.allCases
        var burst: BadReason?
        return good.map { value in
            switch badness {
            case 0: return .good(value)
            case 1: return .bad(reasons.randomElement(using: &random) ?? .absent)
            case 2:
                return random.oneIn(2)
                    ? .good(value) : .bad(reasons.randomElement(using: &random) ?? .absent)
            default:
                if random.oneIn(badness) {
                    burst = burst == nil ? reasons.randomElement(using: &random) : nil
                }
                return burst.map { .bad($0) } ?? .good(value)
            }
        }
    }

    private static func values(_ rows: Int, _ random: inout SeededGenerator) -> [Value] {
        let scale: Double = [1.0, 10, 100, 1000, 1e9].randomElement(using: &random) ?? 1
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            let same = Value.number(random.decimal())
            return (0..<rows).map { _ in same }
        case 1, 2:
            var mantissa = Int64.random(in: -9999...99_999, using: &random)
            return (0..<rows).map { _ in
                mantissa += random.oneIn(50) ? 40_000 : .random(in: -30...31, using: &random)
                return .number(Double(mantissa) / scale)
            }
        case 3:
            var counter = Int64.random(in: 0...Int64.max / 2, using: &random)
            return (0..<rows).map { _ in
                counter &+= .random(in: 0...4_000_000, using: &random)
                return .number(Double(counter))
            }
        case 4:
            return (0..<rows).map { _ in
                .number(Double(bitPattern: random.next()))
            }
        case 5:
            return (0..<rows).map { _ in
                .number(Double(Float.random(in: -40...90, using: &random) as Float))
            }
        case 6:
            return (0..<rows).map { _ in .number(odd.randomElement(using: &random) ?? 0) }
        case 7:
            return (0..<rows).map { _ in .text(words.randomElement(using: &random) ?? "") }
        case 8:
            return (0..<rows).map { .text(random.oneIn(3) ? "\($0) 号" : "same") }
        default:
            return (0..<rows).map { _ in
                random.oneIn(2)
                    ? .text(words.randomElement(using: &random) ?? "")
                    : .number(random.oneIn(9) ? -0.0 : random.decimal() as Double)
            }
        }
    }

    /// Numbers on which a codec can slip.
    static let odd: [Double] = [
        0, -0.0, 1, -1, .nan, .signalingNaN, -.nan, .infinity, -.infinity, .leastNonzeroMagnitude,
        -.leastNormalMagnitude, .greatestFiniteMagnitude, .ulpOfOne, 9_007_199_254_740_992,
        9_007_199_254_740_994, 9.2e18, -9_223_372_036_854_775_808, 0.1, 0.3, 1e-9, 1.1e-9, 1e300,
        Double(bitPattern: 0x7FF8_0000_DEAD_BEEF), 123_456.789, 4_503_599_627_370_495.5,
    ]

    /// The third and the fourth look alike and are not the same bytes.
    static let words = ["", "on", "\u{E9}tat", "e\u{301}tat", "停机", "a,b", "\"", "x\ny", "!bad"]
}

/// A reading bit for bit: two readings have the same text only if they are the same.
func exact(_ reading: Reading) -> String {
    switch reading {
    case .bad(let reason): "!\(reason.word)"
    case .good(.number(let number)): "number \(hex(number))"
    case .good(.text(let text)): "text \(Array(text.utf8))"
    }
}

func hex(_ number: Double) -> String {
    let digits = String(number.bitPattern, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

/// The rows bit for bit.
func exact(_ scans: [Scan]) -> [String] {
    scans.map { scan in
        "\(scan.time.milliseconds) \(scan.sequence) \(scan.flags.rawValue) "
            + scan.readings.map { exact($0) }.joined(separator: " ")
    }
}
