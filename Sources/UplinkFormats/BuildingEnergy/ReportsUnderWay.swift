/// The reports that wait for the platform's word, and those that waited in vain.
///
///     send ──▶ open ──acknowledged──▶ gone
///                └──no word in time──▶ unanswered ──late word, or long ago──▶ gone
///
/// An acknowledgement belongs to the report whose number or time it repeats, else to the oldest of
/// its kind, else to the oldest. Where a report that was given up could be meant just as well, nobody
/// can tell, and it belongs to none.
struct ReportsUnderWay: Hashable, Sendable {
    /// One report on its way.
    struct Report: Hashable, Sendable {
        let ticket: Int
        let isContinuous: Bool
        /// `yyyyMMddHHmmss`.
        let time: String
        let sequence: String
        /// When it has waited long enough.
        var deadline: Duration
    }

    /// Whom an acknowledgement means.
    enum Meaning: Hashable, Sendable {
        case report(Report)
        /// One that was given up.
        case late(Report)
        /// An open one or one that was given up.
        case ambiguous
        case nothing
    }

    private(set) var open: [Report] = []
    private var unanswered: [Report] = []

    /// How long after its deadline a report may still be answered.
    private static let latest = Duration.seconds(120)
    private static let mostUnanswered = 64

    /// A report has gone out.
    mutating func send(_ report: Report) { open.append(report) }

    /// Whom `word` means; an open report that is meant is open no longer.
    mutating func take(_ word: EnergyAcknowledgement, at now: Duration) -> Meaning {
        unanswered.removeAll { $0.deadline + Self.latest < now }
        func isNamed(_ report: Report) -> Bool {
            report.sequence == word.sequence || report.time == word.time
        }
        if let named = oldest(word, where: isNamed) { return .report(open.remove(at: named)) }
        if let late = unanswered.firstIndex(where: isNamed) {
            return .late(unanswered.remove(at: late))
        }
        guard let place = oldest(word, where: { _ in true }) else {
            return unanswered.isEmpty ? .nothing : .late(unanswered.removeFirst())
        }
        let isOfOtherKind = open[place].isContinuous != word.isContinuous
        if let rival = unanswered.firstIndex(where: { $0.isContinuous == word.isContinuous }) {
            return isOfOtherKind ? .late(unanswered.remove(at: rival)) : .ambiguous
        }
        // A platform that answers everything with one word may mean one of the open one's kind too.
        guard !isOfOtherKind || unanswered.isEmpty else { return .ambiguous }
        return .report(open.remove(at: place))
    }

    /// The oldest open report of the word's kind that fits, else the oldest that fits.
    private func oldest(
        _ word: EnergyAcknowledgement, where fits: (Report) -> Bool
    ) -> Int? {
        open.firstIndex { $0.isContinuous == word.isContinuous && fits($0) }
            ?? open.firstIndex(where: fits)
    }

    /// The reports whose time is over; they are open no longer.
    mutating func expire(at now: Duration) -> [Report] {
        let over = open.filter { $0.deadline <= now }
        open.removeAll { $0.deadline <= now }
        unanswered = (unanswered + over).suffix(Self.mostUnanswered)
        return over
    }

    /// Everything that is open, when the connection is over.
    mutating func abandon() -> [Report] {
        defer { self = ReportsUnderWay() }
        return open
    }

    /// When the next one will have waited long enough.
    var deadline: Duration? { open.map(\.deadline).min() }
}
