import SparkplugWire

/// Cuts the metrics of a long period into messages that every broker takes.
enum SparkplugParts {
    private static let mostMetrics = 500
    /// Names and words of one message, in bytes.
    private static let mostText = 65_536

    /// The metrics in their order, in parts of at most 500 metrics; one with a long text goes alone.
    static func of(_ metrics: [SparkplugPayload.Metric]) -> [[SparkplugPayload.Metric]] {
        var parts: [[SparkplugPayload.Metric]] = []
        var part: [SparkplugPayload.Metric] = []
        var text = 0
        for metric in metrics {
            var size = metric.name?.utf8.count ?? 0
            if case .string(let word) = metric.value { size += word.utf8.count }
            if !part.isEmpty, part.count == mostMetrics || text + size > mostText {
                parts.append(part)
                (part, text) = ([], 0)
            }
            part.append(metric)
            text += size
        }
        return part.isEmpty ? parts : parts + [part]
    }
}
