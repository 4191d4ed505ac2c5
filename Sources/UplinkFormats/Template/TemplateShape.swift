import LocatedText
import Telemetry

/// What stands at a place of a message.
indirect enum TemplateShape: Sendable {
    case constant(TemplateConstant)
    case object([(key: String, shape: TemplateShape)])
    case list([TemplateShape])
    /// A list with this shape for each record.
    case records(TemplateShape)
    case text(TemplateText)
    case time(TemplateTime)
    case point(TemplatePoint)
    case bits(TemplateBits)

    /// The shapes right below this one.
    var children: [TemplateShape] {
        switch self {
        case .object(let fields): fields.map(\.shape)
        case .list(let shapes): shapes
        case .records(let shape): [shape]
        default: []
        }
    }

    var hasRecords: Bool {
        if case .records = self { return true }
        return children.contains(where: \.hasRecords)
    }

    /// Every point that is told, those whose words are bits included.
    var points: [TemplatePoint] {
        switch self {
        case .point(let point): [point]
        case .bits(let bits): bits.points.values.map { $0 }
        default: children.flatMap(\.points)
        }
    }
}

/// A value that is the same in every message.
enum TemplateConstant: Hashable, Sendable {
    case text(String)
    case integer(Int)
    case number(Double)
    case truth(Bool)
    case null

    func write(to json: inout JSONWriter) {
        switch self {
        case .text(let text): json.value(text)
        case .integer(let number): json.value(number)
        case .number(let number): json.value(number)
        case .truth(let truth): json.value(truth)
        case .null: json.null()
        }
    }
}

/// What stands for a value that is not known.
enum TemplateUnknown: Hashable, Sendable {
    /// The field is left out.
    case omit
    case null
    case text(String)
}

/// A point of the record's device: which one, and how its value is written.
struct TemplatePoint: Sendable {
    /// The symbol of a unit, and where it stands.
    struct Unit: Hashable, Sendable {
        var symbol: String
        var location: Location
    }

    /// A point's key, in which `*` stands for any characters.
    var pattern: String
    var location: Location
    /// nil: the mean of a gauge, the last reading of everything else.
    var statistic: Statistic?
    /// nil: as the uplink has it, else as it is stored.
    var unit: Unit?
    /// nil: as many as the number has.
    var decimals: Int?
    /// The number goes out as the whole number nearest to so many times itself.
    var scale: Double?
    /// Whether a number is written as a text.
    var isText = false
    /// What the platform has for each word of a state; empty: the words themselves.
    var words: [String: TemplateConstant] = [:]
    var unknown = TemplateUnknown.omit

    /// The part of the pattern that a quantity of the vocabulary has to fit.
    var quantity: String { String(pattern.prefix { $0 != "." }) }

    func matches(_ series: Series) -> Bool { Wildcard.matches(series.id.point.text, pattern) }

    func statistic(of series: Series) -> Statistic {
        statistic ?? (series.kind == .gauge ? .mean : .last)
    }
}

/// A text of zeros and ones that tells several states; its rightmost character is bit 0.
struct TemplateBits: Sendable {
    var width: Int
    /// The state that each bit tells.
    var points: [Int: TemplatePoint]
    /// The words of these states that are a one.
    var set: Set<String>
    var unknown = TemplateUnknown.omit
}
