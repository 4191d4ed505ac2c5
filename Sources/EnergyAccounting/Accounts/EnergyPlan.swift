import Telemetry

/// Everything that the site has decided about its accounts.
package struct EnergyPlan: Sendable {
    package var tree: MeterTree
    package var entries: EnergyEntries
    /// In m²; nil leaves figures per area open. A built-up area to date among the entries comes first.
    package var floorArea: Exact?
    /// Heads; numbers among the entries come first.
    package var people: Exact?
    package var items = ItemCatalogue.free
    /// At most one for each carrier.
    package var tariffs: [TariffBook] = []
    package var factors = FactorBook()
    package var factorChoice = FactorChoice([])
    package var quotas: QuotaBook?
    /// Quotas whose figures from memory the site has taken over.
    package var enabledQuotas: Set<String> = []
    /// What quotas' corrections ask of the building.
    package var quotaInputs: [QuotaCorrectionInput: Exact] = [:]
    /// What the law demands of the metering; nil where the site names no file of it.
    package var compliance: ComplianceRules?
    /// Where the outdoor temperature comes from; nil leaves degree days open.
    package var outdoor: OutdoorSource?
    /// Beside which energy is told: degree days, production, people.
    package var variables: [EnergyVariable] = []
    /// How savings are judged, and beside what; nil tells none.
    package var baselines: BaselinePlan?
    /// Thresholds of self-diagnosis; nil judges nothing.
    package var diagnosis: DiagnosisThresholds?
    /// What statements say of the site: owner, address, permit, signatory.
    package var particulars: [Particular] = []

    /// One line that the site fills in for its statements.
    package struct Particular: Hashable, Sendable {
        package var key: String
        package var title: LocalizedText
        package var value: String

        package init(key: String, title: LocalizedText, value: String) {
            self.key = key
            self.title = title
            self.value = value
        }
    }

    package init(
        tree: MeterTree, entries: EnergyEntries = .none, floorArea: Exact? = nil,
        people: Exact? = nil
    ) {
        self.tree = tree
        self.entries = entries
        self.floorArea = floorArea
        self.people = people
    }

    /// The mean area over a period; nil unless it is known for all of its days.
    package func area(over period: AccountingPeriod) -> Exact? {
        entries.area.steps.isEmpty ? floorArea : entries.area.mean(over: period)
    }

    /// The mean number of people over a period; nil unless it is known for all of its days.
    package func people(over period: AccountingPeriod) -> Exact? {
        entries.people.steps.isEmpty ? people : entries.people.mean(over: period)
    }

    /// The output of a period in 10⁴ yuan; nil unless every month of it was written down.
    package func output(over period: AccountingPeriod) -> Exact? {
        guard period.kind == .month || period.kind == .year else { return nil }
        let months = period.months.map { entries.output[$0] }
        guard !months.contains(nil) else { return nil }
        return months.reduce(Exact.zero) { $0 + ($1 ?? .zero) }
    }

    /// The tariff of a carrier; nil when the site names none.
    package func tariff(for carrier: Carrier) -> TariffBook? {
        tariffs.first { $0.carrier == carrier.rawValue }
    }

    /// A plan of the meters alone by which a carrier comes in, and of what these rest on.
    package func mains(of carrier: Carrier) -> EnergyPlan {
        let needed = Set(
            tree.mains(of: carrier).flatMap { [$0.id] + tree.parts(of: $0.id).map(\.meter) })
        var plan = EnergyPlan(tree: MeterTree(tree.meters.filter { needed.contains($0.id) }))
        plan.entries = entries
        return plan
    }

    /// How finely the accounts are cut: hours, or quarters where a tariff changes within an hour.
    package var resolution: Resolution {
        tariffs.contains(where: \.needsQuarters) ? .quarterHour : .hour
    }
}
