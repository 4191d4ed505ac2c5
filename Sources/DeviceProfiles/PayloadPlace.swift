import LocatedText
import Telemetry

/// The form of a message's payload.
package enum PayloadFormat: Hashable, Sendable {
    case json
    /// The whole payload is one number or word.
    case text
    /// `a=1,b=2;c=3`: any of the bytes `fields` ends a field, `value` stands between name and value.
    case pairs(fields: [UInt8], value: UInt8)
    /// `1.5,2,ok`: one record a line, columns counted from 0.
    case columns(separator: UInt8)
    /// Eclipse Sparkplug B (`standards`: 3.0.0), metrics by name.
    case sparkplug

    /// What an interface writes, and how its places look.
    static let words: [(String, PayloadFormat)] = [
        ("json", .json), ("text", .text),
        ("kv", .pairs(fields: [0x2C, 0x3B, 0x0A, 0x0D], value: 0x3D)),
        ("csv", .columns(separator: 0x2C)), ("sparkplug-b", .sparkplug),
    ]
}

/// Where in a message something stands: one text for each form of payload.
///
///     json          $.Weight           @.Weight in an element of `each` or `samples`
///     text          payload
///     kv            key/temp
///     csv           column/3           counted from 0
///     sparkplug-b   metric/Inputs/A    the metric's whole name
package enum PayloadPlace: Hashable, Sendable, CustomStringConvertible {
    case json(JSONPath)
    case whole
    case key([UInt8])
    case column(Int)
    case metric(String)

    package var description: String {
        switch self {
        case .json(let path): path.description
        case .whole: "payload"
        case .key(let name): "key/" + String(decoding: name, as: UTF8.self)
        case .column(let number): "column/\(number)"
        case .metric(let name): "metric/" + name
        }
    }

    /// nil when the text is no place of the form.
    init?(_ text: String, in format: PayloadFormat) {
        func after(_ prefix: String) -> String? {
            text.hasPrefix(prefix) && text.utf8.count > prefix.utf8.count
                ? String(text.dropFirst(prefix.count)) : nil
        }
        switch format {
        case .json:
            guard let path = JSONPath(text) else { return nil }
            self = .json(path)
        case .text:
            guard text == "payload" else { return nil }
            self = .whole
        case .pairs:
            guard let name = after("key/") else { return nil }
            self = .key(Array(name.utf8))
        case .columns:
            guard let digits = after("column/"), let number = Int(digits),
                (0..<256).contains(number)
            else { return nil }
            self = .column(number)
        case .sparkplug:
            guard let name = after("metric/") else { return nil }
            self = .metric(name)
        }
    }

    var isRelative: Bool { if case .json(let path) = self { path.isRelative } else { false } }

    fileprivate static func example(in format: PayloadFormat) -> String {
        switch format {
        case .json: "for example $.Weight, $['a'].b, $[0] or $.list[?@.id==1].value"
        case .text: "the only place is 'payload'"
        case .pairs: "for example key/temp"
        case .columns: "for example column/0, counted from 0"
        case .sparkplug: "for example metric/Temperature, with the metric's whole name"
        }
    }
}

extension PointReader {
    /// A place in the payload that `defaults` describes.
    func place(_ node: LocatedNode, _ defaults: Defaults) -> PayloadPlace? {
        guard let text = node.string(faults) else { return nil }
        guard let place = PayloadPlace(text, in: defaults.payload) else {
            faults.add(
                node.location, "'\(text)' is not a path that is read",
                remedy: PayloadPlace.example(in: defaults.payload))
            return nil
        }
        if place.isRelative, !defaults.hasElements {
            faults.add(
                node.location, "'\(text)' begins at an element, and there is none",
                remedy: "begin it with '$', or say with 'each' where the list is")
        }
        return place
    }
}
