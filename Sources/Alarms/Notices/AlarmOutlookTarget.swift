import Telemetry

/// A mean of one series that a rule limits: what an `AlarmOutlook` is made of.
package struct AlarmOutlookTarget: Hashable, Sendable {
    package var rule: String
    package var title: LocalizedText
    package var severity: String
    package var series: SeriesID
    package var window: AlarmTerm.Window
    /// Above which the mean breaks it, in the unit of the series.
    package var limit: Double
    package var unit: String

    /// What the mean will come to if things go on as they do.
    ///
    /// - Parameter readings: good ones in order of time, those of the window at least.
    package func outlook(
        _ readings: [(time: Timestamp, value: Double)], now: Timestamp, calendar: SiteCalendar
    ) -> AlarmOutlook {
        AlarmOutlook(
            readings, window: window, limit: limit, now: now,
            end: window.end(containing: now, calendar))
    }
}

extension AlarmMachine {
    /// The limited means that are in force now, in the order of the rules.
    ///
    /// - Parameter series: nil: of every series.
    package func outlookTargets(at now: Timestamp, of series: SeriesID? = nil)
        -> [AlarmOutlookTarget]
    {
        monitors.compactMap { monitor in
            guard series == nil || monitor.state.series == series, monitor.isInForce(now),
                case .term(let term) = monitor.rule.when, term.minus.isEmpty, term.times == nil,
                case .window(let window) = term.measure, window.statistic == .mean,
                let bound = monitor.terms.first, case .above(let limit, _, _) = bound.test,
                let operand = bound.operands.first
            else { return nil }
            return AlarmOutlookTarget(
                rule: monitor.rule.name, title: monitor.rule.title,
                severity: monitor.rule.severity.rawValue, series: operand.series, window: window,
                limit: limit, unit: operand.unit)
        }
    }
}
