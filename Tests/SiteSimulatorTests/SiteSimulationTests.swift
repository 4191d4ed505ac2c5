import DeviceProfiles
import FieldLinks
import Telemetry
import TestSeeds
import Testing

@testable import SiteSimulator

@Suite struct SiteSimulationTests {
    private let site = SimulatedSite(seed: 7, epoch: epoch, calendar: shanghai)

    /// Half a step of the coarsest register that holds the quantity; the main meter's current
    /// transformer makes the steps of power, current and energy sixty times as wide.
    private static let steps: [Substring: Double] = [
        "active_power": 31, "reactive_power": 31, "apparent_power": 31, "current": 0.31,
        "active_energy": 0.31, "reactive_energy": 0.31, "power_factor": 0.0006,
        "load_moment_ratio": 0.0006, "load_ratio": 0.0006, "frequency": 0.006, "pm10": 0.51,
        "pm2_5": 0.51, "tsp": 0.51, "wind_force": 0.51, "wind_direction": 0.51,
        "illuminance": 0.51, "load_mass": 5.1, "rated_load_mass": 5.1, "rainfall": 0.000051,
        "air_pressure": 51,
    ]

    private func simulation(_ clock: any WallClock) throws -> SiteSimulation {
        try SiteSimulation(
            site: site, library: Profiles.library(), broker: nil, clock: ContinuousClock(),
            wallClock: clock)
    }

    @Test("the world answers for every point of every profile it follows")
    func coverage() throws {
        let bindings = try SimulatedBindings(library: Profiles.library())
        #expect(Set(bindings.groups.map(\.device)) == Set(SimulatedSite.devices.map(\.id)))
        for group in bindings.groups {
            let values = site.values(of: group.device, at: epoch)
            for series in group.series {
                #expect(values[series.id.point] != nil, "\(series.id)")
            }
        }
    }

    @Test("what goes through registers and back is the world's value to within a register's step")
    func roundTrip() throws {
        let bindings = try SimulatedBindings(library: Profiles.library())
        var generator = SeededGenerator(seed: 5)
        for group in bindings.groups {
            let source = try #require(try bindings.source(of: group))
            for _ in 0..<20 {
                let at = randomInstant(&generator).slot(every: .seconds(1))
                let values = site.values(of: group.device, at: at)
                for (series, reading) in zip(group.series, source.readings(values, at)) {
                    switch (values[series.id.point], reading) {
                    case (.number(let said)?, .good(.number(let read))):
                        let step = Self.steps[series.id.point.quantity] ?? 0.051
                        #expect(
                            abs(said - read) <= step + said.magnitude * 1e-3,
                            "\(series.id): \(said) became \(read)")
                    case (.text(let said)?, .good(.text(let read))): #expect(said == read)
                    default: Issue.record("\(series.id): \(reading) at \(at.rfc3339())")
                    }
                }
            }
        }
    }

    @Test("every device on a bus is read over the wire and says what the world says")
    func wire() async throws {
        let clock = HandClock(epoch)
        let simulation = try simulation(clock)
        let bindings = try SimulatedBindings(library: Profiles.library())
        let took = try await withSimulation(simulation) { endpoints in
            var links: [Int: BusLink] = [:]
            var read = 0
            for step in 0..<3 {
                let now = epoch + .seconds(Int64(step) * 3600)
                clock.set(now)
                for device in SimulatedSite.devices {
                    guard let binding = bindings.modbus(device.id),
                        case .modbus(let host, let port, let unit)? = endpoints.devices[device.id]
                    else { continue }
                    let link =
                        links[port]
                        ?? BusLink(host: host, port: port, responseTimeout: .seconds(20))
                    links[port] = link
                    for (index, group) in binding.groups.enumerated() {
                        let readings = try await poll(binding, group: index, unit: unit, on: link)
                        let source = try #require(try bindings.source(of: group))
                        #expect(
                            readings == source.readings(site.values(of: device.id, at: now), now))
                        #expect(readings.allSatisfy { $0.isGood }, "\(group.scope): \(readings)")
                        read += readings.count
                    }
                }
            }
            #expect(read > 150)
        }
        // A moment; the limit is for a machine that is busy with other tests.
        #expect(took < .seconds(10))
    }

    @Test("a fault of one device leaves the others on its bus alone, and heals")
    func faults() async throws {
        let clock = HandClock(epoch)
        let simulation = try simulation(clock)
        let bindings = try SimulatedBindings(library: Profiles.library())
        let north = DeviceID("dust-north")
        let station = try #require(bindings.modbus(north))
        _ = try await withSimulation(simulation) { endpoints in
            let port = try #require(endpoints.modbusPorts["dust-bus"])
            let hasty = BusLink(
                host: "127.0.0.1", port: port, responseTimeout: .milliseconds(200))
            let patient = BusLink(host: "127.0.0.1", port: port, responseTimeout: .seconds(20))
            simulation.set(fault: .silent, for: north)
            await #expect(throws: BusError.self) {
                try await poll(station, group: 0, unit: 21, on: hasty)
            }
            let others = try await poll(station, group: 0, unit: 22, on: patient)
            #expect(others.allSatisfy { $0.isGood })
            simulation.set(fault: .frozen(at: epoch), for: north)
            let before = try await poll(station, group: 0, unit: 21, on: patient)
            clock.set(epoch + .seconds(7200))
            #expect(try await poll(station, group: 0, unit: 21, on: patient) == before)
            simulation.set(fault: nil, for: north)
            #expect(try await poll(station, group: 0, unit: 21, on: patient) != before)
        }
    }

    @Test("a given first port is taken, and a taken one is refused with its number")
    func ports() async throws {
        let first = try simulation(MachineClock())
        _ = try await withSimulation(first) { endpoints in
            let port = try #require(endpoints.modbusPorts["meter-bus"])
            let second = try SiteSimulation(
                site: site, library: Profiles.library(), broker: nil, ports: .from(port),
                clock: ContinuousClock(), wallClock: MachineClock())
            let error = await #expect(throws: SimulationError.self) { _ = try await second.start() }
            #expect(error.map { "\($0)".contains("127.0.0.1:\(port)") } == true)
        }
    }

    @Test("stop before run, and cancellation, end a simulation too")
    func ends() async throws {
        let early = try simulation(MachineClock())
        _ = try await early.start()
        early.stop()
        await early.run()

        let cancelled = try simulation(MachineClock())
        _ = try await cancelled.start()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await cancelled.run() }
            group.cancelAll()
        }
    }
}
