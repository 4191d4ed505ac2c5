import Alarms
import FeedFormats
import Store
import Telemetry
import WebAPI

/// Looks how the means that rules limit will end if things go on as they do.
///
/// Read from the store when somebody asks; what is exceeded already is an alarm and not told here.
struct AlarmOutlooks: Sendable {
    let machine: AlarmMachine
    let reader: StoreReader
    let calendar: SiteCalendar

    /// A device that has not spoken for so long says nothing about what comes.
    private static let longestSilence = Duration.seconds(180)
    /// A window with more readings is not foretold: a part of it is no mean.
    private static let most = 20_000

    /// What will be exceeded, the soonest first.
    ///
    /// - Parameter series: nil: of every series.
    func ahead(at now: Timestamp, of series: SeriesID? = nil) async -> [OutlookLine] {
        let targets = machine.outlookTargets(at: now, of: series)
        var lines: [OutlookLine] = []
        for (series, targets) in Dictionary(grouping: targets, by: \.series) {
            let longest = targets.map(\.window.over).max() ?? .zero
            let readings = await readings(of: series, back: longest, now)
            guard let newest = readings.last, now - newest.time <= Self.longestSilence else {
                continue
            }
            for target in targets {
                let outlook = target.outlook(readings, now: now, calendar: calendar)
                guard let mean = outlook.mean, let left = outlook.left, left > .zero else {
                    continue
                }
                lines.append(
                    OutlookLine(
                        rule: target.rule, title: target.title, severity: target.severity,
                        series: target.series, over: target.window.over, mean: mean,
                        limit: target.limit, unit: target.unit, left: left))
            }
        }
        return lines.sorted { ($0.left, $0.rule, $0.series) < ($1.left, $1.rule, $1.series) }
    }

    private func readings(
        of series: SeriesID, back: Duration, _ now: Timestamp
    ) async -> [(time: Timestamp, value: Double)] {
        let samples =
            (try? await reader.samples(
                series: series, from: now - back, to: now + .milliseconds(1), limit: Self.most))
            ?? []
        guard samples.count < Self.most else { return [] }
        return samples.numbers
    }
}

extension OutlookLine {
    /// The line as a fact beside an alarm.
    var fact: AlarmBrief.Fact {
        let minutes = "\((left.milliseconds + 59_999) / 60_000)"
        let (mean, limit) = (
            FigureText.quantity(mean, unit: unit, besides: limit),
            FigureText.quantity(limit, unit: unit)
        )
        return AlarmBrief.Fact(
            label: LocalizedText(en: "Next: \(title.en)", zh: "即将触发：\(title.zh)"),
            text: LocalizedText(
                en: "mean so far \(mean), limit \(limit), at this rate exceeded in \(minutes) min",
                zh: "目前均值\(mean)，限值\(limit)，按此速度 \(minutes) 分钟后超限"))
    }
}
