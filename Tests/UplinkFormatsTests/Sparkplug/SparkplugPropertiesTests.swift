import SparkplugWire
import Testing

@Suite("The properties of a Sparkplug metric")
struct SparkplugPropertiesTests {
    /// A payload with one metric of these bytes.
    private func payload(_ metric: [UInt8]) throws -> SparkplugPayload {
        try SparkplugPayload([0x12, UInt8(metric.count)] + metric)
    }

    @Test("are written as the field numbers say, and read back")
    func bytes() throws {
        var metric = SparkplugPayload.Metric(name: "t")
        metric.properties = [.init("engUnit", "°C")]
        let written = SparkplugPayload(timestamp: nil, metrics: [metric]).bytes
        let set: [UInt8] =
            [0x0A, 0x07] + Array("engUnit".utf8)  // keys
            + [0x12, 0x07, 0x08, 0x0C, 0x42, 0x03] + Array("°C".utf8)  // values: type 12, string
        let expected: [UInt8] = [0x0A, 0x01, 0x74, 0x4A, UInt8(set.count)] + set
        #expect(written == [0x12, UInt8(expected.count)] + expected)
        #expect(try SparkplugPayload(written).metrics == [metric])
    }

    @Test("that are no text, or in another encoding, cost themselves and not the message")
    func foreign() throws {
        // Two names: "q" with the number 192, "u" with the unit ℃ in GBK.
        let set: [UInt8] =
            [0x0A, 0x01, 0x71, 0x0A, 0x01, 0x75]
            + [0x12, 0x05, 0x08, 0x03, 0x18, 0xC0, 0x01] + [
                0x12, 0x06, 0x08, 0x0C, 0x42, 0x02, 0xA1, 0xE6,
            ]
        let read = try payload([0x0A, 0x01, 0x74, 0x4A, UInt8(set.count)] + set)
        #expect(read.metrics.first?.name == "t")
        #expect(read.metrics.first?.properties.map(\.name) == ["u"])
        // A name without a value.
        let odd = try payload([0x0A, 0x01, 0x74, 0x4A, 0x03, 0x0A, 0x01, 0x71])
        #expect(odd.metrics.first?.properties == [])
    }
}
