import Crypto
import Foundation

/// The SHA-256 of a text, by which somebody can prove that not a letter of it was changed.
package struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
    /// 64 hexadecimal digits in small letters.
    package let description: String

    /// - Parameter text: taken as UTF-8.
    package init(of text: String) {
        description = SHA256.hash(data: Data(text.utf8))
            .map { String(format: "%02x", $0) }.joined()
    }
}
