import Telemetry

/// What a term takes in, and how it judges. Nothing here knows of alarms and their life.
extension TermState {
    // MARK: Readings

    /// Takes one reading of one operand.
    ///
    /// - Returns: whether a reading left a full window early.
    mutating func take(
        _ reading: Reading, operand: Int, at time: Timestamp, isBackfill: Bool, _ bound: BoundTerm
    ) -> Bool {
        let number = reading.number.flatMap { $0.isFinite ? $0 : nil }
        var dropped = false
        operands[operand].heard = operands[operand].heard.map { max($0, time) } ?? time
        switch bound.term.measure {
        case .window(let window):
            guard let number, var readings = operands[operand].window else { return false }
            // The window leaves the state while it changes, so that it is not copied.
            operands[operand].window = nil
            let isOver =
                window.kind == .rolling && newest.map { time <= $0 - window.over } ?? false
            let isClosed = window.kind == .aligned && newest.map { time < $0 } ?? false
            if !isOver, !isClosed { dropped = readings.add(number, at: time) }
            operands[operand].window = readings
            operands[operand].isHistory = isBackfill
        case .reading:
            guard operands[operand].time.map({ $0 <= time }) ?? true else { return false }
            operands[operand].time = time
            operands[operand].number = number
            operands[operand].word = if case .text(let word)? = reading.value { word } else { nil }
        case .unchanged: takeUnchanged(number, reading.value, at: time, bound)
        case .silence: hear(reading.isGood, at: time, isBackfill: isBackfill)
        }
        return dropped
    }

    /// Takes in that something was heard, or that an answer failed.
    mutating func hear(_ isGood: Bool, at time: Timestamp, isBackfill: Bool) {
        guard isGood || operands[0].since == nil else { return }
        if let since = operands[0].since, time < since, !operands[0].isHistory { return }
        operands[0].since = operands[0].since.map { max($0, time) } ?? time
        operands[0].isHistory = isBackfill
    }

    private mutating func takeUnchanged(
        _ number: Double?, _ value: Value?, at time: Timestamp, _ bound: BoundTerm
    ) {
        guard let value, case .lasting(let span) = bound.term.test,
            operands[0].time.map({ $0 <= time }) ?? true
        else { return }
        let word = if case .text(let word) = value { word } else { nil as String? }
        let isSame = operands[0].number == number && operands[0].word == word
        // What was not looked at for so long may have changed and come back.
        let isSeen = operands[0].time.map { time - $0 <= span / 2 } ?? false
        if !isSame || !isSeen {
            operands[0].since = time
            operands[0].repeats = 0
        }
        operands[0].time = time
        operands[0].number = number
        operands[0].word = word
        operands[0].repeats += 1
    }

    // MARK: Judgements

    /// Judges the term as it stands at an instant of the rule.
    mutating func judge(at time: Timestamp, _ bound: BoundTerm) {
        switch bound.term.measure {
        case .reading: judgeReadings(at: time, bound)
        case .window(let window):
            // A closed stretch is judged when it closes.
            guard window.kind == .rolling else { return }
            judgeWindow(window, at: time, bound)
        case .silence, .unchanged: judgeSpan(at: time, bound)
        }
        newest = newest.map { max($0, time) } ?? time
    }

    private mutating func judgeReadings(at time: Timestamp, _ bound: BoundTerm) {
        if case .isOneOf(let words) = bound.term.test {
            guard isFresh(0, at: time, bound), let word = operands[0].word else {
                standing = .undecidable
                return
            }
            standing = words.contains(word) ? .breach : .clear
            evidence = AlarmEvidence(
                value: .nan, unit: bound.operands[0].unit, limit: .nan, windowStart: time,
                windowEnd: time, samples: 1, coverage: nil, word: word)
            return
        }
        var figure = 0.0
        var others: [AlarmEvidence.Other] = []
        for (index, operand) in operands.enumerated() {
            guard isFresh(index, at: time, bound), let number = operand.number else {
                standing = .undecidable
                return
            }
            figure = index == 0 ? number : figure - number
            if operands.count > 1 {
                others.append(Self.other(bound.operands[index], number))
            }
        }
        settle(
            figure, samples: 1, coverage: nil, start: time, end: time, others, bound)
    }

    private func isFresh(_ index: Int, at time: Timestamp, _ bound: BoundTerm) -> Bool {
        guard let read = operands[index].time else { return false }
        return bound.goodFor(index).map { time - read <= $0 } ?? true
    }

    private mutating func judgeWindow(
        _ window: AlarmTerm.Window, at time: Timestamp, _ bound: BoundTerm
    ) {
        let start = time - window.over
        var figure: Double?
        var others: [AlarmEvidence.Other] = []
        var (samples, coverage) = (0, nil as Double?)
        for index in operands.indices {
            guard var readings = operands[index].window else { return }
            operands[index].window = nil
            readings.removeAll(through: start)
            let value = readings.value()
            let count = readings.count
            operands[index].window = readings
            let share = bound.expected(window, index).map { min(1, Double(count) / Double($0)) }
            let isEnough = window.coverage.map { (share ?? 0) >= $0 } ?? true
            if index == 0 { (samples, coverage, figure) = (count, share, value) }
            guard let value, value.isFinite, isEnough else {
                figure = nil
                continue
            }
            if index > 0 { figure = figure.map { $0 - value } }
            if operands.count > 1 { others.append(Self.other(bound.operands[index], value)) }
        }
        settle(
            figure, samples: samples, coverage: coverage, start: start, end: time, others, bound)
    }

    private mutating func judgeSpan(at time: Timestamp, _ bound: BoundTerm) {
        guard case .lasting(let span) = bound.term.test, let since = operands[0].since else {
            standing = .undecidable
            return
        }
        let isSilence = if case .silence = bound.term.measure { true } else { false }
        // What stands still is known up to the last good reading.
        let lasted = (isSilence ? time : operands[0].time ?? since) - since
        if !isSilence, operands[0].repeats < 3 {
            standing = operands[0].repeats > 0 ? .clear : .undecidable
        } else {
            standing = lasted >= span ? .breach : .clear
        }
        var others: [AlarmEvidence.Other] = []
        if !isSilence {
            others.append(
                AlarmEvidence.Other(
                    series: bound.operands[0].series, value: operands[0].number,
                    word: operands[0].word, unit: bound.operands[0].unit))
        }
        evidence = AlarmEvidence(
            value: Double(lasted.milliseconds) / 1000, unit: "s", limit: bound.term.test.limit,
            windowStart: since, windowEnd: time, samples: isSilence ? 0 : operands[0].repeats,
            coverage: nil, others: others)
    }

    private mutating func settle(
        _ figure: Double?, samples: Int, coverage: Double?, start: Timestamp, end: Timestamp,
        _ others: [AlarmEvidence.Other], _ bound: BoundTerm
    ) {
        guard let figure, figure.isFinite else {
            standing = .undecidable
            return
        }
        standing = bound.test.judge(figure)
        evidence = AlarmEvidence(
            value: bound.shown(figure), unit: bound.shownUnit, limit: bound.term.test.limit,
            windowStart: start, windowEnd: end, samples: samples, coverage: coverage,
            others: others)
    }

    private static func other(_ operand: BoundTerm.Operand, _ value: Double) -> AlarmEvidence.Other
    {
        AlarmEvidence.Other(series: operand.series, value: value, unit: operand.unit)
    }

    // MARK: Closed stretches

    /// Takes a closed stretch of one operand; judges when all operands have closed it.
    ///
    /// - Returns: whether the term was judged for it.
    mutating func close(
        _ closed: Closed, operand: Int, window: AlarmTerm.Window, _ bound: BoundTerm,
        _ calendar: SiteCalendar
    ) -> Bool {
        if let newest, closed.end <= newest { return false }
        operands[operand].closed = closed
        guard operands.allSatisfy({ $0.closed?.end == closed.end }) else {
            // Whoever was waited for until the next one closed did not come.
            if operand == 0,
                operands.contains(where: { ($0.closed?.end ?? closed.end) < closed.end })
            {
                standing = .undecidable
            }
            return false
        }
        newest = closed.end
        let start = closed.end - window.over
        var figure: Double?
        var others: [AlarmEvidence.Other] = []
        for (index, operand) in operands.enumerated() {
            guard let part = operand.closed, let value = part.value, value.isFinite,
                window.coverage.map({ (part.coverage ?? 0) >= $0 }) ?? true
            else {
                figure = nil
                break
            }
            figure = index == 0 ? value : figure.map { $0 - value }
            if operands.count > 1 { others.append(Self.other(bound.operands[index], value)) }
        }
        let first = operands[0].closed
        settle(
            figure, samples: first?.samples ?? 0, coverage: first?.coverage, start: start,
            end: closed.end, others, bound)
        if let times = bound.term.times { count(times, start, bound, calendar) }
        return true
    }

    /// Counts the breaches of a site day; the term breaches from the one too many until midnight.
    private mutating func count(
        _ times: AlarmTerm.Times, _ start: Timestamp, _ bound: BoundTerm, _ calendar: SiteCalendar
    ) {
        let civil = calendar.civil(start)
        let today = CivilTime.daysSinceEpoch(year: civil.year, month: civil.month, day: civil.day)
        if today != day { (day, count) = (today, 0) }
        if standing == .breach {
            count += 1
            let last = AlarmEvidence.Other(
                series: bound.operands[0].series, value: evidence?.value, unit: bound.shownUnit)
            evidence?.others.append(last)
        }
        standing = count > times.moreThan ? .breach : .clear
        evidence?.value = Double(count)
        evidence?.limit = Double(times.moreThan)
        evidence?.unit = "{count}"
    }

    /// The end of the stretch in which the oldest reading of an operand lies.
    func openEnd(
        _ operand: Int, _ window: AlarmTerm.Window, _ calendar: SiteCalendar
    ) -> Timestamp? {
        operands[operand].window?.first.map { window.end(containing: $0, calendar) }
    }

    /// Closes the stretch that ends at `end`, from the readings of one operand.
    mutating func closeOwn(
        _ window: AlarmTerm.Window, end: Timestamp, operand: Int, _ bound: BoundTerm,
        _ calendar: SiteCalendar
    ) -> Bool {
        guard let readings = operands[operand].window else { return false }
        var part = readings.part(before: end)
        operands[operand].window?.removeAll(before: end)
        let share = bound.expected(window, operand)
            .map { min(1, Double(part.count) / Double($0)) }
        return close(
            Closed(end: end, value: part.value(), samples: part.count, coverage: share),
            operand: operand, window: window, bound, calendar)
    }
}

extension AlarmTerm.Window {
    /// The end of the stretch of the site's day that holds an instant.
    func end(containing time: Timestamp, _ calendar: SiteCalendar) -> Timestamp {
        let shift = Int64(calendar.offset(at: time)) * 1000
        let span = over.milliseconds
        let local = time.milliseconds + shift
        let start = local - ((local % span) + span) % span
        return Timestamp(milliseconds: start - shift + span)
    }
}
