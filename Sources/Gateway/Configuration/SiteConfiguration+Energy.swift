import EnergyAccounting
import LocatedText
import Telemetry

//  energy:
//    items: energy/items.yaml             the end uses that meters may name
//    tariffs: [tariffs/city.yaml, tariffs/water.yaml]         at most one for each carrier
//    factors:
//      include: [factors/grid-electricity.yaml]
//      use: [ { factor: co2, carrier: electricity, region: east, scheme: regional } ]
//    quotas:
//      include: [quotas/office.yaml]
//      enable: [office-b-cold]            figures from memory that the site takes over
//      inputs: { use-hours: 2800 h, area-per-person: 12 m2/person }
//    entries: energy-entries.yaml         what people write down
//    outdoor: { temperature: station-1.air_temperature, known_hours: 80 % }
//    variables:                           beside which energy is told
//      - { variable: hdd, heating_below: 18 }
//      - { variable: concrete, produced: concrete, unit: m3 }
//    baselines:
//      method: baselines/method.yaml      what a baseline and savings must meet
//      frozen: [baselines/main-2025.yaml] as 'plumbline energy baseline' writes them
//      contractor_share: 60 %
//    diagnosis: diagnosis/meters.yaml     thresholds by which meters are judged
//    compliance: energy/compliance.yaml   the duty to be connected and running
//    particulars:                         what statements say of the site
//      - { key: owner, title: { en: Owner, zh: 所有权人 }, value: … }
//
// Paths are relative to the configuration's own file.

extension SiteConfiguration {
    /// Reads `energy:` beside the meters; what is wrong goes to `faults`.
    static func energy(
        _ node: LocatedNode?, tree: MeterTree, site: Site, _ faults: FaultCollector,
        _ readFile: (String) throws -> String
    ) -> EnergyPlan {
        var plan = EnergyPlan(
            tree: tree, floorArea: site.floorArea.flatMap { Exact(decimal: $0) },
            people: site.occupants.map { Exact($0) })
        guard let node else { return plan }
        withoutActuallyEscaping(readFile) { readFile in
            read(node, into: &plan, EnergyFiles(faults: faults, readFile: readFile))
        }
        return plan
    }

    private static func read(
        _ node: LocatedNode, into plan: inout EnergyPlan, _ files: EnergyFiles
    ) {
        let (faults, tree) = (files.faults, plan.tree)
        var reader = MappingReader(node, faults)
        if let node = reader.optional("items") {
            plan.items = files.read(node) { try ItemCatalogue.parse($0, file: $1) } ?? .free
            faults.add(Faults(plan.items.bindingFaults(tree: tree)))
        }
        for node in reader.optional("tariffs")?.list(faults) ?? [] {
            guard let book = files.read(node, { try TariffFile.parse($0, file: $1) }) else {
                continue
            }
            files.add(book, at: node.location, to: &plan)
        }
        if let node = reader.optional("factors") { files.factors(node, &plan) }
        if let node = reader.optional("quotas") { files.quotas(node, &plan) }
        if let node = reader.optional("entries") {
            plan.entries = files.read(node) { try EnergyEntries.parse($0, file: $1) } ?? .none
            faults.add(Faults(plan.entries.bindingFaults(tree: tree)))
        }
        if let node = reader.optional("outdoor") {
            plan.outdoor = OutdoorSource.parse(node, faults)
        }
        if let node = reader.optional("variables") {
            plan.variables = EnergyVariable.parse(node, faults)
            for variable in plan.variables {
                faults.add(
                    Faults(
                        variable.bindingFaults(
                            hasOutdoor: reader.has("outdoor"), entries: plan.entries)))
            }
        }
        if let node = reader.optional("baselines") {
            plan.baselines = files.baselines(node)
            faults.add(
                Faults(
                    plan.baselines?.bindingFaults(tree: tree, variables: plan.variables) ?? []))
        }
        if let node = reader.optional("diagnosis") {
            plan.diagnosis = files.read(node) { try DiagnosisFile.parse($0, file: $1) }
        }
        if let node = reader.optional("compliance") {
            plan.compliance = files.read(node) { try ComplianceRules.parse($0, file: $1) }
        }
        for node in reader.optional("particulars")?.list(faults) ?? [] {
            if let particular = files.particular(node) { plan.particulars.append(particular) }
        }
        reader.finish()
    }
}

/// Reads the files that `energy:` names.
private struct EnergyFiles {
    let faults: FaultCollector
    let readFile: (String) throws -> String

    /// What a file holds; nil and its faults when it cannot be read.
    func read<T>(_ node: LocatedNode, _ parse: (String, String) throws -> T) -> T? {
        node.file(faults, readFile, parse)
    }

    func add(_ book: TariffBook, at location: Location, to plan: inout EnergyPlan) {
        guard let carrier = Carrier(rawValue: book.carrier) else {
            faults.add(
                location, "no meter can count '\(book.carrier)', so its tariff is no use",
                remedy: "one of: \(Carrier.allCases.map(\.rawValue).joined(separator: ", "))")
            return
        }
        guard book.unit == carrier.unit else {
            faults.add(
                location,
                "the tariff is per \(book.unit), \(carrier.rawValue) is counted in \(carrier.unit)",
                remedy: "write its prices per \(carrier.unit)")
            return
        }
        if plan.tariff(for: carrier) != nil {
            faults.add(
                location, "two tariffs are for \(carrier.rawValue)",
                remedy: "keep one; prices that change on a day are tables of one tariff")
            return
        }
        if let other = plan.tariffs.first, other.currency != book.currency {
            faults.add(
                location, "the tariffs are in \(other.currency) and in \(book.currency)",
                remedy: "write all prices in one currency")
        }
        plan.tariffs.append(book)
    }

    func factors(_ node: LocatedNode, _ plan: inout EnergyPlan) {
        var reader = MappingReader(node, faults)
        let books = (reader.required("include")?.list(faults) ?? []).compactMap { node in
            read(node) { try FactorFile.parse($0, file: $1) }
        }
        let use = reader.required("use")
        reader.finish()
        do {
            plan.factors = try FactorBook(merging: books)
        } catch {
            faults.add(error)
        }
        guard let use else { return }
        plan.factorChoice = FactorChoice.parse(use, faults: faults)
        faults.add(Faults(plan.factorChoice.bindingFaults(book: plan.factors)))
    }

    func quotas(_ node: LocatedNode, _ plan: inout EnergyPlan) {
        var reader = MappingReader(node, faults)
        let files = (reader.required("include")?.list(faults) ?? []).compactMap { node in
            read(node) { try QuotaFile.parse($0, file: $1) }
        }
        let enable = reader.optional("enable")
        let inputs = reader.optional("inputs")
        reader.finish()
        do {
            let book = try QuotaBook(merging: files)
            plan.quotas = book
            if let enable { plan.enabledQuotas = book.enabled(enable, faults: faults) }
        } catch {
            faults.add(error)
        }
        guard let inputs else { return }
        var values = MappingReader(inputs, faults)
        for input in QuotaCorrectionInput.allCases {
            if let node = values.optional(input.rawValue) {
                plan.quotaInputs[input] = node.exact(unit: input.unit, faults)
            }
        }
        values.finish()
    }

    func baselines(_ node: LocatedNode) -> BaselinePlan? {
        var reader = MappingReader(node, faults)
        let method = reader.required("method").flatMap {
            read($0) { try BaselineMethodFile.parse($0, file: $1) }
        }
        let frozen = (reader.optional("frozen")?.list(faults) ?? []).compactMap { node in
            read(node) { try FrozenBaseline.parse($0, file: $1) }
                .map { BaselinePlan.Named($0, at: node.location) }
        }
        let share = reader.optional("contractor_share")
        reader.finish()
        guard let method else { return nil }
        var plan = BaselinePlan(method: method)
        plan.frozen = frozen
        if let share, let percent = share.exact(unit: "%", faults) {
            if percent >= .zero, percent <= Exact(100) {
                plan.contractorPercent = percent
            } else {
                faults.add(
                    share.location, "'contractor_share' cannot be \(share.kindWord)",
                    remedy: "from 0 % to 100 %")
            }
        }
        return plan
    }

    func particular(_ node: LocatedNode) -> EnergyPlan.Particular? {
        var reader = MappingReader(node, faults)
        let key = reader.required("key")?.string(faults)
        let title = reader.required("title").flatMap { LocalizedText.parse($0, faults) }
        let value = reader.required("value")?.string(faults)
        reader.finish()
        guard let key, let title, let value else { return nil }
        return EnergyPlan.Particular(key: key, title: title, value: value)
    }
}
