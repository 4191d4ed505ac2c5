import Telemetry

/// A change of the building that the baseline's variables do not tell, agreed on and dated.
///
/// More floors in use, another shift, a new server room: IPMVP calls it a non-routine adjustment.
package struct BaselineAdjustment: Hashable, Sendable {
    /// By how much the baseline changes while the adjustment holds.
    package enum Change: Hashable, Sendable {
        /// In kWh for each day of the adjustment.
        case kilowattHoursPerDay(Exact)
        /// Of what the model alone says, in per cent.
        case percent(Exact)

        /// The number without its unit.
        package var amount: Exact {
            switch self {
            case .kilowattHoursPerDay(let amount), .percent(let amount): amount
            }
        }
    }

    /// The first and the last day on which it holds; without a last day it holds on.
    package let from: CivilDate
    package let through: CivilDate?
    package let change: Change
    /// Who agreed on what, in words; not empty.
    package let reason: String

    /// nil when the last day lies before the first, when there is no reason, or when the change has
    /// more than nine decimal places or is 10¹² or more: what cannot be written exactly is none.
    package init?(from: CivilDate, through: CivilDate?, change: Change, reason: String) {
        guard through.map({ from <= $0 }) ?? true, !reason.isEmpty,
            change.amount.magnitude < Exact(1_000_000_000_000),
            Exact(change.amount.rounded(places: 9)) == change.amount
        else { return nil }
        self.from = from
        self.through = through
        self.change = change
        self.reason = reason
    }

    /// The days of a period on which it holds.
    package func days(in period: AccountingPeriod) -> Int {
        let from = max(from, period.first)
        let through = min(through ?? period.last, period.last)
        return max(0, through.dayNumber - from.dayNumber + 1)
    }

    /// What it adds to a period of which the model says so much, in kWh.
    package func energy(in period: AccountingPeriod, modelled: Exact) -> Exact {
        let days = Exact(days(in: period))
        return switch change {
        case .kilowattHoursPerDay(let amount): amount * days
        case .percent(let amount):
            modelled * amount / Exact(100) * days / Exact(period.days)
        }
    }
}

/// A baseline that nobody changes any more, with which later energy is compared.
///
/// It is written and read as `format: baseline/1` (see `FrozenBaseline+Parsing.swift`); reading
/// gives back the same value, bit for bit.
package struct FrozenBaseline: Hashable, Sendable {
    /// `[a-z0-9_-]`, not empty.
    package var id: String
    /// The meter or node whose energy it is; not empty.
    package var subject: String
    /// The day on which it was frozen.
    package var frozenOn: CivilDate
    /// The name and the version of the method that judged it.
    package var method: String
    package var methodVersion: String
    package var model: BaselineModel
    /// In the order in which they were agreed on.
    package var adjustments: [BaselineAdjustment]
    /// A digest of the observations, made by whoever keeps them; nil without one.
    package var dataDigest: String?

    package init(
        id: String, subject: String, frozenOn: CivilDate, method: String, methodVersion: String,
        model: BaselineModel, adjustments: [BaselineAdjustment] = [], dataDigest: String? = nil
    ) {
        self.id = id
        self.subject = subject
        self.frozenOn = frozenOn
        self.method = method
        self.methodVersion = methodVersion
        self.model = model
        self.adjustments = adjustments
        self.dataDigest = dataDigest
    }
}
