import RemoteWriteWire
import TestSeeds
import Testing

@Suite("The body of a remote write")
struct RemoteWriteWireTests {
    @Test("is a protobuf message as the field numbers say")
    func message() {
        let request = RemoteWriteRequest([
            .init(
                labels: [.init("__name__", "up"), .init("site", "é")],
                samples: [.init(1, at: 1_795_219_200_000), .init(0, at: 0), .init(-0.5, at: -1)])
        ])
        let expected: [UInt8] =
            [0x0A, 0x46]  // request: series, 70 bytes
            + [0x0A, 0x0E, 0x0A, 0x08] + Array("__name__".utf8) + [0x12, 0x02] + Array("up".utf8)
            + [0x0A, 0x0A, 0x0A, 0x04] + Array("site".utf8) + [0x12, 0x02, 0xC3, 0xA9]
            // 1.0 at 1795219200000
            + [0x12, 0x10, 0x09, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F]
            + [0x10, 0x80, 0xB0, 0x9C, 0xDB, 0x9F, 0x34]
            + [0x12, 0x00]  // zeros are left out
            + [0x12, 0x14, 0x09, 0, 0, 0, 0, 0, 0, 0xE0, 0xBF]
            + [0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]
        #expect(request.bytes == expected)
        #expect(RemoteWriteRequest([]).bytes == [])
    }

    @Test("is compressed so that any reader of snappy gets the same bytes back")
    func compression() throws {
        var random = SeededGenerator(0x5A)
        #expect(SnappyBlock.compress([]) == [0])
        for length in [1, 2, 59, 60, 61, 255, 256, 257, 65_535, 65_536, 70_000, 1 << 20] {
            let alike = [UInt8](repeating: 7, count: length)
            let noise = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            let text = (0..<length).map { _ in UInt8.random(in: 97...99, using: &random) }
            for bytes in [alike, noise, text] {
                let block = SnappyBlock.compress(bytes)
                #expect(try RemoteWriteReader.decompress(block) == bytes)
            }
            #expect(length < 256 || SnappyBlock.compress(alike).count < length / 10)
        }
    }

    @Test("is read by a reader that finds mistakes")
    func reader() throws {
        let block = SnappyBlock.compress(Array("abcabcabcabcabcabcabc".utf8))
        #expect(throws: (any Error).self) {
            try RemoteWriteReader.decompress(Array(block.dropLast()))
        }
        #expect(throws: (any Error).self) { try RemoteWriteReader.series(ofMessage: [0x0A, 5, 1]) }
        #expect(throws: (any Error).self) { try RemoteWriteReader.series(ofMessage: [0x10, 1]) }
    }
}
