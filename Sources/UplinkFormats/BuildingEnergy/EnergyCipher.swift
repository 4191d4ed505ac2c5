import Crypto
import CryptoExtras

/// Sixteen secret bytes: a key of AES-128, or its initial vector.
package struct EnergyKey: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// nil unless there are sixteen.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads 32 hexadecimal digits, or 16 ASCII characters that are the bytes themselves.
    package init?(_ text: String) {
        let characters = Array(text.utf8)
        if characters.count == 16, characters.allSatisfy({ (0x21...0x7E).contains($0) }) {
            bytes = characters
            return
        }
        guard characters.count == 32 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 32, by: 2) {
            guard let high = Self.digit(characters[index]),
                let low = Self.digit(characters[index + 1])
            else { return nil }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    /// Never the bytes.
    package var description: String { "a key of 16 bytes" }
}

/// What protects the bodies of the building energy upload, such as it is: AES-128-CBC with one
/// initial vector for every message, zero padding and no authentication.
package struct EnergyCipher: Hashable, Sendable {
    package var key: EnergyKey
    package var initialVector: EnergyKey

    package init(key: EnergyKey, initialVector: EnergyKey) {
        self.key = key
        self.initialVector = initialVector
    }

    /// `plain` with 0 to 15 NULs behind it, encrypted.
    package func encrypt(_ plain: [UInt8]) -> [UInt8] {
        let padded = plain + [UInt8](repeating: 0, count: (16 - plain.count % 16) % 16)
        guard !padded.isEmpty, let vector,
            let body = try? AES._CBC.encrypt(padded, using: symmetric, iv: vector, noPadding: true)
        else { return [] }
        return Array(body)
    }

    /// The decrypted body, its NULs included; nil when it is not a multiple of 16 bytes.
    package func decrypt(_ body: [UInt8]) -> [UInt8]? {
        guard !body.isEmpty, body.count.isMultiple(of: 16), let vector,
            let plain = try? AES._CBC.decrypt(body, using: symmetric, iv: vector, noPadding: true)
        else { return nil }
        return Array(plain)
    }

    private var symmetric: SymmetricKey { SymmetricKey(data: key.bytes) }
    private var vector: AES._CBC.IV? { try? AES._CBC.IV(ivBytes: initialVector.bytes) }

    /// MD5 as 32 lower-case hexadecimal digits.
    package static func md5(_ text: String) -> String {
        let digits = Array("0123456789abcdef")
        return String(
            Insecure.MD5.hash(data: Array(text.utf8)).flatMap {
                [digits[Int($0 >> 4)], digits[Int($0 & 15)]]
            })
    }
}
