/// The tags of a template, checked before the library parses it.
///
/// The library takes any name and renders an unknown one as nothing; it says where a section goes
/// wrong, but not which one. Here every tag has to be of a form that we allow, with a name that
/// `TemplateContext` fills.
struct TemplateTags {
    struct Fault: Hashable {
        var line: Int
        var column: Int
        var message: String
    }

    private(set) var faults: [Fault] = []
    /// Every name that is used, valid or not.
    private(set) var names: Set<String> = []
    private var open: [(name: String, line: Int, column: Int)] = []

    init(_ text: String) {
        let characters = Array(text)
        var (index, line, column) = (0, 1, 1)
        while index < characters.count {
            guard characters[index] == "{", index + 1 < characters.count,
                characters[index + 1] == "{"
            else {
                if characters[index].isNewline { (line, column) = (line + 1, 0) }
                (index, column) = (index + 1, column + 1)
                continue
            }
            let start = index + 2
            guard let end = Self.end(of: characters, from: start) else {
                add(line, column, "the tag is never closed by '}}'")
                break
            }
            let content = String(characters[start..<end])
            take(content, line, column)
            // Only a comment may run over several lines.
            for character in characters[index..<(end + 2)] {
                if character.isNewline { (line, column) = (line + 1, 0) }
                column += 1
            }
            index = end + 2
        }
        for section in open {
            add(section.line, section.column, "the section '\(section.name)' is never closed")
        }
    }

    private static func end(of characters: [Character], from start: Int) -> Int? {
        var index = start
        while index + 1 < characters.count {
            if characters[index] == "}", characters[index + 1] == "}" { return index }
            index += 1
        }
        return nil
    }

    private mutating func take(_ content: String, _ line: Int, _ column: Int) {
        let trimmed = Self.trim(content[...])
        guard let sign = trimmed.first else { return add(line, column, "the tag is empty") }
        switch sign {
        case "!": return
        case "#", "^":
            let name = String(Self.trim(trimmed.dropFirst()))
            use(name, line, column)
            open.append((name, line, column))
        case "/":
            let name = String(Self.trim(trimmed.dropFirst()))
            guard let section = open.popLast() else {
                return add(line, column, "there is no open section that '\(name)' could close")
            }
            if section.name != name {
                add(
                    line, column,
                    "'\(name)' closes the section '\(section.name)' of line \(section.line)")
            }
        case "{", "&", ">", "<", "$", "=", "%", "*":
            add(
                line, column,
                "only variables, sections, inverted sections and comments are read, not '{{\(sign)'"
            )
        default: use(String(trimmed), line, column)
        }
    }

    private mutating func use(_ name: String, _ line: Int, _ column: Int) {
        names.insert(name)
        if name != ".", !TemplateContext.names.contains(name) {
            add(
                line, column,
                "'\(name)' is no name; there are "
                    + TemplateContext.names.sorted().joined(separator: ", "))
        }
    }

    private mutating func add(_ line: Int, _ column: Int, _ message: String) {
        faults.append(Fault(line: line, column: column, message: message))
    }

    private static func trim(_ text: Substring) -> Substring {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
