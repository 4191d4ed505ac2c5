import Foundation

/// The rules that the sources keep; each takes texts, so that a planted fault can prove it works.
enum Rules {
    // MARK: Imports

    /// The modules that a file imports, with their lines. Attributes, access levels and
    /// `import struct Module.Type` are understood.
    static func imports(of file: SourceFile) -> [(module: String, line: Int)] {
        matches(
            #"(?m)^[ \t]*(?:@\w+(?:\([^)]*\))?\s+)*"#
                + #"(?:(?:public|package|internal|fileprivate|private)[ \t]+)?"#
                + #"import[ \t]+(?:(?:struct|class|enum|protocol|typealias|func|let|var|actor)[ \t]+)?"#
                + #"(\w+)"#, in: file.code
        ).map { ($0.text, $0.line) }
    }

    static func strayImports(in file: SourceFile) -> [Finding] {
        guard let target = file.target else { return [] }
        return imports(of: file).compactMap { found in
            ImportTable.objection(to: found.module, in: target)
                .map { Finding(path: file.path, line: found.line, message: $0) }
        }
    }

    /// The targets of the manifest and what each names as its dependencies.
    ///
    /// Reads the manifest's own shape: `line("Name", [ … ])` and `name: "plumbline"`, with our
    /// targets in quotes and products as constants. The benchmarks' target, which stands behind a
    /// condition at the end, is no part of the table.
    static func dependencies(inManifest text: String) -> [String: Set<String>] {
        let end = text.firstRange(of: "if Context.environment")?.lowerBound ?? text.endIndex
        let text = String(text[..<end])
        var result: [String: Set<String>] = [:]
        let pattern =
            #"(?:\bline\(\s*|\.executableTarget\(\s*name:\s*)"(\w+)",\s*(?:dependencies:\s*)?\[([^\]]*)\]"#
        for found in matches(pattern, in: text, groups: 2) {
            result[found.groups[0]] = Set(matches(#""(\w+)""#, in: found.groups[1]).map(\.text))
        }
        return result
    }

    /// Dependencies that point up or sideways, and imports that the manifest does not know.
    static func manifestFindings(_ manifest: SourceFile, sources: [SourceFile]) -> [Finding] {
        let dependencies = dependencies(inManifest: manifest.text)
        var findings: [Finding] = []
        func add(_ message: String, _ path: String = manifest.path, _ line: Int = 1) {
            findings.append(Finding(path: path, line: line, message: message))
        }
        for (target, names) in dependencies.sorted(by: { $0.key < $1.key }) {
            if names.isEmpty, ImportTable.lines[target] == nil { add("\(target) has no line") }
            for name in names.sorted() {
                if let objection = ImportTable.objection(to: name, in: target) { add(objection) }
            }
        }
        for file in sources {
            guard let target = file.target, let declared = dependencies[target] else {
                add("the target is not in the manifest", file.path)
                continue
            }
            for (module, line) in imports(of: file)
            where ImportTable.lines[module] != nil && !declared.contains(module) {
                add("\(module) is imported but no dependency of \(target)", file.path, line)
            }
        }
        return findings
    }

    // MARK: Words

    private static let banned: [(pattern: String, message: String)] = [
        (#"\bTask\s*\.\s*detached\b"#, "a detached task has no owner that waits for it"),
        (
            #"\bTask\s*(?:<[^>\n]*>)?\s*(?:\([^)\n]*\)\s*)?\{"#,
            "an unstructured task has no owner that waits for it"
        ),
        (#"\btry\s*!"#, "an error that traps"),
        (#"\bas\s*!"#, "a cast that traps"),
        (#"\bfatalError\s*\("#, "a trap"),
        (#"\bprint\s*\("#, "log through the logger; only plumbline prints"),
        (#"\bDate\s*(?:\(\s*\)|\.\s*now\b)"#, "time is an argument"),
        (#"\b(?:Continuous|Suspending)Clock\s*(?:\(\s*\)|\.\s*now\b)"#, "clocks are passed in"),
        (#"\bTask\s*\.\s*sleep\b"#, "sleep on the clock that was passed in"),
    ]

    static func bannedWords(in file: SourceFile) -> [Finding] {
        guard let target = file.target, target != "plumbline" else { return [] }
        return banned.flatMap { rule in
            matches(rule.pattern, in: file.code).map {
                Finding(path: file.path, line: $0.line, message: "'\($0.text)': \(rule.message)")
            }
        }
    }

    // MARK: Documentation

    /// Types and functions that other modules see but no `///` explains.
    ///
    /// Free of it are operators, the witnesses of well-known protocols, and what stands directly
    /// below a documented function of the same name (overloads share their explanation).
    static func undocumented(in file: SourceFile) -> [Finding] {
        guard file.target != nil else { return [] }
        let raw = file.text.split(separator: "\n", omittingEmptySubsequences: false)
        let pattern =
            #"(?m)^[ \t]*(?:@\w+(?:\([^)\n]*\))?[ \t]+)*(?:package|public|open)[ \t]+"#
            + #"(?:(?:static|final|mutating|nonmutating|nonisolated|indirect|override|consuming|borrowing|isolated|unsafe|class(?=[ \t]+func))(?:\(\w+\))?[ \t]+)*"#
            + #"(struct|class|enum|protocol|actor|typealias|func)[ \t]+([^\s(<:{=]+)"#
        var documented: (name: String, line: Int)?
        var findings: [Finding] = []
        for found in matches(pattern, in: file.code, groups: 2) {
            let (kind, name) = (found.groups[0], found.groups[1])
            var above = found.line - 2
            while above >= 0, isAttribute(raw[above]) { above -= 1 }
            let isExplained = above >= 0 && raw[above].drop { $0 == " " }.hasPrefix("///")
            // Overloads: at most one blank line and a short body between.
            let isOverload =
                documented.map { $0.name == name && found.line - $0.line <= 12 } ?? false
            if isExplained || isOverload {
                documented = (name, found.line)
            } else if kind != "func" || !isWitness(name) {
                findings.append(
                    Finding(
                        path: file.path, line: found.line,
                        message: "\(kind) \(name) has no doc comment"))
            }
        }
        return findings
    }

    private static func isAttribute(_ line: Substring) -> Bool {
        line.drop { $0 == " " }.hasPrefix("@")
    }

    private static func isWitness(_ name: String) -> Bool {
        let witnesses: Set = [
            "encode", "hash", "makeAsyncIterator", "makeIterator", "next", "enqueue",
            "asUnownedSerialExecutor", "checkIsolated", "run",
        ]
        return witnesses.contains(name) || !(name.first.map { $0.isLetter || $0 == "`" } ?? false)
    }

    // MARK: Names, sizes, places

    static func badNames(in file: SourceFile) -> [Finding] {
        let stem = file.name.replacing(".swift", with: "")
        guard file.path.hasSuffix(".swift") else { return [] }
        if stem == "Placeholder" {
            return [
                Finding(
                    path: file.path, line: 1, message: "a target appears when it does something")
            ]
        }
        return ["Manager", "Helper", "Helpers", "Utils", "Util", "Common", "Extensions"]
            .filter { stem.hasSuffix($0) }
            .map {
                Finding(path: file.path, line: 1, message: "'\($0)' says nothing; name the job")
            }
    }

    static let longest = 600

    static func tooLong(_ file: SourceFile) -> [Finding] {
        let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
        guard file.path.hasSuffix(".swift"), lines > longest else { return [] }
        return [
            Finding(
                path: file.path, line: longest,
                message: "\(lines) lines; look for a second concept")
        ]
    }

    /// Absolute paths of somebody's own folder.
    static func privatePaths(in file: SourceFile) -> [Finding] {
        matches(#"(?<![\w.\-])/(?:work|home|Users)/\w*"#, in: file.text).map {
            Finding(path: file.path, line: $0.line, message: "'\($0.text)' exists on one machine")
        }
    }

    // MARK: Search

    struct Match {
        /// The first group, or the whole match where the pattern has none.
        let text: String
        let groups: [String]
        /// The line of the match's last character: attributes may precede on lines of their own.
        let line: Int
    }

    private static func matches(_ pattern: String, in text: String, groups: Int = 1) -> [Match] {
        guard let expression = try? NSRegularExpression(pattern: pattern) else { return [] }
        let whole = text as NSString
        var line = 1
        var counted = 0
        return expression.matches(in: text, range: NSRange(location: 0, length: whole.length)).map {
            result in
            let end = result.range.location + result.range.length - 1
            let passed = NSRange(location: counted, length: max(0, end - counted))
            line += whole.substring(with: passed).utf16.count { $0 == 0x0A }
            counted = max(counted, end)
            let found = (1...groups).map { group in
                group < result.numberOfRanges && result.range(at: group).location != NSNotFound
                    ? whole.substring(with: result.range(at: group))
                    : whole.substring(with: result.range)
            }
            return Match(text: found[0], groups: found, line: line)
        }
    }
}
