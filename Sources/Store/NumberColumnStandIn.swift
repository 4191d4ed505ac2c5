import Telemetry

enum NumberColumnCodec {
    static func encode(_ values: [Double?]) -> [UInt8] {
        var out = ByteWriter()
        for value in values {
            out.byte(value == nil ? 0 : 1)
            if let value { out.fixed(value.bitPattern) }
        }
        return out.bytes
    }
    static func decode(_ reader: inout ByteReader, count: Int) throws(Damage) -> [Double?] {
        var values: [Double?] = []
        for _ in 0..<max(0, count) {
            guard try reader.byte() == 1 else { values.append(nil); continue }
            values.append(Double(bitPattern: try reader.fixed(UInt64.self)))
        }
        return values
    }
}
