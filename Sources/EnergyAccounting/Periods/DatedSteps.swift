/// A value that changes on given days and holds from each of them until the next.
package struct DatedSteps<Value: Hashable & Sendable>: Hashable, Sendable {
    /// One value and the first day on which it holds.
    package struct Step: Hashable, Sendable {
        package var from: CivilDate
        package var value: Value

        package init(from: CivilDate, value: Value) {
            self.from = from
            self.value = value
        }
    }

    /// In order of their days, each day once.
    package let steps: [Step]

    /// - Parameter steps: in any order; of several for one day the last counts.
    package init(_ steps: [Step]) {
        var byDay: [CivilDate: Value] = [:]
        for step in steps { byDay[step.from] = step.value }
        self.steps = byDay.sorted { $0.key < $1.key }.map { Step(from: $0.key, value: $0.value) }
    }

    /// The value on a day; nil before the first step.
    package func value(on date: CivilDate) -> Value? {
        steps.last { $0.from <= date }?.value
    }

    /// The values that hold in a period with the number of days of each; days before the first
    /// step are left out.
    package func parts(of period: AccountingPeriod) -> [(days: Int, value: Value)] {
        steps.indices.compactMap { index in
            let from = max(steps[index].from, period.first)
            let until =
                index + 1 < steps.count
                ? min(steps[index + 1].from.advanced(days: -1), period.last) : period.last
            guard from <= until else { return nil }
            return (until.dayNumber - from.dayNumber + 1, steps[index].value)
        }
    }
}

extension DatedSteps<Exact> {
    /// The mean over the days of a period; nil unless every day has a value.
    package func mean(over period: AccountingPeriod) -> Exact? {
        let parts = parts(of: period)
        guard parts.reduce(0, { $0 + $1.days }) == period.days else { return nil }
        return parts.reduce(Exact.zero) { $0 + $1.value * Exact($1.days) } / Exact(period.days)
    }
}
