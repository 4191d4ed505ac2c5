import Telemetry
import TestSeeds
import Testing

@testable import BucketCodec

@Suite struct DamageTests {
    private func patched(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= 5 else { return bytes }
        var writer = ByteWriter()
        writer.append(bytes)
        writer.patch(CRC32.checksum(bytes[5...]), at: 1)
        return writer.bytes
    }

    private func read(_ bytes: [UInt8]) -> Bool {
        do throws(Damage) {
            let rows = try BucketCodec.decode(bytes)
            // What decodes must bear everything that is done with rows.
            _ = rows.scans(of: group)
            for column in rows.columns { column.forEachNumber { _, _ in } }
            _ = BucketCodec.encode(rows, period: try BucketCodec.summary(bytes).period)
            return true
        } catch {
            return false
        }
    }

    @Test func everyFlippedBitIsDetected() {
        var random = SeededGenerator(31)
        for _ in 0..<20 {
            let bucket = RandomBucket(using: &random)
            let bytes = BucketCodec.encode(bucket.rows, period: bucket.period)
            var detected = 0
            let bits = min(bytes.count * 8, 4000)
            for bit in 0..<bits {
                var damaged = bytes
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                if !read(damaged) { detected += 1 }
            }
            #expect(detected == bits)
        }
    }

    @Test func noBytesWithARightChecksumTrap() {
        var random = SeededGenerator(32)
        var (refused, accepted) = (0, 0)
        for _ in 0..<400 {
            let bucket = RandomBucket(using: &random)
            let bytes = BucketCodec.encode(bucket.rows, period: bucket.period)
            for _ in 0..<60 {
                var damaged = bytes
                for _ in 0...Int.random(in: 0...3, using: &random) {
                    // The head and the directory decide over memory, so they are hit more often.
                    let reach = random.oneIn(2) ? min(bytes.count, 60) : bytes.count
                    let place = Int.random(in: 5..<max(6, reach), using: &random)
                    guard place < damaged.count else { continue }
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: damaged[place] = .random(in: 0...255, using: &random)
                    case 1: damaged[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
                    case 2: damaged.removeLast(Int.random(in: 0...3, using: &random))
                    default: damaged[place] = 0xFF
                    }
                    if damaged.count < 6 { break }
                }
                if read(patched(damaged)) { accepted += 1 } else { refused += 1 }
            }
        }
        print("damaged buckets with a right checksum: \(refused) refused, \(accepted) accepted")
        #expect(refused > accepted)
    }

    @Test func aFewBytesCannotAskForMuchMemory() {
        // 65,536 rows of 2,000,000,000 columns; and as many columns as may be, all of zeros.
        var head = ByteWriter()
        head.append([1, 0, 0, 0, 0])
        head.varint(65_536)
        head.varint(2_000_000_000)
        #expect(!read(patched(head.bytes)))
        var wide = ByteWriter()
        wide.append([1, 0, 0, 0, 0])
        wide.varint(65_536)
        wide.varint(129)
        wide.append([0, 0, 0])
        for _ in 0..<129 { wide.append([1, 0, 0, 1]) }
        wide.append([0, 0, 0] + [UInt8](repeating: 0, count: 129))
        #expect(throws: Damage.self) { try BucketCodec.decode(patched(wide.bytes)) }
    }

    @Test func otherVersionsAndEmptyBlobsAreRefused() {
        var bytes = BucketCodec.encode(BucketRows(scans: [], width: 0), period: nil)
        #expect(read(bytes))
        bytes[0] = 2
        #expect(throws: Damage(what: "a bucket of version 2", position: 1)) {
            try BucketCodec.decode(bytes)
        }
        #expect(!read([]))
        #expect(!read([1]))
        #expect(!read([1, 0, 0, 0, 0, 0]))
    }

    @Test func damagedColumnsOfNumbersThrow() throws {
        var random = SeededGenerator(33)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { index -> UInt8 in
                index < 3 && random.oneIn(2)
                    ? .random(in: 0...16, using: &random) : .random(in: 0...255, using: &random)
            }
            var reader = ByteReader(bytes)
            if let values = try? NumberColumnCodec.decode(&reader, count: 96) {
                #expect(values.count == 96)
            }
        }
    }
}
