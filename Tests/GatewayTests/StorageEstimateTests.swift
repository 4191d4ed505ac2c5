import Foundation
import Telemetry
import Testing

@testable import Gateway

@Suite("The storage estimate")
struct StorageEstimateTests {
    /// What `make bench-store` has measured.
    private static func measured() throws -> [String: Double] {
        let data = try Data(
            contentsOf: URL(
                fileURLWithPath: ConfigurationTests.root + "/Benchmarks/results/store.json"))
        let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        return object.compactMapValues { $0 as? Double }
    }

    private static func group(_ device: String, period: Int, width: Int) -> ScanGroup {
        let device = DeviceID(device)
        return ScanGroup(
            device: device, interface: "rs485", name: "all",
            series: (0..<width).map {
                Series(
                    id: SeriesID(device: device, point: PointKey("p\($0)")), kind: .gauge,
                    unit: "W")
            }, period: .seconds(period), isPolled: true)
    }

    /// The corpus of the benchmark: `Benchmarks/StoreBenchmark/Corpus.swift`.
    private static let meters = [
        group("meter-main", period: 15, width: 3), group("meter-plant", period: 15, width: 3),
        group("meter-office", period: 60, width: 4), group("meter-living", period: 60, width: 4),
        group("meter-lift", period: 60, width: 3),
    ]
    private static let corpus =
        meters + [
            group("dust-north", period: 30, width: 3), group("dust-south", period: 30, width: 3),
            group("crane-1", period: 1, width: 2),
        ]

    private static func isNear(_ estimate: Double, _ measured: Double) -> Bool {
        estimate < measured * 1.5 && measured < estimate * 1.5
    }

    @Test("of the benchmark's own sites is within a factor of 1.5 of the measured bytes")
    func benchmark() throws {
        let figures = try Self.measured()
        func figure(_ name: String) throws -> Double { try #require(figures[name], "\(name)") }
        let week = try figure("samples")
        let mix = StorageEstimate(Self.corpus, commitInterval: .seconds(1))
        #expect((mix.readingsPerDay * 7).rounded() == week)
        #expect(
            Self.isNear(mix.rawBytesPerDay * 7, try figure("bytes_per_sample_mix") * week),
            "mix: \(mix.rawBytesPerDay)")
        let building = StorageEstimate(Self.meters, commitInterval: .seconds(1))
        #expect(
            Self.isNear(
                building.rawBytesPerDay / building.readingsPerDay,
                try figure("bytes_per_sample_building")))
        #expect(
            Self.isNear(mix.rollupBytesPerDay * 365, try figure("rollup_year_mb") * 1e6),
            "rollups: \(mix.rollupBytesPerDay)")
        #expect(
            Self.isNear(
                mix.writtenPerDay / mix.readingsPerDay,
                try figure("device_bytes_per_sample_corpus")))
        let plant = StorageEstimate(
            (0..<20).map { Self.group("m-\($0)", period: 1, width: 25) },
            commitInterval: .seconds(1))
        #expect(
            Self.isNear(
                plant.writtenPerDay / plant.readingsPerDay, try figure("device_bytes_per_sample")))
    }

    @Test("counts commits by the interval, by the fastest group, and by the idle row at least")
    func commits() {
        let slow = [Self.group("m", period: 60, width: 3)]
        let fast = [Self.group("m", period: 2, width: 3)]
        #expect(StorageEstimate(slow, commitInterval: .seconds(1)).commitsPerDay == 8640)
        #expect(StorageEstimate(fast, commitInterval: .seconds(1)).commitsPerDay == 43_200)
        #expect(StorageEstimate(fast, commitInterval: .seconds(5)).commitsPerDay == 17_280)
        let patient = StorageEstimate(fast, commitInterval: .seconds(60))
        let hasty = StorageEstimate(fast, commitInterval: .milliseconds(100))
        #expect(patient.writtenPerDay * 2 < hasty.writtenPerDay)
        #expect(StorageEstimate([], commitInterval: .seconds(1)).writtenPerDay == 0)
    }
}
