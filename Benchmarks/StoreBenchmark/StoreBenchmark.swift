import Foundation
import Gateway
import Store
import Telemetry

/// The parts of `make bench-store` that run inside Swift; Benchmarks/store.py drives them.
///
///     StoreBenchmark corpus  --out DIR --days 7
///     StoreBenchmark load    --data DIR --kinds building,dust --stamp slot|message|exact
///     StoreBenchmark wear    --data DIR --site uniform|corpus --hours 2
///     StoreBenchmark day     --data DIR --series crane-1.hook_height --count 200
///     StoreBenchmark codec
///     StoreBenchmark seals   --data DIR
///     StoreBenchmark accounts --data DIR --meters 100 --runs 15
///     StoreBenchmark history --data DIR --config FILE --share DIR --device ID --seconds 86400
@main
struct StoreBenchmark {
    static func main() async {
        do {
            var words = Array(CommandLine.arguments.dropFirst())
            guard !words.isEmpty else { throw Failure("name a part: see Benchmarks/store.py") }
            let part = words.removeFirst()
            let options = try Options(words)
            switch part {
            case "corpus": try corpus(options)
            case "load": try await load(options)
            case "wear": try await wear(options)
            case "day": try await day(options)
            case "codec": try await codec(options)
            case "seals": try await seals(options)
            case "accounts":
                try report(
                    try await AccountsBenchmark.run(
                        directory: options.text("data"), meters: options.number("meters", 100),
                        runs: options.number("runs", 15)))
            case "history": try await history(options)
            default: throw Failure("there is no part '\(part)'")
            }
        } catch {
            FileHandle.standardError.write(Data("StoreBenchmark: \(error)\n".utf8))
            exit(1)
        }
    }

    /// Writes what the peers are fed, and prints counts and floors.
    private static func corpus(_ options: Options) throws {
        let corpus = Corpus(days: try options.number("days", 7))
        let folder = try options.text("out")
        try corpus.writeLineProtocol(to: folder + "/aligned.lp", isJittered: false)
        try corpus.writeLineProtocol(to: folder + "/jittered.lp", isJittered: true)
        try corpus.writeRows(to: folder + "/rows.bin", hours: try options.number("hours", 2))
        try report([
            "series": corpus.series, "samples": corpus.samples, "floors": corpus.floors(),
            "start": corpus.start.milliseconds, "seconds": corpus.seconds,
        ])
    }

    /// Loads the corpus through the store and the evaluation, and seals all of it.
    private static func load(_ options: Options) async throws {
        let kinds = Set(
            try options.text("kinds").split(separator: ",").compactMap {
                Corpus.Kind(rawValue: String($0))
            })
        let corpus = Corpus(days: try options.number("days", 7)).only(kinds)
        let resolution: Int64?
        let stamp = try options.text("stamp")
        switch stamp {
        case "slot": resolution = nil
        case "message": resolution = 100
        case "exact": resolution = 1
        default: throw Failure("--stamp is slot, message or exact")
        }
        let before = Usage.now()
        let step = try options.number("commit", 60)
        try await VirtualSite.run(
            directory: try options.text("data"),
            groups: corpus.scanGroups(arePolled: stamp == "slot"), start: corpus.start,
            durability: .process, sealsEverything: true
        ) { site in
            site.housekeeping = .seconds(3600)
            let ids = site.groups.map(\.id)
            for second in stride(from: 0, to: corpus.seconds, by: step) {
                let end = min(second + step, corpus.seconds)
                try await site.pass(
                    .seconds(end - second),
                    corpus.scans(in: second..<end, ids: ids, resolution: resolution))
            }
        }
        let after = Usage.now()
        try report([
            "samples": corpus.samples,
            "cpu_us_per_sample": (after.cpuSeconds - before.cpuSeconds) * 1e6
                / Double(corpus.samples),
        ])
    }

    /// A durable commit each virtual second, as fast as the disk allows.
    private static func wear(_ options: Options) async throws {
        let seconds = try options.number("minutes", 120) * 60
        let isCorpus = try options.text("site") == "corpus"
        let corpus = Corpus(days: isCorpus ? max(1, (seconds + 86_399) / 86_400) : 1)
        let plant = UniformPlant(groups: 20, width: 25)
        let groups = isCorpus ? corpus.scanGroups() : plant.groups
        let directory = try options.text("data")
        let (samples, commits) = try await VirtualSite.run(
            directory: directory, groups: groups, start: corpus.start, durability: .power,
            sealsEverything: false
        ) { site in
            var plant = plant
            let ids = site.groups.map(\.id)
            var samples = 0
            for second in 0..<seconds {
                let scans =
                    isCorpus
                    ? corpus.scans(in: second..<(second + 1), ids: ids, resolution: nil)
                    : plant.scans(at: corpus.start + .seconds(second), ids: ids)
                samples += scans.reduce(0) { $0 + $1.readings.count }
                try await site.pass(.seconds(1), scans)
            }
            return (samples, site.timings)
        }
        let end = Usage.now()
        try report([
            "samples": samples, "seconds": seconds,
            "written_bytes": end.writtenBytes,
            "device_bytes_per_sample": Double(end.writtenBytes) / Double(samples),
            "cpu_us_per_sample": end.cpuSeconds * 1e6 / Double(samples),
            "commit_p50_ms": commits.quantile(0.5), "commit_p99_ms": commits.quantile(0.99),
            "commit_worst_ms": commits.quantile(1),
        ])
    }

    /// A day of one series, out of a store that is sealed.
    private static func day(_ options: Options) async throws {
        let store = try Store.openReadOnly(directory: try options.text("data"), calendar: .utc)
        guard let series = SeriesID(try options.text("series")) else {
            throw Failure("--series is device.point")
        }
        var timings = Timings()
        var count = 0
        let before = Usage.now()
        for round in 0..<(try options.number("count", 100)) {
            let from = Corpus.start + .seconds((1 + round % 5) * 86_400)
            count = try await timings.measure {
                try await store.reader.samples(
                    series: series, from: from, to: from + .seconds(86_400), limit: 100_000
                ).count
            }
        }
        let after = Usage.now()
        try store.close()
        try report([
            "samples": count, "p50_ms": timings.quantile(0.5), "p99_ms": timings.quantile(0.99),
            "cpu_ms": (after.cpuSeconds - before.cpuSeconds) * 1000
                / Double(max(1, timings.milliseconds.count)),
        ])
    }

    /// Enters a past into the store of a configured site, so that `plumbline run` goes on from it.
    private static func history(_ options: Options) async throws {
        let (site, _) = try SiteFiles.site(
            at: try options.text("config"), devices: try options.text("share") + "/Devices")
        let length = try options.number("seconds", 86_400)
        let every = try options.number("every", 0)
        let devices = Set(try options.text("devices").split(separator: ",").map(String.init))
        let end = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        // Sparse scans come in larger commits: a year is entered in seconds, not minutes.
        let step = every >= 900 ? 21_600 : 3600
        let start = (end - .seconds(length)).slot(every: .seconds(step))
        let plant = UniformPlant(
            site.groups.filter { devices.isEmpty || devices.contains($0.device.text) })
        let samples = try await VirtualSite.run(
            directory: try options.text("data"), groups: site.groups, start: start,
            durability: .process, sealsEverything: false, calendar: site.calendar
        ) { [plant] virtual in
            virtual.housekeeping = .seconds(6 * 3600)
            var plant = plant
            var samples = 0
            var ids: [ScanGroup.ID] = []
            for group in plant.groups {
                guard let known = virtual.groups.first(where: { $0.scope == group.scope }) else {
                    throw Failure("group \(group.scope) was not registered")
                }
                ids.append(known.id)
            }
            var time = start
            while time < end {
                // A commit holds at most 65,536 readings; an hour of a busy site is cut.
                let width = plant.groups.reduce(0) { $0 + $1.series.count }
                let finest = every > 0 ? every : plant.finestPeriod
                let rows = max(1, min(step / finest, 30_000 / max(1, width)))
                let next = min(end, time + .seconds(rows * finest))
                var scans: [Scan] = []
                var slot = time
                while slot < next {
                    scans += plant.scans(at: slot, ids: ids, every: every)
                    slot = slot + .seconds(finest)
                }
                samples += scans.reduce(0) { $0 + $1.readings.count }
                try await virtual.pass(next - time, scans)
                time = next
            }
            return samples
        }
        try report(["samples": samples, "end": end.milliseconds])
    }
}

/// `--name value` pairs.
struct Options {
    private var values: [String: String] = [:]

    init(_ words: [String]) throws {
        guard words.count.isMultiple(of: 2) else { throw Failure("options are --name value") }
        for index in stride(from: 0, to: words.count, by: 2) {
            values[String(words[index].drop { $0 == "-" })] = words[index + 1]
        }
    }

    func text(_ name: String) throws -> String {
        guard let value = values[name] else { throw Failure("--\(name) is missing") }
        return value
    }

    func number(_ name: String, _ fallback: Int) throws -> Int {
        guard let value = values[name] else { return fallback }
        guard let number = Int(value) else { throw Failure("--\(name) is a number") }
        return number
    }
}
