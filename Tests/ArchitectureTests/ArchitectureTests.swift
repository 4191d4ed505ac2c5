import Foundation
import Testing

@Suite("Architecture")
struct ArchitectureTests {
    private func expectNone(
        _ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for finding in findings {
            Issue.record("\(finding)", sourceLocation: sourceLocation)
        }
    }

    @Test("the tree that is checked is there")
    func tree() {
        #expect(SourceTree.sources.count > 30)
        #expect(SourceTree.manifest.text.contains("swift-tools-version"))
        let targets = Rules.dependencies(inManifest: SourceTree.manifest.text)
        #expect(
            targets.count + ImportTable.systemLibraries.count == ImportTable.lines.count,
            "\(targets.keys.sorted())")
    }

    @Test("every import points to a lower line, or to a package that the target may use")
    func imports() { expectNone(SourceTree.sources.flatMap(Rules.strayImports)) }

    @Test("the manifest's dependencies point down, and every import is one of them")
    func manifest() {
        expectNone(Rules.manifestFindings(SourceTree.manifest, sources: SourceTree.sources))
    }

    @Test("every folder of Sources is a target of the table that does something")
    func targets() {
        #expect(Set(SourceTree.names(in: "Sources")) == Set(ImportTable.lines.keys))
        for target in ImportTable.lines.keys.sorted() {
            let names = SourceTree.names(in: "Sources/\(target)")
            let hasSource =
                names.contains("module.modulemap")
                || SourceTree.sources.contains { $0.target == target }
            #expect(hasSource, "\(target) is empty")
        }
    }

    @Test("no source outside plumbline traps, prints, sleeps, or asks the time by itself")
    func bannedWords() { expectNone(SourceTree.sources.flatMap(Rules.bannedWords)) }

    @Test("every type and function that other modules see has a doc comment")
    func documentation() { expectNone(SourceTree.sources.flatMap(Rules.undocumented)) }

    @Test("no file is named after nothing, none is a placeholder")
    func names() { expectNone(SourceTree.swift.flatMap(Rules.badNames)) }

    @Test("no source file has more than 600 lines")
    func sizes() { expectNone(SourceTree.swift.flatMap(Rules.tooLong)) }

    @Test("no file names a folder of somebody's machine")
    func paths() { expectNone(SourceTree.everything().flatMap(Rules.privatePaths)) }
}
