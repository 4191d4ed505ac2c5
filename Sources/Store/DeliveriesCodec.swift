import Telemetry

// The `deliveries` blob of a journal row, version 1; the column is NULL when there are none.
//
//     byte   0      version, 1
//     bytes  1–4    CRC-32 of all bytes from 5 on, little endian
//            5…     varint   number of links
//                   links, each
//                     varint   length of the link's name, then the name in UTF-8
//                     varint   number of messages
//                     messages, each: 2 bytes packet identifier, 8 bytes digest, little endian

/// The identities of the QoS 1 messages of one commit as bytes, and back.
enum DeliveriesCodec {
    static let version: UInt8 = 1
    private static let headerLength = 5
    private static let messageLength = 10

    static func encode(_ marks: [DeliveryMark]) -> [UInt8]? {
        if marks.isEmpty { return nil }
        var order: [String] = []
        var byLink: [String: [DeliveryMark]] = [:]
        for mark in marks {
            if byLink[mark.link] == nil { order.append(mark.link) }
            byLink[mark.link, default: []].append(mark)
        }
        var blob = ByteWriter()
        blob.byte(version)
        blob.fixed(UInt32(0))
        blob.varint(UInt64(order.count))
        for link in order {
            let marks = byLink[link] ?? []
            blob.text(link)
            blob.varint(UInt64(marks.count))
            for mark in marks {
                blob.fixed(mark.messageID)
                blob.fixed(mark.digest)
            }
        }
        blob.patch(CRC32.checksum(blob.bytes[headerLength...]), at: 1)
        return blob.bytes
    }

    /// The marks, by link in order of first appearance, within a link in order of arrival.
    static func decode(_ bytes: [UInt8]?) throws(Damage) -> [DeliveryMark] {
        guard let bytes else { return [] }
        var reader = ByteReader(bytes)
        let found = try reader.byte()
        guard found == version else { throw reader.damage("version \(found), known is \(version)") }
        guard try reader.fixed(UInt32.self) == CRC32.checksum(bytes[headerLength...]) else {
            throw reader.damage("the checksum does not hold")
        }
        var marks: [DeliveryMark] = []
        for _ in 0..<(try reader.count(upTo: reader.remaining, of: "links")) {
            let link = try reader.text()
            let limit = reader.remaining / messageLength
            for _ in 0..<(try reader.count(upTo: limit, of: "messages")) {
                let messageID = try reader.fixed(UInt16.self)
                let digest = try reader.fixed(UInt64.self)
                marks.append(DeliveryMark(link: link, messageID: messageID, digest: digest))
            }
        }
        guard reader.remaining == 0 else { throw reader.damage("bytes after the last link") }
        return marks
    }
}
