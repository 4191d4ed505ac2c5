/// Why a text was not read as XML.
package enum XMLRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// No `<` at the beginning.
    case notXML
    /// It has more bytes than are read.
    case tooLong(bytes: Int)
    /// Its elements stand deeper in one another than is read.
    case tooDeep(limit: Int)
    /// It has more elements and attributes than are read.
    case tooMany(limit: Int)
    /// It begins a document type, whose entities could grow without bound or name files.
    case documentType
    /// Its declaration names an encoding that is not read here.
    case encoding(String)
    /// It is not well-formed; line and column count from 1.
    case malformed(line: Int, detail: String)

    package var description: String {
        switch self {
        case .notXML: "it does not begin like XML"
        case .tooLong(let bytes): "\(bytes) bytes are more than is read"
        case .tooDeep(let limit): "its elements are nested deeper than \(limit)"
        case .tooMany(let limit): "it has more than \(limit) elements and attributes"
        case .documentType: "it has a DOCTYPE, which is never read"
        case .encoding(let name): "its encoding '\(name)' is not read here"
        case .malformed(let line, let detail): "line \(line): \(detail)"
        }
    }
}
