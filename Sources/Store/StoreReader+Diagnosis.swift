import EnergyAccounting
import Telemetry

extension StoreReader {
    /// What the meters of a ledger say of themselves: what they counted, and beside it voltage,
    /// current and power by phase, slot by slot, as far as their devices measure them.
    package func diagnosisInputs(
        for ledger: MeterLedger, now: Timestamp
    ) async throws(StoreError) -> [MeterDiagnosisInput] {
        var inputs: [MeterDiagnosisInput] = []
        for meter in ledger.tree.meters {
            guard let counter = meter.counter, let column = ledger.column(of: meter.id) else {
                continue
            }
            var input = MeterDiagnosisInput(id: meter.id, counts: column.counts)
            let device = counter.device
            input.exported = try await counts(of: device, Self.exported, ledger.grid, now)
            input.reactive = try await counts(of: device, Self.reactive, ledger.grid, now)
            if meter.role == .generation { input.exported = nil }
            input.electrical = try await electricalHours(of: device, ledger.grid)
            inputs.append(input)
        }
        return inputs
    }

    private static let exported = PointKey("active_energy.export.total")
    private static let reactive = PointKey("reactive_energy.import.total")

    private func counts(
        of device: DeviceID, _ point: PointKey, _ grid: CountGrid, _ now: Timestamp
    ) async throws(StoreError) -> Counts? {
        let id = SeriesID(device: device, point: point)
        guard shared.registry.value.series(id)?.counter != nil else { return nil }
        let tree = MeterTree([])
        var needs = AccountNeeds(tree: tree, entries: .none, grid: grid)
        needs.series = [id]
        return try await accountData(for: needs, now: now).counts[id]
    }

    private func electricalHours(
        of device: DeviceID, _ grid: CountGrid
    ) async throws(StoreError) -> ElectricalHours? {
        var hours = ElectricalHours()
        hours.voltage = try await columns(of: device, "voltage", grid)
        hours.current = try await columns(of: device, "current", grid)
        // The store keeps W and var, the diagnosis reckons in kW and kvar.
        hours.activePower = try await columns(of: device, "active_power", grid, scale: 0.001)
        hours.reactivePower = try await columns(of: device, "reactive_power", grid, scale: 0.001)
        hours.powerFactor = try await columns(of: device, "power_factor", grid)
        let isEmpty = [hours.voltage, hours.current, hours.activePower, hours.powerFactor]
            .allSatisfy { $0 == ElectricalHours.Columns() }
        return isEmpty ? nil : hours
    }

    private func columns(
        of device: DeviceID, _ quantity: String, _ grid: CountGrid, scale: Double = 1
    ) async throws(StoreError) -> ElectricalHours.Columns {
        func column(_ facet: String) async throws(StoreError) -> [Double?] {
            let id = SeriesID(device: device, point: PointKey("\(quantity).\(facet)"))
            guard let series = shared.registry.value.series(id), let from = grid.bounds.first,
                let to = grid.bounds.last
            else { return [] }
            var values = [Double?](repeating: nil, count: grid.count)
            for record in try await rollups(
                series: series.number, resolution: grid.resolution, from: from, to: to)
            {
                guard let slot = grid.slot(of: record.bucket.start) else { continue }
                values[slot] = record.rollup.mean.map { $0 * scale }
            }
            return values
        }
        return ElectricalHours.Columns(
            a: try await column("l1"), b: try await column("l2"), c: try await column("l3"),
            total: try await column("total"))
    }
}
