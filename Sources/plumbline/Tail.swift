import ArgumentParser
import Store
import Telemetry

/// `plumbline tail`: readings as they are committed.
struct Tail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say("Prints readings as they are committed.", "实时打印已入库的读数。"),
        discussion: say(
            """
            Examples:
              plumbline tail --config site.yaml
              plumbline tail --config site.yaml dust-north pm10
            """,
            """
            示例：
              plumbline tail --config site.yaml
              plumbline tail --config site.yaml dust-north pm10
            """))

    @OptionGroup var source: StoreArguments

    @Argument(
        help: ArgumentHelp(
            say("Only series whose name holds each of these.", "只显示名称中含这些词的点位。")))
    var words: [String] = []

    @Option(name: .shortAndLong, help: ArgumentHelp(say("End after so many lines.", "输出若干行后结束。")))
    var lines: Int?

    func run() async throws {
        try await reportingFailures {
            let (reader, calendar, close) = try source.open()
            defer { close() }
            let registry = try await reader.registry()
            var cursor = max(0, reader.newestSequence() - 1)
            var printed = 0
            while true {
                let rows = try await reader.journal(after: cursor, maximumRows: 64)
                for row in rows {
                    cursor = row.sequence
                    for scan in row.scans {
                        for line in lines(of: scan, registry, calendar) {
                            print(line)
                            printed += 1
                            if let lines, printed >= lines { return }
                        }
                    }
                }
                if rows.isEmpty { try await Task.sleep(for: .milliseconds(250)) }
            }
        }
    }

    private func lines(of scan: Scan, _ registry: Registry, _ calendar: SiteCalendar) -> [String] {
        guard let group = registry.group(scan.group) else { return [] }
        return zip(group.series, scan.readings).compactMap { series, reading in
            let name = series.id.description
            guard words.allSatisfy({ name.contains($0) }) else { return nil }
            let time = calendar.rfc3339(scan.time)
            switch reading {
            case .good: return "\(time)  \(name)  \(reading.shown) \(series.unit)"
            case .bad(let reason): return "\(time)  \(name)  – \(reason.word)"
            }
        }
    }
}
