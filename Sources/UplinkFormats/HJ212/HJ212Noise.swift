import Frames
import Telemetry

/// The levels of a period (annex C.25 to C.28), from single readings in dB.
///
///     2011         <code>-Rtd
///     2051, 2061   L5 L10 L50 L90 L95 Leq LMx LMn   each -Data
///     2031         the same with Ldn for Leq, then L5 … Ld LMx LMn -DayData, L5 … Ln … -NightData
///
/// The night of a 2031 packet is what of its civil day is night: the end of one night and the
/// beginning of the next.
struct HJ212Noise {
    let places: Int
    private let levels: [(isDay: Bool, level: Double)]

    /// - Parameter dayHours: minutes after midnight, in site time.
    init(
        _ entry: UplinkItem.Entry, dayHours: Range<Int>, calendar: SiteCalendar
    ) {
        places = entry.point.decimals ?? 1
        levels = entry.samples.compactMap { sample in
            guard let level = entry.converted(sample.reading.number) else { return nil }
            let civil = calendar.civil(sample.time)
            return (dayHours.contains(civil.hour * 60 + civil.minute), level)
        }
    }

    /// Of minutes and hours.
    func period() -> [HJ212Packet.Field] {
        let all = levels.map(\.level)
        return statistics(all, "Data", Levels.energeticMean(all).map { ("Leq", $0) })
    }

    /// Of a day.
    func day() -> [HJ212Packet.Field] {
        let day = levels.filter(\.isDay).map(\.level)
        let night = levels.filter { !$0.isDay }.map(\.level)
        let (ld, ln) = (Levels.energeticMean(day), Levels.energeticMean(night))
        let ldn = ld.flatMap { ld in ln.map { ("Ldn", Levels.dayNight(day: ld, night: $0)) } }
        return statistics(levels.map(\.level), "Data", ldn)
            + statistics(day, "DayData", ld.map { ("Ld", $0) })
            + statistics(night, "NightData", ln.map { ("Ln", $0) })
    }

    /// - Parameter mean: the level that stands for the whole, behind the statistical levels.
    private func statistics(
        _ levels: [Double], _ ending: String, _ mean: (name: String, level: Double)?
    ) -> [HJ212Packet.Field] {
        var named: [(String, Double?)] = [5, 10, 50, 90, 95].map {
            ("L\($0)", Levels.exceeded($0, levels))
        }
        if let mean { named.append((mean.name, mean.level)) }
        named += [("LMx", levels.max()), ("LMn", levels.min())]
        return named.compactMap { name, level in
            level.flatMap { DecimalText.fixed($0, places: places) }
                .map { HJ212Packet.Field("\(name)-\(ending)", $0) }
        }
    }
}

extension Levels {
    /// Ldn: 16 hours of day, 8 hours of night with 10 dB on top.
    package static func dayNight(day: Double, night: Double) -> Double {
        energeticMean(
            Array(repeating: day, count: 16) + Array(repeating: night + 10, count: 8)) ?? day
    }
}
