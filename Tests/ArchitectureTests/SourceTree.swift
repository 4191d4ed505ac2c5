import Foundation

/// One text file of the repository.
struct SourceFile: Sendable {
    /// Relative to the repository's root, for example `Sources/Store/Store.swift`.
    let path: String
    let text: String
    /// The text without comments and literals, for Swift files.
    let code: String

    init(path: String, text: String) {
        self.path = path
        self.text = text
        code = path.hasSuffix(".swift") ? SourceText.code(of: text) : ""
    }

    /// The target that the file belongs to, nil outside `Sources`.
    var target: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }

    var name: String { String(path.split(separator: "/").last ?? "") }
}

/// What a rule found: where, and what is wrong.
struct Finding: Hashable, Sendable, CustomStringConvertible {
    let path: String
    let line: Int
    let message: String
    var description: String { "\(path):\(line): \(message)" }
}

/// The repository that this test was compiled from.
enum SourceTree {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every Swift file of the sources.
    static let sources = files(under: ["Sources"]).filter { $0.path.hasSuffix(".swift") }
    /// Every Swift file of sources and tests.
    static let swift = sources + files(under: ["Tests"]).filter { $0.path.hasSuffix(".swift") }
    static let manifest = read("Package.swift")

    static func read(_ path: String) -> SourceFile {
        let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8)
        return SourceFile(path: path, text: text ?? "")
    }

    /// The text files under some folders, in order of path; no build products, no binary files.
    static func files(under folders: [String]) -> [SourceFile] {
        folders.flatMap { folder in
            paths(under: folder).compactMap { path in
                guard
                    let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8)
                else { return nil }
                return SourceFile(path: path, text: text)
            }
        }
    }

    /// The folders and files that a commit holds; whatever tools leave behind begins with a dot.
    static func everything() -> [SourceFile] {
        let dotted = [".ci/run", ".swift-format", ".gitignore"].map(read)
        let top = names(in: "").filter { !$0.hasPrefix(".") && $0 != "Package.resolved" }
        return dotted + top.flatMap { isFolder($0) ? files(under: [$0]) : [read($0)] }
    }

    static func names(in folder: String) -> [String] {
        let names = try? FileManager.default.contentsOfDirectory(
            atPath: root.appending(path: folder).path)
        return (names ?? []).sorted()
    }

    static func isFolder(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(
            atPath: root.appending(path: path).path, isDirectory: &isDirectory)
            && isDirectory.boolValue
    }

    private static func paths(under folder: String) -> [String] {
        names(in: folder).flatMap { name -> [String] in
            if name.hasPrefix(".") || name == "__pycache__" { return [] }
            let path = "\(folder)/\(name)"
            return isFolder(path) ? paths(under: path) : [path]
        }
    }
}
