import Foundation
import Telemetry

/// The seeded site of the storage figures: 25 series for seven days, 1,683,360 samples.
///
/// Building meters at 15 s and 60 s, dust stations at 30 s, a tower crane at 1 s, each value on the
/// resolution of a real register. Values are integers of that resolution, so every peer gets the
/// same decimal and every double is the one nearest to it. The same seed gives the same bytes.
struct Corpus {
    enum Kind: String, CaseIterable { case building, dust, crane }

    struct Column {
        var name: String
        var unit: String
        var decimals: Int
        var isCounter = false
        /// The values in units of 10^-decimals.
        var mantissas: [Int64] = []

        func value(_ row: Int) -> Double {
            Double(mantissas[row]) / [1, 10, 100, 1000][decimals]
        }
    }

    struct Group {
        var device: String
        var kind: Kind
        var period: Int
        var columns: [Column]
        /// How much later than its slot each scan came, in milliseconds; the jittered corpus.
        var jitter: [Int64] = []

        var rows: Int { columns[0].mantissas.count }
        var samples: Int { rows * columns.count }
        func time(_ row: Int, _ start: Timestamp) -> Timestamp {
            start + .seconds(row * period)
        }
    }

    static let start = Timestamp(milliseconds: 1_767_571_200_000)  // 2026-01-05T00:00:00Z

    var start = Corpus.start
    var seconds: Int
    var groups: [Group]

    init(start: Timestamp, seconds: Int, groups: [Group]) {
        self.start = start
        self.seconds = seconds
        self.groups = groups
    }

    init(days: Int = 7, seed: UInt64 = 7, start: Timestamp = Corpus.start) {
        self.start = start
        seconds = days * 86_400
        groups = []
        var number = seed &* 1000
        func source() -> Noise {
            number += 1
            return Noise(seed: number)
        }
        func add(_ device: String, _ kind: Kind, _ period: Int, _ shapes: [Shape]) {
            let rows = seconds / period
            var group = Group(device: device, kind: kind, period: period, columns: [])
            for shape in shapes { group.columns.append(shape.column(rows, period, source())) }
            var noise = source()
            group.jitter = (0..<rows).map { _ in Int64((noise.gaussian() * 6).rounded()) }
            groups.append(group)
        }
        let phase: [Shape] = [
            .power("active_power", mean: 84, swing: 61, noise: 0.3),
            .level("voltage", unit: "V", decimals: 1, mean: 231, swing: 2, noise: 0.3),
            .energy("active_energy", mean: 84, swing: 61),
        ]
        add("meter-main", .building, 15, phase)
        add("meter-plant", .building, 15, phase)
        let sub: [Shape] = [
            .power("active_power", mean: 12, swing: 9, noise: 0.3),
            .level("current", unit: "A", decimals: 2, mean: 18, swing: 13, noise: 0.09),
            .level("power_factor", unit: "1", decimals: 2, mean: 0.93, swing: 0.02, noise: 0.01),
            .energy("active_energy", mean: 12, swing: 9),
        ]
        add("meter-office", .building, 60, sub)
        add("meter-living", .building, 60, sub)
        add("meter-lift", .building, 60, Array(sub.prefix(2)) + [sub[3]])
        let station: [Shape] = [
            .level("pm10", unit: "ug/m3", decimals: 0, mean: 92, swing: 40, noise: 2.1),
            .level("pm2_5", unit: "ug/m3", decimals: 0, mean: 48, swing: 20, noise: 1.1),
            .level("sound_level", unit: "dB", decimals: 1, mean: 61, swing: 7, noise: 0.8),
        ]
        add("dust-north", .dust, 30, station)
        add("dust-south", .dust, 30, station)
        add(
            "crane-1", .crane, 1,
            [
                .moving("hook_height", unit: "m", decimals: 1, top: 60, speed: 0.7),
                .moving("load", unit: "t", decimals: 2, top: 6, speed: 0.9),
            ])
    }

    var series: Int { groups.reduce(0) { $0 + $1.columns.count } }
    var samples: Int { groups.reduce(0) { $0 + $1.samples } }

    func only(_ kinds: Set<Kind>) -> Corpus {
        var corpus = self
        corpus.groups = groups.filter { kinds.contains($0.kind) }
        return corpus
    }
}

/// How the values of one column come about.
enum Shape {
    case power(String, mean: Double, swing: Double, noise: Double)
    case level(
        String, unit: String, decimals: Int, mean: Double, swing: Double, noise: Double)
    case energy(String, mean: Double, swing: Double)
    case moving(String, unit: String, decimals: Int, top: Double, speed: Double)

    func column(_ rows: Int, _ period: Int, _ source: Noise) -> Corpus.Column {
        var noise = source
        switch self {
        case .power(let name, let mean, let swing, let sigma):
            return level(name, "kW", 1, mean, swing, sigma, rows, period, &noise)
        case .level(let name, let unit, let decimals, let mean, let swing, let sigma):
            return level(name, unit, decimals, mean, swing, sigma, rows, period, &noise)
        case .energy(let name, let mean, let swing):
            var column = Corpus.Column(name: name, unit: "kWh", decimals: 2, isCounter: true)
            var total = 1000 + noise.uniform() * 9000
            var wander = 0.0
            for row in 0..<rows {
                wander = 0.9 * wander + noise.gaussian() * mean * 0.02
                let power = max(0, day(row * period, mean, swing) + wander)
                total += power * Double(period) / 3600
                column.mantissas.append(Int64((total * 100).rounded()))
            }
            return column
        case .moving(let name, let unit, let decimals, let top, let speed):
            return moving(name, unit, decimals, top, speed, rows, &noise)
        }
    }

    private func day(_ second: Int, _ mean: Double, _ swing: Double) -> Double {
        mean + swing * sin(2 * .pi * (Double(second % 86_400) / 86_400 - 0.3))
    }

    /// A daily shape with first-order autoregressive noise around it.
    private func level(
        _ name: String, _ unit: String, _ decimals: Int, _ mean: Double, _ swing: Double,
        _ sigma: Double, _ rows: Int, _ period: Int, _ noise: inout Noise
    ) -> Corpus.Column {
        var column = Corpus.Column(name: name, unit: unit, decimals: decimals)
        let scale = pow(10, Double(decimals))
        var wander = 0.0
        for row in 0..<rows {
            wander = 0.9 * wander + noise.gaussian() * sigma
            let value = max(0, day(row * period, mean, swing) + wander)
            column.mantissas.append(Int64((value * scale).rounded()))
        }
        return column
    }

    /// Stands still for minutes, moves to another place at an almost constant speed, stands again;
    /// nobody works between 22:00 and 6:00.
    private func moving(
        _ name: String, _ unit: String, _ decimals: Int, _ top: Double, _ speed: Double,
        _ rows: Int, _ noise: inout Noise
    ) -> Corpus.Column {
        var column = Corpus.Column(name: name, unit: unit, decimals: decimals)
        let scale = pow(10, Double(decimals))
        var place = 0.0
        var target = 0.0
        var pause = 0
        for row in 0..<rows {
            let hour = row / 3600 % 24
            if place == target {
                pause -= 1
                if pause <= 0, (6..<22).contains(hour) {
                    target = (noise.uniform() * top * scale).rounded() / scale
                    pause = 30 + Int(noise.uniform() * 200)
                }
            } else {
                let step = speed * (1 + 0.15 * noise.gaussian()) * (top > 10 ? 1 : 0.1)
                let left = target - place
                place = abs(left) <= abs(step) ? target : place + (left < 0 ? -step : step)
            }
            // A load cell and an encoder do not stand quite still while something moves.
            let trembling = place == target && noise.uniform() < 0.02 ? 1.0 / scale : 0
            column.mantissas.append(Int64(((place + trembling) * scale).rounded()))
        }
        return column
    }
}

/// SplitMix64 and what follows from it.
struct Noise {
    private var state: UInt64
    private var spare: Double?

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// 0 ..< 1.
    mutating func uniform() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }

    /// Mean 0, deviation 1.
    mutating func gaussian() -> Double {
        if let spare {
            self.spare = nil
            return spare
        }
        let radius = (-2 * log(1 - uniform())).squareRoot()
        let angle = 2 * Double.pi * uniform()
        spare = radius * sin(angle)
        return radius * cos(angle)
    }
}
