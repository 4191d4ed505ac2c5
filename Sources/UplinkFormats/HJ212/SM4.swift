import COpenSSL

/// SM4 (GB/T 32907), the block cipher of HJ 212-2025, one block at a time (ECB, no padding).
///
///     key, block, result: 16 bytes each
///
/// Only the primitive is here. How the standard fills a data area to whole blocks and how it prints
/// the ciphertext is not verified, so no packet uses it (`HJ212Options.encryptionRefusal`).
package enum SM4 {
    /// Why there is no result.
    package enum Fault: Error, Hashable, Sendable {
        /// Key or block have another length than 16 bytes.
        case length(key: Int, block: Int)
        /// The system's OpenSSL does not have SM4.
        case unavailable
    }

    package static let size = 16

    /// Encrypts one block.
    package static func encrypt(
        _ block: [UInt8], key: [UInt8]
    ) throws(Fault) -> [UInt8] {
        try apply(block, key, encrypts: true)
    }

    /// Decrypts one block.
    package static func decrypt(
        _ block: [UInt8], key: [UInt8]
    ) throws(Fault) -> [UInt8] {
        try apply(block, key, encrypts: false)
    }

    private static func apply(
        _ block: [UInt8], _ key: [UInt8], encrypts: Bool
    ) throws(Fault) -> [UInt8] {
        guard key.count == size, block.count == size else {
            throw .length(key: key.count, block: block.count)
        }
        guard let cipher = EVP_sm4_ecb(), let context = EVP_CIPHER_CTX_new() else {
            throw .unavailable
        }
        defer { EVP_CIPHER_CTX_free(context) }
        guard
            EVP_CipherInit_ex(context, cipher, nil, key, nil, encrypts ? 1 : 0) == 1,
            EVP_CIPHER_CTX_set_padding(context, 0) == 1
        else { throw .unavailable }
        // OpenSSL may write one block more than it is given.
        var result = [UInt8](repeating: 0, count: 2 * size)
        var written: Int32 = 0
        guard EVP_CipherUpdate(context, &result, &written, block, Int32(size)) == 1,
            written == Int32(size)
        else { throw .unavailable }
        return Array(result[..<size])
    }
}
