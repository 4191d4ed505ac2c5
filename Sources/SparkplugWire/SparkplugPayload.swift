import SwiftProtobuf

/// A Sparkplug B payload: bytes in, values out, and back.
///
///     Payload  1 timestamp (ms)   2 metrics …   3 seq (0–255)
///     Metric   1 name   2 alias   3 timestamp   4 datatype   5 is_historical   7 is_null
///              9 properties: names, and values that are text
///              10 int   11 long   12 float   13 double   14 bool   15 string   16 bytes
///
/// The rest of the format (uuid, body, metadata, other properties, data sets, templates) is passed
/// over.
package struct SparkplugPayload: Hashable, Sendable {
    /// One metric of a message.
    package struct Metric: Hashable, Sendable {
        /// nil where the alias stands for it.
        package var name: String?
        package var alias: UInt64?
        /// Milliseconds since 1970, UTC.
        package var timestamp: UInt64?
        package var datatype: UInt32?
        package var isHistorical = false
        package var isNull = false
        /// What is said of the metric itself, as a rule in a birth: `engUnit` is its unit.
        package var properties: [Property] = []
        package var value: Value?

        package init(
            name: String?, alias: UInt64? = nil, timestamp: UInt64? = nil, datatype: UInt32? = nil,
            value: Value? = nil
        ) {
            self.name = name
            self.alias = alias
            self.timestamp = timestamp
            self.datatype = datatype
            self.value = value
        }
    }

    /// A property whose value is text.
    package struct Property: Hashable, Sendable {
        /// The datatype of text.
        fileprivate static let type: UInt32 = 12

        package var name: String
        package var text: String

        package init(_ name: String, _ text: String) {
            self.name = name
            self.text = text
        }
    }

    /// A value as it is on the wire; what it means the datatype says.
    package enum Value: Hashable, Sendable {
        case int(UInt32)
        case long(UInt64)
        case float(Float)
        case double(Double)
        case boolean(Bool)
        case string(String)
        case bytes([UInt8])
    }

    /// Why bytes are no payload.
    package struct Malformed: Error, Hashable, Sendable {}

    /// Milliseconds since 1970, UTC.
    package var timestamp: UInt64?
    package var metrics: [Metric]
    package var sequence: UInt64?

    package init(timestamp: UInt64?, metrics: [Metric], sequence: UInt64? = nil) {
        self.timestamp = timestamp
        self.metrics = metrics
        self.sequence = sequence
    }

    /// Reads a payload.
    ///
    /// - Throws: `Malformed`, for what is no protobuf and for fields of another type.
    package init(_ bytes: [UInt8]) throws(Malformed) {
        let message: Plumbline_Sparkplug_Payload
        do {
            // A payload has three levels; deeper ones are nobody's.
            var options = BinaryDecodingOptions()
            options.messageDepthLimit = 16
            options.discardUnknownFields = true
            message = try Plumbline_Sparkplug_Payload(serializedBytes: bytes, options: options)
        } catch {
            throw Malformed()
        }
        timestamp = message.hasTimestamp ? message.timestamp : nil
        sequence = message.hasSeq ? message.seq : nil
        metrics = message.metrics.map { metric in
            var result = Metric(
                name: metric.hasName ? metric.name : nil,
                alias: metric.hasAlias ? metric.alias : nil,
                timestamp: metric.hasTimestamp ? metric.timestamp : nil,
                datatype: metric.hasDatatype ? metric.datatype : nil)
            result.isHistorical = metric.isHistorical
            result.isNull = metric.isNull
            result.properties = Self.properties(metric.properties)
            result.value =
                switch metric.value {
                case .intValue(let value): .int(value)
                case .longValue(let value): .long(value)
                case .floatValue(let value): .float(value)
                case .doubleValue(let value): .double(value)
                case .booleanValue(let value): .boolean(value)
                case .stringValue(let value): .string(value)
                case .bytesValue(let value): .bytes(Array(value))
                case nil: nil
                }
            return result
        }
    }

    /// The payload's bytes, fields in the order of their numbers; empty if it cannot be said.
    package var bytes: [UInt8] {
        var message = Plumbline_Sparkplug_Payload()
        if let timestamp { message.timestamp = timestamp }
        if let sequence { message.seq = sequence }
        message.metrics = metrics.map { metric in
            var result = Plumbline_Sparkplug_Metric()
            if let name = metric.name { result.name = name }
            if let alias = metric.alias { result.alias = alias }
            if let timestamp = metric.timestamp { result.timestamp = timestamp }
            if let datatype = metric.datatype { result.datatype = datatype }
            if metric.isHistorical { result.isHistorical = true }
            if metric.isNull { result.isNull = true }
            if !metric.properties.isEmpty {
                result.properties = Self.message(metric.properties)
            }
            result.value =
                switch metric.value {
                case .int(let value): .intValue(value)
                case .long(let value): .longValue(value)
                case .float(let value): .floatValue(value)
                case .double(let value): .doubleValue(value)
                case .boolean(let value): .booleanValue(value)
                case .string(let value): .stringValue(value)
                case .bytes(let value): .bytesValue(.init(value))
                case nil: nil
                }
            return result
        }
        let result: [UInt8]? = try? message.serializedBytes()
        return result ?? []
    }

    /// Those that are text; a name without a value of its own is passed over.
    private static func properties(_ set: Plumbline_Sparkplug_PropertySet) -> [Property] {
        zip(set.keys, set.values).compactMap { name, value in
            guard value.hasStringValue else { return nil }
            return Property(
                String(decoding: name, as: UTF8.self),
                String(decoding: value.stringValue, as: UTF8.self))
        }
    }

    private static func message(_ properties: [Property]) -> Plumbline_Sparkplug_PropertySet {
        var set = Plumbline_Sparkplug_PropertySet()
        for property in properties {
            var value = Plumbline_Sparkplug_PropertyValue()
            value.type = Property.type
            value.stringValue = .init(property.text.utf8)
            set.keys.append(.init(property.name.utf8))
            set.values.append(value)
        }
        return set
    }
}
