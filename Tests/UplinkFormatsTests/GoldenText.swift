import Foundation
import Testing

extension Folder {
    static let uplinks = tests.appending(path: "../../docs/uplinks").standardizedFileURL
}

/// Compares `text` with a file of `Golden`, which `UPDATE_GOLDEN=1` renews.
func expectGolden(
    _ text: String, _ file: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let place = Folder.golden.appending(path: file)
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
        try text.write(to: place, atomically: true, encoding: .utf8)
    }
    let golden = try String(contentsOf: place, encoding: .utf8)
    #expect(text == golden, "UPDATE_GOLDEN=1 renews \(file)", sourceLocation: sourceLocation)
}

/// Whether a paper shows `text` as a block.
func expectShown(
    _ text: String, in paper: URL, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let words = try String(contentsOf: paper, encoding: .utf8)
    #expect(
        words.contains("```text\n\(text)```"), "\(paper.lastPathComponent) shows something else",
        sourceLocation: sourceLocation)
}
