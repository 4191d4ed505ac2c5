/// FNV-1a, 64 bits: a digest that is equal on every machine and in every release.
///
/// It names messages and fixtures; it guards against nobody, and is no checksum for storage.
package struct FNV1a: Hashable, Sendable {
    /// The digest of the bytes taken in so far.
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    package init() {}

    /// Takes in one byte.
    package mutating func combine(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    /// Takes in `bytes` in their order.
    package mutating func combine(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { combine(byte) }
    }

    /// The digest of a message: the topic, a zero byte (which no topic holds), the payload.
    package static func digest(topic: String, payload: [UInt8]) -> UInt64 {
        var hash = FNV1a()
        hash.combine(topic.utf8)
        hash.combine(0)
        hash.combine(payload)
        return hash.value
    }
}
