import Alarms
import FeedFormats
import Store
import Telemetry

/// What else is known of an alarm when it is told: what ran meanwhile, how things stood, and where
/// a camera has seen it.
///
/// Read from the store at that moment; a series without readings says so, and never that nothing ran.
struct AlarmFacts: Sendable {
    let evidence: [SiteConfiguration.Evidence]
    /// By their names.
    let rules: [String: AlarmRule]
    let areas: [DeviceID: String]
    let series: [SeriesID: (series: Series, period: Duration?)]
    /// Those of the vocabulary by their symbols.
    let units: [String: Unit]
    let reader: StoreReader
    let calendar: SiteCalendar
    let outlooks: AlarmOutlooks

    /// Readings of one window that are looked at.
    private static let most = 20_000
    /// Without a window the quarter of an hour before counts.
    private static let usual = Duration.seconds(900)
    /// A reading stands for no longer than this, or three of its periods.
    private static let longestHold = Duration.seconds(300)

    /// - Parameter isNews: whether the alarm has just changed: then nothing can have come late.
    func facts(of alarm: AlarmRecord, isNews: Bool = false) async -> [AlarmBrief.Fact] {
        let end = max(alarm.evidence.windowEnd, alarm.onset)
        let isSpan = alarm.evidence.windowStart < alarm.evidence.windowEnd
        let start = isSpan ? alarm.evidence.windowStart : end - Self.usual
        var facts: [AlarmBrief.Fact] = []
        for one in evidence where matches(one, alarm) {
            for witness in one.witnesses {
                facts.append(await fact(witness, from: start, to: end))
            }
            if let camera = one.camera {
                let span =
                    "\(camera.id), \(calendar.rfc3339(alarm.onset - camera.before))/"
                    + calendar.rfc3339(end + camera.after)
                facts.append(
                    AlarmBrief.Fact(
                        label: LocalizedText(en: "Camera", zh: "摄像机"),
                        text: LocalizedText(en: span, zh: span)))
            }
        }
        if !isNews, let amendment = await amendment(of: alarm) { facts.append(amendment) }
        // What else the same series is about to break, as it looked then.
        let isActive = alarm.state == .activeUnacknowledged || alarm.state == .activeAcknowledged
        guard isActive else { return facts }
        facts += await outlooks.ahead(at: end, of: alarm.series)
            .filter { $0.rule != alarm.rule }.prefix(Self.mostAhead).map(\.fact)
        return facts
    }

    private static let mostAhead = 3

    /// What the evidence comes to with the readings that came too late for it.
    private func amendment(of alarm: AlarmRecord) async -> AlarmBrief.Fact? {
        let evidence = alarm.evidence
        guard evidence.windowStart < evidence.windowEnd, let rule = rules[alarm.rule],
            rule.version == alarm.ruleVersion, let known = series[alarm.series]
        else { return nil }
        let samples =
            (try? await reader.samples(
                series: alarm.series, from: evidence.windowStart,
                to: evidence.windowEnd + .milliseconds(1), limit: Self.most)) ?? []
        // A part of the window is no figure.
        guard samples.count < Self.most else { return nil }
        let amended = rule.amendment(
            of: evidence, series: known.series, readings: samples.numbers, units: units)
        guard let amended else { return nil }
        let value = FigureText.quantity(amended.value, unit: evidence.unit, besides: evidence.limit)
        return AlarmBrief.Fact(
            label: LocalizedText(en: "With late readings", zh: "补到读数后"),
            text: LocalizedText(
                en: "\(value) of \(amended.samples) readings (judged by \(evidence.samples))",
                zh: "\(value)，共 \(amended.samples) 条读数（判定时 \(evidence.samples) 条）"))
    }

    private func matches(_ one: SiteConfiguration.Evidence, _ alarm: AlarmRecord) -> Bool {
        let module = rules[alarm.rule]?.module
        let area = areas[alarm.series.device]
        return (one.modules.map { list in module.map(list.contains) ?? false } ?? true)
            && (one.areas.map { list in area.map(list.contains) ?? false } ?? true)
    }

    private func fact(
        _ witness: SiteConfiguration.Evidence.Witness, from start: Timestamp, to end: Timestamp
    ) async -> AlarmBrief.Fact {
        let known = series[witness.series]
        let hold = min(known?.period.map { $0 * 3 } ?? Self.longestHold, Self.longestHold)
        // What was said just before the window still stands at its beginning.
        let samples =
            (try? await reader.samples(
                series: witness.series, from: start - hold, to: end + .milliseconds(1),
                limit: Self.most))
            ?? []
        let readings = samples.map { (time: $0.time, reading: $0.reading) }
        let text: LocalizedText
        if let running = witness.running {
            text = Self.ran(readings, running, from: start, to: end, hold: hold)
        } else {
            text = Self.stood(readings, unit: known?.series.unit ?? "", from: start)
        }
        return AlarmBrief.Fact(label: witness.title, text: text)
    }

    /// For how long of a span something ran.
    static func ran(
        _ readings: [(time: Timestamp, reading: Reading)],
        _ running: SiteConfiguration.Evidence.Running, from start: Timestamp, to end: Timestamp,
        hold: Duration
    ) -> LocalizedText {
        var ran = Duration.zero
        var seen = Duration.zero
        for (index, sample) in readings.enumerated() {
            let next = index + 1 < readings.count ? readings[index + 1].time : end
            let until = min(next, sample.time + hold, end)
            let from = max(sample.time, start)
            guard from < until, case .good(let value) = sample.reading else { continue }
            seen += until - from
            let isRunning =
                switch (running, value) {
                case (.above(let limit, _), .number(let number)): number > limit
                case (.isOneOf(let words), .text(let word)): words.contains(word)
                default: false
                }
            if isRunning { ran += until - from }
        }
        guard seen > .zero else { return LocalizedText(en: "not known", zh: "未知") }
        let minutes = { (span: Duration) in "\((span.milliseconds + 30_000) / 60_000)" }
        if ran == .zero {
            return LocalizedText(
                en: "did not run (\(minutes(seen)) min seen)", zh: "未运行(有数据 \(minutes(seen)) 分钟)")
        }
        return LocalizedText(
            en: "ran \(minutes(ran)) of \(minutes(seen)) min",
            zh: "运行 \(minutes(ran)) 分钟(共 \(minutes(seen)) 分钟)")
    }

    /// The mean of a span.
    static func stood(
        _ readings: [(time: Timestamp, reading: Reading)], unit: String, from start: Timestamp
    ) -> LocalizedText {
        let numbers = readings.filter { $0.time >= start }.compactMap(\.reading.number)
        if numbers.isEmpty {
            let word = readings.last.flatMap { sample -> String? in
                if case .good(.text(let word)) = sample.reading { word } else { nil }
            }
            return LocalizedText(en: word ?? "not known", zh: word ?? "未知")
        }
        let mean = numbers.reduce(0, +) / Double(numbers.count)
        let text = FigureText.quantity(mean, unit: unit)
        return LocalizedText(en: text, zh: text)
    }
}
