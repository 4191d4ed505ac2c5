import Frames

/// A packet as a person may read it: what stands in it, secrets hidden.
enum HJ212Transcript {
    /// - Parameter packet: a whole packet as it is sent; CR and LF are left away.
    static func text(packet: [UInt8]) -> String {
        let bytes = packet.dropLast(2)
        return text(segment: bytes.dropLast(4)) + plain(bytes.suffix(4))
    }

    /// As it came, but for line ends and the spelling of the checksum.
    static func text(_ received: HJ212Stream.Received) -> String {
        let length = "\(received.segment.count)"
        let crc = String(received.checksum(received.segment[...]), radix: 16, uppercase: true)
        return "##" + String(repeating: "0", count: max(0, 4 - length.utf8.count)) + length
            + text(segment: received.segment[...])
            + String(repeating: "0", count: max(0, 4 - crc.utf8.count)) + crc
    }

    /// - Parameter segment: up to and with the closing `&&`.
    static func text(segment: ArraySlice<UInt8>) -> String {
        var text = ""
        var token = segment.startIndex
        for index in segment.indices where segment[index] == 0x3B || segment[index] == 0x2C {
            text += hidden(segment[token..<index]) + plain(segment[index...index])
            token = index + 1
        }
        return text + hidden(segment[token...])
    }

    /// Passwords (PW, NewPW) and keys (NewSK), wherever in a token they stand.
    private static func hidden(_ token: ArraySlice<UInt8>) -> String {
        for index in token.indices.dropLast(2)
        where (token[index] == 0x50 && token[index + 1] == 0x57)
            || (token[index] == 0x53 && token[index + 1] == 0x4B)
        {
            var equals = index + 2
            while equals < token.endIndex, token[equals] == 0x20 { equals += 1 }
            guard equals < token.endIndex, token[equals] == 0x3D else { continue }
            let isLast = token.suffix(2).elementsEqual([0x26, 0x26]) && token.endIndex - equals > 2
            return plain(token[...equals]) + "******" + (isLast ? "&&" : "")
        }
        return plain(token)
    }

    private static func plain(_ bytes: ArraySlice<UInt8>) -> String {
        plain(String(decoding: bytes, as: UTF8.self))
    }

    /// Without characters that would do something to a terminal.
    static func plain(_ text: String) -> String {
        var plain = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            plain.append(isControl ? "\u{FFFD}" : scalar)
        }
        return String(plain)
    }
}
