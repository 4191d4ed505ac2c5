import SparkplugWire

/// One device behind an edge node: the metrics that are known of it, and what was last said.
struct SparkplugDevice: Sendable {
    private struct Metric: Sendable {
        var datatype: SparkplugReading.Datatype
        var unit: String
        /// The newest instant that was told of.
        var time: UInt64
        var value: SparkplugPayload.Value?
    }

    /// Whether the host has heard a birth with all of the metrics.
    var isBorn = false
    private var metrics: [String: Metric] = [:]

    /// Makes room for the metrics of these readings; one that is new, or has another unit or
    /// datatype now, makes a birth due.
    ///
    /// A new metric begins with the value of its first reading; with none where that belongs to the
    /// past, because a birth says what is.
    mutating func meet(_ readings: [SparkplugReading], isPast: Bool) {
        for reading in readings {
            if let known = metrics[reading.metric], known.datatype == reading.datatype,
                known.unit == reading.unit
            {
                continue
            }
            metrics[reading.metric] = Metric(
                datatype: reading.datatype, unit: reading.unit, time: reading.time,
                value: isPast ? nil : reading.value)
            isBorn = false
        }
    }

    /// The metrics of a birth, in the order of their names.
    var birth: [SparkplugPayload.Metric] {
        metrics.sorted { $0.key < $1.key }.map { name, known in
            var metric = SparkplugPayload.Metric(
                name: name, timestamp: known.time, datatype: known.datatype.rawValue,
                value: known.value)
            metric.isNull = known.value == nil
            if !known.unit.isEmpty { metric.properties = [.init("engUnit", known.unit)] }
            return metric
        }
    }

    /// The readings as metrics of data, and notes what is now the newest.
    ///
    /// Historical is what belongs to the past: the backlog of an outage, what lies before the newest
    /// that was told, and a correction of it.
    mutating func tell(
        _ readings: [SparkplugReading], isBacklog: Bool, isCorrection: Bool
    ) -> [SparkplugPayload.Metric] {
        readings.map { reading in
            var metric = SparkplugPayload.Metric(
                name: reading.metric, timestamp: reading.time,
                datatype: reading.datatype.rawValue, value: reading.value)
            metric.isNull = reading.value == nil
            let newest = metrics[reading.metric]?.time ?? reading.time
            metric.isHistorical =
                isBacklog || reading.time < newest || (isCorrection && reading.time == newest)
            if reading.time >= newest {
                metrics[reading.metric]?.time = reading.time
                metrics[reading.metric]?.value = reading.value
            }
            return metric
        }
    }
}
