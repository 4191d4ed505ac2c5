import Foundation
import FuzzCases
import Testing

/// The inputs that `make fuzz` keeps, through the same cases, without libFuzzer.
@Suite("The fuzzing corpus")
struct CorpusTests {
    private static let longest: [UInt8] = Array(repeating: 0x5B, count: 2048)

    private func inputs(of one: FuzzCase) throws -> [(name: String, bytes: [UInt8])] {
        try FileManager.default.contentsOfDirectory(atPath: one.corpus.path).sorted().map {
            (name: $0, bytes: Array(try Data(contentsOf: one.corpus.appending(path: $0))))
        }
    }

    @Test(
        "is read or refused by each parser, and what is read keeps the parser's promises",
        arguments: FuzzCase.all.map(\.name))
    func replay(name: String) throws {
        let one = try #require(FuzzCase.all.first { $0.name == name })
        let inputs = try inputs(of: one)
        #expect(inputs.count >= 3)
        for input in inputs {
            #expect(throws: Never.self, "\(name)/\(input.name)") { try one.run(input.bytes) }
            // Cut short as well: whatever reads must expect an end anywhere.
            let half = Array(input.bytes.prefix(input.bytes.count / 2))
            #expect(throws: Never.self, "half of \(name)/\(input.name)") { try one.run(half) }
        }
        for bytes in [[], [0], Self.longest] {
            #expect(throws: Never.self, "\(name)") { try one.run(bytes) }
        }
    }

    @Test("is small: 60 inputs of 2 KiB for a parser, 1.5 MiB in all, and none without a parser")
    func size() throws {
        var sum = 0
        for one in FuzzCase.all {
            let inputs = try inputs(of: one)
            #expect(inputs.count <= 60, "\(one.name)")
            for input in inputs {
                #expect(input.bytes.count <= 2048, "\(one.name)/\(input.name)")
                sum += input.bytes.count
            }
        }
        #expect(sum < 1_500_000)
        let folder = try #require(FuzzCase.all.first).corpus.deletingLastPathComponent()
        #expect(
            Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
                == Set(FuzzCase.all.map(\.name)))
    }
}
