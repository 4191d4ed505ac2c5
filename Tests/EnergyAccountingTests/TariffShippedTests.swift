import EnergyAccounting
import Foundation
import Telemetry
import Testing

@Suite("Shipped tariffs")
struct TariffShippedTests {
    private static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let folder = root.appending(path: "Config/tariffs")

    private static let files: [URL] =
        ((try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil))
        ?? []).filter { $0.pathExtension == "yaml" }

    private static func book(_ name: String) throws -> TariffBook {
        let text = try String(contentsOf: folder.appending(path: "\(name).yaml"), encoding: .utf8)
        return try TariffFile.parse(text, file: "\(name).yaml")
    }

    @Test("are there for electricity, water, gas and diesel")
    func carriers() throws {
        let books = try Self.files.map {
            try Self.book($0.deletingPathExtension().lastPathComponent)
        }
        #expect(
            Set(books.map(\.carrier)).isSuperset(of: ["electricity", "water", "gas", "diesel"]))
    }

    @Test("bear the name of their file, say that they are examples, and end", arguments: files)
    func examples(file: URL) throws {
        let name = file.deletingPathExtension().lastPathComponent
        let book = try Self.book(name)
        #expect(book.name == name)
        #expect(book.title.en.hasPrefix("Example, to be replaced"))
        #expect(book.title.zh.hasPrefix("示例"))
        for table in book.tables {
            #expect(["example", "from-memory"].contains(table.origin.status))
            #expect(table.until != nil)
            for origin in [
                table.charges.capacity?.origin, table.charges.demand?.origin,
                table.charges.fixed?.origin, table.charges.powerFactor?.origin,
            ] {
                #expect(origin.map { ["example", "from-memory"].contains($0.status) } ?? true)
            }
        }
    }

    @Test("price working days and holidays of the industrial example as it is written")
    func industrial() throws {
        let book = try Self.book("example-industrial-electricity")
        let calendar = TariffTestTexts.shanghai
        func hours(_ day: String) throws -> [String: Int] {
            let period = try #require(AccountingPeriod(day))
            let schedule = book.schedule(
                for: CountGrid(.hour, of: period, calendar: calendar), calendar: calendar)
            var hours: [String: Int] = [:]
            for slot in 0..<schedule.grid.count {
                guard case .priced(let part) = schedule[slot] else { continue }
                hours[book.tables[part.table].bands[part.band].name, default: 0] += 1
            }
            return hours
        }
        #expect(try hours("2026-07-15") == ["sharp": 4, "peak": 8, "valley": 12])
        #expect(try hours("2026-04-15") == ["peak": 7, "flat": 5, "valley": 12])
        #expect(
            try hours("2026-05-01") == ["peak": 5, "flat": 5, "valley": 10, "deep-valley": 4])
        #expect(try hours("2027-01-01") == [:])
    }

    @Test("adjust by the power factor as the table of the industrial example says")
    func powerFactor() throws {
        let adjustment = try #require(
            Self.book("example-industrial-electricity").tables[0].charges.powerFactor)
        // 0.80, 0.60, 0.96 and 0.936, which is rounded to 0.94.
        for (active, reactive, factor, percent) in [
            (4, 3, "0.80", "5"), (3, 4, "0.60", "25"), (24, 7, "0.96", "-0.75"),
            (117, 44, "0.94", "-0.60"), (0, 1, "0.00", "145"), (1, 0, "1.00", "-0.75"),
        ] {
            let found = try #require(
                adjustment.step(active: Exact(active * 1000), reactive: Exact(reactive * 1000)))
            #expect(found.factor == Exact(text: factor))
            #expect(found.step.percent == Exact(text: percent), "\(factor)")
        }
    }

    @Test("are written in the grammar whose document has an example that can be read")
    func document() throws {
        let document = Self.root.appending(path: "docs/formats/tariff.md")
        let text = try String(contentsOf: document, encoding: .utf8)
        let blocks = text.split(separator: "```yaml\n").dropFirst()
            .compactMap { $0.split(separator: "```").first }
        let example = try #require(blocks.first)
        let book = try TariffFile.parse(String(example), file: "tariff.md")
        #expect(book.tables.map(\.label) == ["2026-01-01..2026-01-31", "2026-02-01.."])
        #expect(book.tables[1].bands.map(\.name) == ["peak", "valley", "night-heat"])
        #expect(book.hasDemandCharge)
    }
}
