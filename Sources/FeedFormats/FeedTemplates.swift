import Mustache

/// Faults in the texts of templates, all of them.
package struct FeedTemplateError: Error, Hashable, CustomStringConvertible {
    /// One fault, and where it is.
    package struct Fault: Hashable, Sendable, CustomStringConvertible {
        /// The file as it was handed in, for example `zh/body.mustache`.
        package let file: String
        /// Counted from 1; nil when the fault is of the whole file.
        package let line: Int?
        package let column: Int?
        package let message: String

        package var description: String {
            let place = [line, column].compactMap { $0.map { ":\($0)" } }.joined()
            return "\(file)\(place): \(message)"
        }
    }

    package let faults: [Fault]

    package var description: String { faults.map(\.description).joined(separator: "\n") }
}

/// The texts in which people are told of alarms: Mustache templates, parsed once.
///
/// Four files, `zh/title.mustache`, `zh/body.mustache`, `en/title.mustache` and
/// `en/body.mustache`; the shipped ones are in `Config/feeds/templates`. Of Mustache they may use
/// variables, sections, inverted sections and comments, with the names of `TemplateContext`: a
/// misspelt name would silently be an empty place in an alarm, so it is a fault here.
package struct FeedTemplates: Sendable {
    /// The two texts of a notice.
    enum Part: String, CaseIterable {
        case title
        case body
    }

    private var parsed: [String: MustacheTemplate] = [:]

    /// - Parameter texts: the content of the files by their names.
    /// - Throws: all faults of all files.
    package init(texts: [String: String]) throws(FeedTemplateError) {
        var faults: [FeedTemplateError.Fault] = []
        func add(_ file: String, _ line: Int?, _ column: Int?, _ message: String) {
            faults.append(.init(file: file, line: line, column: column, message: message))
        }
        for file in texts.keys.sorted() where !Self.files.contains(file) {
            add(file, nil, nil, "no such template; there are \(Self.files.joined(separator: ", "))")
        }
        for file in Self.files {
            guard let text = texts[file] else {
                add(file, nil, nil, "the template is missing")
                continue
            }
            let tags = TemplateTags(text)
            for fault in tags.faults { add(file, fault.line, fault.column, fault.message) }
            if tags.names.contains("alarms"), !tags.names.contains("more") {
                add(
                    file, nil, nil,
                    "it lists {{#alarms}} without {{more}}: alarms for which a channel has no room "
                        + "would vanish without a word")
            }
            guard tags.faults.isEmpty else { continue }
            do {
                // Values are escaped by TextStyle; the library would escape them for HTML. The
                // pragma stands on a line of its own, which the library leaves out. It cannot read
                // a text that ends with a lone '{', hence the line feed, which FeedWords drops.
                parsed[file] = try MustacheTemplate(
                    string: "{{% CONTENT_TYPE:TEXT}}\n" + text + "\n")
            } catch let error as MustacheTemplate.ParserError {
                add(
                    file, error.context.lineNumber - 1, error.context.columnNumber,
                    "\(error.error)")
            } catch {
                add(file, nil, nil, "\(error)")
            }
        }
        if !faults.isEmpty { throw FeedTemplateError(faults: faults) }
    }

    /// The names of the files.
    package static let files = FeedLanguage.allCases.flatMap { language in
        Part.allCases.map { file($0, language) }
    }

    private static func file(_ part: Part, _ language: FeedLanguage) -> String {
        "\(language.rawValue)/\(part.rawValue).mustache"
    }

    func render(_ part: Part, _ language: FeedLanguage, with context: [String: Any]) -> String {
        parsed[Self.file(part, language)]?.render(context) ?? ""
    }
}
