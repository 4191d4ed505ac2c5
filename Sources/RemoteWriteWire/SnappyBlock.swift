import CSnappy

/// Snappy's block format, which is how a remote-write request travels; the framed format of files is
/// another one.
///
///     uncompressed length   varint
///     then literals and copies of what came before, as snappy's format description has them
package enum SnappyBlock {
    /// `bytes` as one block; empty if libsnappy refuses, which takes 4 GiB or more.
    package static func compress(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count <= UInt32.max else { return [] }
        let capacity = snappy_max_compressed_length(bytes.count)
        return [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
            var length = capacity
            let status = bytes.withUnsafeBytes { source in
                snappy_compress(
                    source.assumingMemoryBound(to: CChar.self).baseAddress, bytes.count,
                    UnsafeMutableRawBufferPointer(target).assumingMemoryBound(to: CChar.self)
                        .baseAddress, &length)
            }
            count = status == SNAPPY_OK ? length : 0
        }
    }
}
