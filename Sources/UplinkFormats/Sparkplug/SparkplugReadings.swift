import SparkplugWire
import Telemetry

/// One value of one metric at one instant.
struct SparkplugReading: Hashable {
    /// The datatypes that a gateway says, by their numbers.
    enum Datatype: UInt32 {
        case int64 = 4
        case double = 10
        case boolean = 11
        case string = 12
    }

    var metric: String
    var datatype: Datatype
    /// The symbol of the unit; empty without one.
    var unit: String
    /// Milliseconds since 1970, UTC.
    var time: UInt64
    /// nil: nothing is known.
    var value: SparkplugPayload.Value?
}

extension UplinkItem {
    /// What the item says of each device, by its id: in the order of time, as it is told.
    ///
    ///     raw item     <point>               a reading at its own time
    ///     other items  <point>/<statistic>   a period, at its first instant
    ///                  <point>               … where the platform's point names one statistic
    ///
    /// `<point>` is the platform's name for it, else the gateway's. An instant before 1970 has no
    /// place in the format and is left out.
    var sparkplugReadings: [(device: String, readings: [SparkplugReading])] {
        var order: [String] = []
        var byDevice: [String: [SparkplugReading]] = [:]
        for entry in entries {
            let device = entry.series.id.device.text
            if byDevice[device] == nil { order.append(device) }
            byDevice[device, default: []] +=
                tellsReadings ? entry.sparkplugSamples : entry.sparkplugStatistics(at: start)
        }
        return order.compactMap { device in
            guard let readings = byDevice[device], !readings.isEmpty else { return nil }
            // Those of one instant keep the order of the entries.
            let sorted = readings.enumerated().sorted {
                ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
            }
            return (device, sorted.map(\.element))
        }
    }
}

extension UplinkItem.Entry {
    private var sparkplugName: String {
        point.name.flatMap { $0.isEmpty ? nil : $0 } ?? series.id.point.text
    }

    fileprivate var sparkplugSamples: [SparkplugReading] {
        let name = sparkplugName
        let isNumber = series.kind == .gauge || series.kind == .counter
        return samples.compactMap { sample in
            guard let time = UInt64(exactly: sample.time.milliseconds) else { return nil }
            var value: SparkplugPayload.Value?
            switch sample.reading.value {
            case .number(let number) where isNumber:
                value = rounded(converted(number)).map { .double($0) }
            // A metric keeps its datatype; a number where words are due is none of its values.
            case .text(let word) where !isNumber: value = .string(word)
            default: value = nil
            }
            return SparkplugReading(
                metric: name, datatype: isNumber ? .double : .string,
                unit: isNumber ? toldUnit : "", time: time, value: value)
        }
    }

    fileprivate func sparkplugStatistics(at start: Timestamp) -> [SparkplugReading] {
        guard let time = UInt64(exactly: start.milliseconds) else { return [] }
        let (name, isSingle) = (sparkplugName, point.statistics.count == 1)
        return toldStatistics.map { statistic in
            SparkplugReading(
                metric: isSingle ? name : "\(name)/\(statistic.word)", datatype: .double,
                unit: toldUnit, time: time,
                value: rounded(number(statistic)).map { .double($0) })
        }
    }
}
