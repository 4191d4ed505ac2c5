import Telemetry

/// A term and the series that it asks on this site.
struct BoundTerm: Sendable {
    /// One series of the term, with what the site knows of it.
    struct Operand: Hashable, Sendable {
        var series: SeriesID
        var unit: String
        /// How often it comes; nil when nobody has said.
        var period: Duration?
        var isPolled: Bool
        /// How long a reading may be under way.
        var lateness: Duration
        /// Whether its word stands until it is taken back.
        var isStanding: Bool
    }

    let term: AlarmTerm
    /// The test of the term, in the unit of the series.
    let test: AlarmTerm.Test
    /// The unit in which the rule was written, if that is another one: evidence speaks in it.
    let shown: Unit?
    /// The series itself, then those that are subtracted. Empty for silence.
    let operands: [Operand]
    /// How long a scan may be under way before silence counts as silence.
    let lateness: Duration

    init(
        term: AlarmTerm, operands: [Operand], lateness: Duration, test: AlarmTerm.Test? = nil,
        shown: Unit? = nil
    ) {
        self.term = term
        self.operands = operands
        self.lateness = lateness
        self.test = test ?? term.test
        self.shown = shown
    }

    /// A figure in the unit in which the rule was written.
    func shown(_ value: Double) -> Double { shown?.fromCanonical(value) ?? value }

    /// The unit in which evidence speaks.
    var shownUnit: String { shown?.symbol ?? operands.first?.unit ?? "" }

    /// How long a reading whose period nobody knows is good for.
    private static let goodFor = Duration.seconds(900)

    /// Readings expected in a window; nil when nobody has said how often they come.
    func expected(_ window: AlarmTerm.Window, _ operand: Int) -> Int? {
        guard let period = operands[operand].period, period > .zero else { return nil }
        return max(1, Int(window.over.milliseconds / max(1, period.milliseconds)))
    }

    /// How old the newest reading of an operand may be to count at another one's instant.
    func goodFor(_ operand: Int) -> Duration? {
        if let within = term.within { return within }
        let bound = operands[operand]
        if bound.isStanding { return nil }
        return bound.period.map { $0 * 3 + bound.lateness } ?? Self.goodFor
    }

    /// The window that is judged here from readings, and not by the store's rollups.
    var ownWindow: AlarmTerm.Window? {
        guard case .window(let window) = term.measure, !isInRollups else { return nil }
        return window
    }

    /// Whether the closed quarters of the store bring the figure.
    var isInRollups: Bool {
        guard case .window(let window) = term.measure else { return false }
        return window.kind == .aligned && window.over == Resolution.quarterHour.nominal
            && window.statistic.isInRollups
    }

    func initialState() -> TermState {
        var state = TermState(operands: max(1, operands.count))
        if let window = ownWindow {
            for index in operands.indices {
                state.operands[index].window = RollingWindow(window.statistic)
            }
        }
        return state
    }
}

extension AlarmTerm.Test {
    /// The same limit in the canonical unit of another one.
    func converted(from unit: Unit, to symbol: String) -> AlarmTerm.Test {
        switch self {
        case .above(let limit, let clear, _):
            .above(limit: unit.canonical(limit), clear: unit.canonical(clear), unit: symbol)
        case .below(let limit, let clear, _):
            .below(limit: unit.canonical(limit), clear: unit.canonical(clear), unit: symbol)
        case .isOneOf, .bit, .lasting: self
        }
    }

    /// Judges a number.
    func judge(_ value: Double) -> AlarmJudgement {
        switch self {
        case .above(let limit, let clear, _):
            value > limit ? .breach : value <= clear ? .clear : .between
        case .below(let limit, let clear, _):
            value < limit ? .breach : value >= clear ? .clear : .between
        case .bit(let place):
            // Doubles hold whole numbers of 53 bits.
            value >= 0 && value < 9_007_199_254_740_992 && value == value.rounded()
                ? (UInt64(value) >> UInt64(place) & 1 == 1 ? .breach : .clear) : .undecidable
        case .isOneOf, .lasting: .undecidable
        }
    }

    /// The limit that evidence names; NaN where there is none.
    var limit: Double {
        switch self {
        case .above(let limit, _, _), .below(let limit, _, _): limit
        case .lasting(let span): Double(span.milliseconds) / 1000
        case .isOneOf, .bit: .nan
        }
    }
}
