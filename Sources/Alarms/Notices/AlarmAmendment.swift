import LocatedText
import Telemetry

/// What the evidence of an alarm comes to with the readings that came too late for it.
///
/// Late readings open and close nothing, and the evidence by which an alarm was judged stays as it
/// was told. Whoever looks at it later is shown both (decision 0022).
package struct AlarmAmendment: Hashable, Sendable {
    /// In the unit of the evidence.
    package var value: Double
    package var samples: Int
}

extension AlarmRule {
    /// Works the figure of a window out again.
    ///
    /// - Parameters:
    ///   - evidence: as it was judged, by this version of the rule.
    ///   - series: the alarm's own, with the unit in which its readings are kept.
    ///   - readings: the good ones of the window that the store has now.
    ///   - units: those of the vocabulary by their symbols.
    /// - Returns: nil when nothing has come since, when readings are gone, or when the evidence is
    ///   no figure of one series' window.
    package func amendment(
        of evidence: AlarmEvidence, series: Series,
        readings: [(time: Timestamp, value: Double)], units: [String: Unit]
    ) -> AlarmAmendment? {
        let span = evidence.windowEnd - evidence.windowStart
        guard span > .zero, evidence.word == nil,
            // The evidence of several terms is that of one of them, and does not say of which.
            case .term(let term) = when, let window = term.window, window.over == span,
            term.minus.isEmpty, window.statistic != .increase
        else { return nil }
        var figure = RollingWindow(window.statistic)
        for reading in readings
        where window.holds(reading.time, from: evidence.windowStart, to: evidence.windowEnd) {
            _ = figure.add(reading.value, at: reading.time)
        }
        guard figure.count > evidence.samples, let value = figure.value() else { return nil }
        let isAlike = UnitSpelling.plain(series.unit) == UnitSpelling.plain(evidence.unit)
        guard isAlike || units[evidence.unit] != nil else { return nil }
        return AlarmAmendment(
            value: isAlike ? value : units[evidence.unit]?.fromCanonical(value) ?? value,
            samples: figure.count)
    }
}

extension AlarmTerm {
    fileprivate var window: Window? {
        if case .window(let window) = measure { window } else { nil }
    }
}

extension AlarmTerm.Window {
    /// Whether a reading of this time counts in the window between two instants.
    fileprivate func holds(_ time: Timestamp, from start: Timestamp, to end: Timestamp) -> Bool {
        switch kind {
        case .rolling: start < time && time <= end
        case .aligned: start <= time && time < end
        }
    }
}
