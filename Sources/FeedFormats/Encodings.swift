import Crypto

/// Bytes as letters: Base64 (RFC 4648), hexadecimal, percent-encoding (RFC 3986).
enum Encodings {
    private static let base64Digits = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// Base64 with padding, on one line.
    static func base64(_ bytes: some Collection<UInt8>) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity((bytes.count + 2) / 3 * 4)
        var rest = bytes[...]
        while !rest.isEmpty {
            let three = Array(rest.prefix(3))
            rest = rest.dropFirst(3)
            let (a, b) = (three[0], three.count > 1 ? three[1] : 0)
            let c = three.count > 2 ? three[2] : 0
            digits.append(base64Digits[Int(a >> 2)])
            digits.append(base64Digits[Int((a & 3) << 4 | b >> 4)])
            digits.append(three.count > 1 ? base64Digits[Int((b & 15) << 2 | c >> 6)] : 0x3D)
            digits.append(three.count > 2 ? base64Digits[Int(c & 63)] : 0x3D)
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// Two lower-case digits for each byte.
    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        var digits: [UInt8] = []
        for byte in bytes {
            digits += [hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// The UTF-8 of `text` with everything percent-encoded but the unreserved characters of
    /// RFC 3986 and the ASCII characters of `keeping`.
    static func percent(_ text: String, keeping: String = "") -> String {
        let kept = Set(keeping.utf8)
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                encoded.append(byte)
            case let byte where kept.contains(byte): encoded.append(byte)
            default:
                encoded.append(0x25)
                encoded += hexadecimal([byte]).uppercased().utf8
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// The 32 bytes of HMAC-SHA256 (RFC 2104).
    static func hmacSHA256(key: [UInt8], message: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
    }
}
