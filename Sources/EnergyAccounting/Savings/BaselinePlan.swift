import LocatedText
import Telemetry

/// What a site has decided about its baselines: by which method, and which are frozen.
package struct BaselinePlan: Hashable, Sendable {
    /// A frozen baseline and where the configuration names its file.
    package struct Named: Hashable, Sendable {
        package var baseline: FrozenBaseline
        package var location: Location

        package init(_ baseline: FrozenBaseline, at location: Location) {
            self.baseline = baseline
            self.location = location
        }
    }

    package var method: BaselineMethod
    /// The contractor's share of what is saved, in per cent; nil without a contract.
    package var contractorPercent: Exact?
    /// Each of another meter.
    package var frozen: [Named] = []

    package init(method: BaselineMethod) { self.method = method }

    /// The frozen baseline of a meter; nil without one.
    package func baseline(of meter: String) -> FrozenBaseline? {
        frozen.first { $0.baseline.subject == meter }?.baseline
    }
}

extension BaselinePlan {
    /// Says which frozen baselines do not fit the site, or each other.
    ///
    /// - Parameter variables: those that the site has configured.
    package func bindingFaults(tree: MeterTree, variables: [EnergyVariable]) -> [Fault] {
        var faults: [Fault] = []
        for (index, one) in frozen.enumerated() {
            let earlier = frozen[..<index].map(\.baseline)
            faults += doubles(one, earlier)
            faults += subjectFaults(one, tree)
            faults += methodFaults(one)
            faults += one.baseline.model.terms.compactMap {
                variableFault($0.variable, one, variables)
            }
        }
        return faults
    }

    private func doubles(_ one: Named, _ earlier: [FrozenBaseline]) -> [Fault] {
        var faults: [Fault] = []
        if let other = earlier.first(where: { $0.subject == one.baseline.subject }) {
            faults.append(
                Fault(
                    one.location,
                    "'\(other.id)' and '\(one.baseline.id)' are both baselines of "
                        + "'\(one.baseline.subject)'", remedy: "keep one of them"))
        }
        if earlier.contains(where: { $0.tableKey == one.baseline.tableKey }) {
            faults.append(
                Fault(
                    one.location, "the name '\(one.baseline.id)' is taken",
                    remedy: "freeze it under a name of its own"))
        }
        return faults
    }

    private func subjectFaults(_ one: Named, _ tree: MeterTree) -> [Fault] {
        let subject = one.baseline.subject
        guard let meter = tree[subject] else {
            let ids = tree.meters.map(\.id)
            return [
                Fault(
                    one.location, "'\(one.baseline.id)' is of '\(subject)', which is no meter",
                    remedy: Spelling.nearest(to: subject, among: ids).map {
                        "did you mean '\($0)'?"
                    }
                        ?? "the meters are: \(ids.joined(separator: ", "))")
            ]
        }
        guard meter.carrier.unit == "kWh" else {
            return [
                Fault(
                    one.location,
                    "'\(subject)' counts \(meter.carrier.unit), a baseline is in kWh",
                    remedy: "freeze a baseline of a meter in kWh")
            ]
        }
        return []
    }

    private func methodFaults(_ one: Named) -> [Fault] {
        let baseline = one.baseline
        guard baseline.method == method.name, baseline.methodVersion == method.version else {
            return [
                Fault(
                    one.location,
                    "'\(baseline.id)' was judged by '\(baseline.method)' version "
                        + "\(baseline.methodVersion), the site has '\(method.name)' version "
                        + method.version,
                    remedy: "name the method file of that version, or freeze it anew")
            ]
        }
        guard method.limits[baseline.model.interval] != nil else {
            return [
                Fault(
                    one.location,
                    "the method has no figures for '\(baseline.model.interval.rawValue)'",
                    remedy: "copy them from Config/baselines/method.yaml")
            ]
        }
        return []
    }

    private func variableFault(
        _ wanted: BaselineVariable, _ one: Named, _ variables: [EnergyVariable]
    ) -> Fault? {
        let id = one.baseline.id
        guard let found = variables.first(where: { $0.name == wanted.name }) else {
            let names = variables.map(\.name)
            return Fault(
                one.location, "'\(id)' needs the variable '\(wanted.name)'",
                remedy: names.isEmpty
                    ? "add it to 'energy: { variables: … }'"
                    : "add it to 'variables:'; there are: \(names.joined(separator: ", "))")
        }
        guard found.unit == wanted.unit else {
            return Fault(
                one.location,
                "'\(id)' has '\(wanted.name)' in '\(wanted.unit)', the site in '\(found.unit)'",
                remedy: "give the variable the unit of the baseline")
        }
        guard found.degreeDays == wanted.degreeDays else {
            return Fault(
                one.location,
                "'\(id)' reckons '\(wanted.name)' \(words(wanted.degreeDays)), the site "
                    + words(found.degreeDays),
                remedy: "give the variable the base of the baseline, or freeze it anew")
        }
        return nil
    }

    private func words(_ base: DegreeDayBase?) -> String {
        base.map { "\($0.key) \($0.celsius)" } ?? "without degree days"
    }
}

extension FrozenBaseline {
    /// Whether a baseline can be called so: `[a-z0-9_-]`, not empty.
    package static func isName(_ text: String) -> Bool { text.isBaselineName }

    /// What keys of tables have of the name.
    var tableKey: String { id.replacing("-", with: "_") }
}
