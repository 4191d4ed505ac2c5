import Testing

/// Each rule is shown a text that breaks it and one that does not: a rule that cannot fail proves
/// nothing.
@Suite("The rules themselves")
struct RuleTests {
    private func file(_ text: String, _ path: String = "Sources/Store/A.swift") -> SourceFile {
        SourceFile(path: path, text: text)
    }

    @Test("comments and literals are blanked, code and lines are kept")
    func blanking() {
        let text = ##"""
            let a = "print(1) \(call("x // y")) end" // print(2)
            /* try! /* nested */ fatalError() */ let b = 1
            let c = #"raw "quoted" \(no) print("# + "\\" + """
                print(3)
                \(Date())
                """
            let d = "unfinished
            let e = 'x'
            """##
        let code = SourceText.code(of: text)
        #expect(code.split(separator: "\n", omittingEmptySubsequences: false).count == 8)
        #expect(!code.contains("print") && !code.contains("try!") && !code.contains("fatalError"))
        #expect(!code.contains("quoted") && !code.contains("end") && !code.contains("nested"))
        #expect(code.contains("call(\"") && code.contains("let b = 1") && code.contains("Date()"))
        #expect(code.contains("let d = ") && code.contains("let e = "))
    }

    @Test(
        "an import is seen in every form",
        arguments: [
            "import GRDB", "  import GRDB", "@preconcurrency import GRDB", "package import GRDB",
            "import struct GRDB.Row", "@_exported public import class GRDB.Pool",
            "@_spi(X)\nimport GRDB", "import GRDB // why",
        ])
    func importForms(text: String) {
        #expect(Rules.imports(of: file(text)).map(\.module) == ["GRDB"])
        #expect(Rules.strayImports(in: file(text)).isEmpty)
        let stray = Rules.strayImports(in: file(text, "Sources/Alarms/A.swift"))
        #expect(stray.map(\.message) == ["GRDB belongs to Store"])
        #expect(stray.first?.line == text.split(separator: "\n").count)
    }

    @Test(
        "an import that strays is found",
        arguments: [
            ("Telemetry", "Alarms"), ("Alarms", "DeviceProfiles"), ("Store", "FieldLinks"),
            ("Delivery", "WebAPI"), ("WebAPI", "Gateway"), ("Acquisition", "Acquisition"),
            ("Telemetry", "Foundation"), ("UplinkFormats", "Glibc"), ("Delivery", "Logging"),
            ("SiteSimulator", "CMosquitto"), ("Gateway", "Yams"), ("Gateway", "NIOCore"),
            ("Store", "Left_pad"), ("Unknown", "Telemetry"),
        ])
    func strays(target: String, module: String) {
        let stray = Rules.strayImports(in: file("import \(module)", "Sources/\(target)/A.swift"))
        #expect(stray.count == 1)
    }

    @Test(
        "an import that the table permits is not",
        arguments: [
            ("Alarms", "Telemetry"), ("LocatedText", "Yams"), ("SiteSimulator", "CModbus"),
            ("Store", "Foundation"), ("OwnThread", "Glibc"), ("plumbline", "Gateway"),
            ("plumbline", "ArgumentParser"), ("WebAPI", "EnergyAccounting"),
        ])
    func permitted(target: String, module: String) {
        let stray = Rules.strayImports(in: file("import \(module)", "Sources/\(target)/A.swift"))
        #expect(stray == [])
    }

    @Test("the word import in a comment, a text or a name is no import")
    func noImport() {
        let text = "// import GRDB\nlet s = \"\"\"\nimport GRDB\n\"\"\"\nlet important = 1\n"
        #expect(Rules.imports(of: file(text)).isEmpty)
    }

    @Test("the manifest is read, and what it permits too much is found")
    func manifest() {
        let manifest = file(
            """
            line("Telemetry", []),
            line(
                "Alarms",
                ["Telemetry", "Store", logging]),
            .executableTarget(
                name: "plumbline",
                dependencies: ["Gateway", arguments])
            """, "Package.swift")
        #expect(
            Rules.dependencies(inManifest: manifest.text) == [
                "Telemetry": [], "Alarms": ["Telemetry", "Store"], "plumbline": ["Gateway"],
            ])
        let sources = [
            file("import Telemetry", "Sources/Alarms/A.swift"),
            file("import Telemetry", "Sources/plumbline/A.swift"),
            file("", "Sources/Nowhere/A.swift"),
        ]
        #expect(
            Rules.manifestFindings(manifest, sources: sources).map(\.description) == [
                "Package.swift:1: Alarms (line 1) may not import Store (line 2)",
                "Sources/plumbline/A.swift:1: Telemetry is imported but no dependency of plumbline",
                "Sources/Nowhere/A.swift:1: the target is not in the manifest",
            ])
    }

    @Test(
        "a banned word is found",
        arguments: [
            "Task.detached { }", "Task { await x() }", "Task<Void, Never> { }",
            "Task(priority: .high) { }", "Task {", "try! f()", "x as! Y", "fatalError(\"no\")",
            "print(x)", "Date()", "Date( )", "Date.now", "ContinuousClock()",
            "ContinuousClock.now", "SuspendingClock()", "try await Task.sleep(for: .seconds(1))",
            "let s = \"\\(Date())\"",
        ])
    func banned(text: String) {
        #expect(Rules.bannedWords(in: file("func f() {\n\(text)\n}")).map(\.line) == [2])
        #expect(Rules.bannedWords(in: file(text, "Sources/plumbline/A.swift")).isEmpty)
    }

    @Test(
        "what only resembles a banned word is not",
        arguments: [
            "// Task { }", "/// try! and print(x)", "let s = \"print(x)\"", "blueprint(x)",
            "struct PollTask {", "withTaskGroup { group in group.addTask { } }", "Task.isCancelled",
            "Date(timeIntervalSince1970: 0)", "x.updateDate()", "try? f()", "clock.sleep(for: d)",
            "Task.yield()", "sprint()", "TaskLocal {",
        ])
    func allowed(text: String) { #expect(Rules.bannedWords(in: file(text)) == []) }

    @Test("a type or function that other modules see and nothing explains is found")
    func undocumented() {
        let text = """
            package struct A {}
            /// Explained.
            package struct B {}
            public final class C {
                package func plain() {}
                /// Explained.
                @discardableResult
                package mutating func attributed() {}
                package static func < (a: C, b: C) -> Bool { true }
                package func encode(to encoder: any Encoder) {}
                func inside() {}
                // Only a remark.
                package nonisolated func remark() {}
                /// Explained once
                package func overload(_ a: Int) {}
                package func overload(_ a: Double) {}
            }
            package protocol P {}
            package actor D {}
            """
        #expect(
            Rules.undocumented(in: file(text)).map(\.line) == [1, 4, 5, 13, 18, 19])
    }

    @Test("names that say nothing, placeholders and long files are found")
    func namesAndSizes() {
        for name in [
            "StoreManager", "Helper", "StringUtils", "Common", "Array+Extensions", "Placeholder",
        ] {
            #expect(
                Rules.badNames(in: file("", "Sources/Store/\(name).swift")).count == 1, "\(name)")
        }
        #expect(Rules.badNames(in: file("", "Sources/Store/Writer.swift")).isEmpty)
        let line = "let a = 1\n"
        #expect(Rules.tooLong(file(String(repeating: line, count: 600))).isEmpty)
        #expect(Rules.tooLong(file(String(repeating: line, count: 601))).count == 1)
    }

    @Test("a folder of somebody's machine is found, an address or a relative path is not")
    func paths() {
        // Put together here, so that this file does not break the rule that it tests.
        for folder in ["work", "home", "Users"] {
            let text = "a\nopen(\"/\(folder)/someone/x\")"
            #expect(Rules.privatePaths(in: file(text, "README.md")).map(\.line) == [2])
        }
        for text in [
            "https://example.org/home/x", "docs/work/x", "../home/x", "/var/lib/plumbline",
        ] {
            #expect(Rules.privatePaths(in: file(text, "README.md")).isEmpty)
        }
    }
}
