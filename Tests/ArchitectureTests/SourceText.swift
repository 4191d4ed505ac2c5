/// Swift source with comments and the text of string literals blanked out, lines kept in place.
///
/// Code inside an interpolation stays, because it is code. Regex literals are not known here; the
/// house does not write them.
enum SourceText {
    static func code(of text: String) -> String {
        var scanner = Scanner(Array(text.unicodeScalars))
        scanner.code(until: nil)
        return String(String.UnicodeScalarView(scanner.output))
    }

    private struct Scanner {
        let input: [Unicode.Scalar]
        var output: [Unicode.Scalar] = []
        var position = 0

        init(_ input: [Unicode.Scalar]) {
            self.input = input
            output.reserveCapacity(input.count)
        }

        func sees(_ text: String) -> Bool {
            let wanted = Array(text.unicodeScalars)
            return position + wanted.count <= input.count
                && input[position..<position + wanted.count].elementsEqual(wanted)
        }

        mutating func keep() {
            output.append(input[position])
            position += 1
        }

        mutating func blank(_ count: Int = 1) {
            for _ in 0..<count where position < input.count {
                output.append(input[position] == "\n" ? "\n" : " ")
                position += 1
            }
        }

        /// Reads code up to the end, or up to the parenthesis that closes an interpolation.
        mutating func code(until end: Unicode.Scalar?) {
            var depth = 0
            while position < input.count {
                if sees("//") {
                    while position < input.count, input[position] != "\n" { blank() }
                } else if sees("/*") {
                    blockComment()
                } else if let hashes = literalStart() {
                    literal(hashes: hashes)
                } else {
                    if end != nil {
                        if input[position] == "(" { depth += 1 }
                        if input[position] == ")" {
                            if depth == 0 { return }
                            depth -= 1
                        }
                    }
                    keep()
                }
            }
        }

        mutating func blockComment() {
            var depth = 0
            repeat {
                if sees("/*") {
                    depth += 1
                    blank(2)
                } else if sees("*/") {
                    depth -= 1
                    blank(2)
                } else {
                    blank()
                }
            } while depth > 0 && position < input.count
        }

        /// The number of `#` before a quote that stands here; nil when no literal begins here.
        func literalStart() -> Int? {
            var index = position
            while index < input.count, input[index] == "#" { index += 1 }
            return index < input.count && input[index] == "\"" ? index - position : nil
        }

        mutating func literal(hashes: Int) {
            blank(hashes)
            let quote = sees("\"\"\"") ? "\"\"\"" : "\""
            let fence = String(repeating: "#", count: hashes)
            // The quotes stay, so that an argument is still seen to stand there.
            for _ in quote { keep() }
            while position < input.count {
                if sees(quote + fence) {
                    for _ in quote { keep() }
                    blank(hashes)
                    return
                }
                if sees("\\" + fence + "(") {
                    blank(hashes + 1)
                    keep()
                    code(until: ")")
                    if position < input.count { keep() }
                } else if sees("\\" + fence) {
                    blank(hashes + 2)
                } else if quote == "\"", input[position] == "\n" {
                    return
                } else {
                    blank()
                }
            }
        }
    }
}
