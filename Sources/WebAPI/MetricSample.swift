/// One figure for `/metrics`, named `plumbline_<noun>_<unit>[_total]`.
package struct MetricSample: Hashable, Sendable {
    /// How a monitoring system may treat the figure.
    package enum Kind: String, Hashable, Sendable {
        /// Only grows while the process lives.
        case counter
        case gauge
    }

    package var name: String
    /// One sentence for people.
    package var help: String
    package var kind: Kind
    /// In the order in which they are written.
    package var labels: [(name: String, value: String)] {
        get { labelNames.indices.map { (labelNames[$0], labelValues[$0]) } }
        set {
            labelNames = newValue.map(\.name)
            labelValues = newValue.map(\.value)
        }
    }
    package var value: Double
    private var labelNames: [String]
    private var labelValues: [String]

    package init(
        _ name: String, _ kind: Kind, help: String, labels: [(name: String, value: String)] = [],
        value: Double
    ) {
        self.name = name
        self.kind = kind
        self.help = help
        labelNames = labels.map(\.name)
        labelValues = labels.map(\.value)
        self.value = value
    }
}

/// The Prometheus text format, version 0.0.4:
///
///     # HELP plumbline_readings_committed_total Readings that are durable.
///     # TYPE plumbline_readings_committed_total counter
///     plumbline_readings_committed_total{link="meter-bus"} 1234
///
/// The samples of one name stand together, below one HELP and one TYPE line.
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    static func render(_ samples: [MetricSample]) -> String {
        var order: [String] = []
        var families: [String: [MetricSample]] = [:]
        for sample in samples {
            if families[sample.name] == nil { order.append(sample.name) }
            families[sample.name, default: []].append(sample)
        }
        var text = ""
        for name in order {
            guard let family = families[name], let head = family.first else { continue }
            text += "# HELP \(name) \(escape(head.help, quote: false))\n"
            text += "# TYPE \(name) \(head.kind.rawValue)\n"
            for sample in family {
                text += name
                if !sample.labels.isEmpty {
                    let labels = sample.labels.map {
                        "\($0.name)=\"\(escape($0.value, quote: true))\""
                    }
                    text += "{\(labels.joined(separator: ","))}"
                }
                text += " \(number(sample.value))\n"
            }
        }
        return text
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        let text = value.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func escape(_ text: String, quote: Bool) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quote: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
