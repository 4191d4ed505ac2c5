import SparkplugWire
import Telemetry

/// Readings of a Sparkplug device: what a birth began and data have changed since.
extension MQTTBinding {
    /// The row of a device of which nothing is known.
    package func emptyRow(_ reason: BadReason) -> [Reading] {
        Array(repeating: .bad(reason), count: points.count)
    }

    /// Puts the metrics of one moment into the device's row.
    ///
    /// - Returns: whether one of them is a point of the interface.
    package func apply(_ metrics: [SparkplugPayload.Metric], to row: inout [Reading]) -> Bool {
        var hasAny = false
        for metric in metrics {
            for (index, point) in points.enumerated()
            where index < row.count && point.place == .metric(metric.name ?? "") {
                hasAny = true
                row[index] = Self.reading(metric, of: point)
            }
        }
        return hasAny
    }

    /// When metrics of this device were taken, judged as the interface says.
    ///
    /// - Returns: the time, the flags, and whether the time is the device's.
    package func sparkplugTime(
        _ said: Timestamp?, isHistorical: Bool, arrival: Timestamp, isTimeOfDay: Bool
    ) -> (time: Timestamp, flags: ScanFlags, isDevices: Bool)? {
        guard let said, isTimeOfDay else {
            return (arrival, said == nil ? [] : .arrivalTime, false)
        }
        // History is far from its arrival by nature.
        if isHistorical { return (said, .backfill, true) }
        if let limit = interface.time.maximumSkew,
            (said - arrival).milliseconds.magnitude > limit.milliseconds.magnitude
        {
            return interface.time.refusesBadTime ? nil : (arrival, .arrivalTime, false)
        }
        return (said, [], true)
    }

    /// Reads messages one after the other and gives the last scan of this device; for vectors.
    func decodeSparkplug(
        _ messages: [(topic: String, payload: [UInt8])], at arrival: Timestamp
    ) -> MQTTDecoding {
        var session = SparkplugSession()
        var row = emptyRow(.absent)
        var last = MQTTDecoding.refused(.absent, detail: "nothing of the device '\(key)'")
        for (topic, payload) in messages {
            for effect in session.take(topic: topic, payload: payload) {
                switch effect {
                case .metrics(let address, let isBirth, let moments) where address.key == key:
                    if isBirth { row = emptyRow(.absent) }
                    for moment in moments {
                        _ = apply(moment.metrics, to: &row)
                        let time = sparkplugTime(
                            moment.time, isHistorical: moment.isHistorical, arrival: arrival,
                            isTimeOfDay: true)
                        guard let time else {
                            last = .refused(.stale, detail: "too far from the arrival")
                            continue
                        }
                        last = .scan(
                            time: time.time, flags: time.flags, readings: row,
                            hasDeviceTime: time.isDevices)
                    }
                case .died(let address)
                where address.key == key || address == SparkplugAddress(key: key)?.owner:
                    row = emptyRow(.disconnected)
                    last = .scan(time: arrival, flags: [], readings: row, hasDeviceTime: false)
                case .gap(let address, _) where address == SparkplugAddress(key: key)?.owner:
                    row = emptyRow(.stale)
                    last = .scan(time: arrival, flags: [], readings: row, hasDeviceTime: false)
                case .refused(let reason, let detail): last = .refused(reason, detail: detail)
                default: break
                }
            }
        }
        return last
    }

    private static func reading(
        _ metric: SparkplugPayload.Metric, of point: PayloadPoint
    ) -> Reading {
        if metric.isNull { return .bad(.absent) }
        guard let value = metric.value, let (kind, text) = text(value, metric.datatype) else {
            return .bad(metric.value == nil ? .absent : .invalid)
        }
        let bytes = Array(text.utf8)
        return point.decode(JSONToken(kind: kind, start: 0, end: bytes.count), in: bytes)
    }

    /// The value in the words that any other payload would use; nil for types that no point has.
    ///
    /// Integers come as the bits of their width: Int8 to Int64 are 1 to 4, UInt8 to UInt64 5 to 8.
    private static func text(
        _ value: SparkplugPayload.Value, _ datatype: UInt32?
    ) -> (JSONToken.Kind, String)? {
        // 0 stands for a type that nobody named.
        let type = datatype.map { Int($0) } ?? 0
        switch value {
        case .int(let bits):
            switch type {
            case 1: return (.number, "\(Int8(truncatingIfNeeded: bits))")
            case 2: return (.number, "\(Int16(truncatingIfNeeded: bits))")
            case 3: return (.number, "\(Int32(bitPattern: bits))")
            // Some senders put 64-bit types here when the number is small.
            case 4: return (.number, "\(Int32(bitPattern: bits))")
            case 0, 5...8, 13: return (.number, "\(bits)")
            case 11: return (.boolean, bits == 0 ? "false" : "true")
            default: return nil
            }
        case .long(let bits):
            switch type {
            case 1...4: return (.number, "\(Int64(bitPattern: bits))")
            case 0, 5...8, 13: return (.number, "\(bits)")
            default: return nil
            }
        case .float(let number): return number.isFinite ? (.number, "\(number)") : nil
        case .double(let number): return number.isFinite ? (.number, "\(number)") : nil
        case .boolean(let flag): return (.boolean, flag ? "true" : "false")
        case .string(let text): return (.text, text)
        case .bytes: return nil
        }
    }
}

extension PayloadTime {
    /// Metrics bear their own time.
    static let sparkplug = PayloadTime(
        place: nil, format: .epochMilliseconds, maximumSkew: nil, refusesBadTime: false)
}
