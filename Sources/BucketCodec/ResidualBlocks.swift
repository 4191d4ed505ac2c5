/// Unsigned numbers, small ones by preference, in blocks of 128 (the last one shorter) with a code
/// for each block.
///
/// A block begins with its code:
///
///     0                    the code of the block before; before the first stands `zeros`
///     10  kkkkkk           rice: each number as Rice code with parameter k
///     110                  zeros: every number is 0, nothing follows
///     111 ggg kkkkkk       sparse: Rice code (parameter g) of how many zeros follow; then, unless
///                          the block ends there, the next number less one as Rice code (k); and
///                          so on until the block is full
enum ResidualBlocks {
    static let blockLength = 128

    enum Code: Equatable {
        case zeros
        case rice(Int)
        case sparse(gap: Int, size: Int)

        var headerLength: Int {
            switch self {
            case .zeros: 3
            case .rice: 8
            case .sparse: 12
            }
        }
    }

    static func encode(_ residuals: [UInt64], into bits: inout BitWriter) {
        residuals.withUnsafeBufferPointer { all in
            var code = Code.zeros
            var scratch = Sparse()
            var start = 0
            while start < all.count {
                let end = min(start + blockLength, all.count)
                let block = UnsafeBufferPointer(rebasing: all[start..<end])
                var zeros = 0
                for residual in block where residual == 0 { zeros &+= 1 }
                // Where every second number is not zero, gaps cost more than they save.
                scratch.isUsed = zeros * 2 >= block.count
                if scratch.isUsed { scratch.load(block) }
                let chosen = choose(block, scratch, after: code)
                if chosen == code {
                    bits.put(0, width: 1)
                } else {
                    code = chosen
                    put(code, into: &bits)
                }
                switch code {
                case .zeros: break
                case .rice(let parameter):
                    for residual in block { RiceCode.put(residual, parameter, into: &bits) }
                case .sparse(let gap, let size):
                    for index in scratch.gaps.indices {
                        RiceCode.put(scratch.gaps[index], gap, into: &bits)
                        guard index < scratch.sizes.count else { break }
                        RiceCode.put(scratch.sizes[index], size, into: &bits)
                    }
                }
                start = end
            }
        }
    }

    private static func choose(
        _ block: UnsafeBufferPointer<UInt64>, _ sparse: Sparse, after code: Code
    ) -> Code {
        if sparse.isUsed, sparse.sizes.isEmpty { return .zeros }
        let rice = RiceCode.best(for: block)
        var best = Code.rice(rice.parameter)
        var length = rice.length + best.headerLength
        if sparse.isUsed {
            let gap = sparse.gaps.withUnsafeBufferPointer { RiceCode.best(for: $0, upTo: 7) }
            let size = sparse.sizes.withUnsafeBufferPointer { RiceCode.best(for: $0) }
            let candidate = Code.sparse(gap: gap.parameter, size: size.parameter)
            let total = gap.length + size.length + candidate.headerLength
            if total < length { (best, length) = (candidate, total) }
        }
        if best == code { return best }
        // The code before costs one bit to repeat, and blocks that follow gain too.
        let repeated: Int
        switch code {
        case .zeros: return best
        case .rice(let parameter):
            repeated = 1 + RiceCode.length(block, parameter, greatest: block.max() ?? 0)
        case .sparse:
            guard sparse.isUsed else { return best }
            repeated = 1 + sparse.length(code)
        }
        return repeated <= length ? code : best
    }

    private static func put(_ code: Code, into bits: inout BitWriter) {
        switch code {
        case .zeros: bits.put(0b110, width: 3)
        case .rice(let parameter): bits.put(0b10 << 6 | UInt64(parameter), width: 8)
        case .sparse(let gap, let size):
            bits.put(0b111 << 9 | UInt64(gap) << 6 | UInt64(size), width: 12)
        }
    }

    /// A block's zeros as gaps and its other numbers less one.
    private struct Sparse {
        var gaps: [UInt64] = []
        var sizes: [UInt64] = []
        /// Whether the block has zeros enough, and so was loaded.
        var isUsed = false

        mutating func load(_ block: UnsafeBufferPointer<UInt64>) {
            gaps.removeAll(keepingCapacity: true)
            sizes.removeAll(keepingCapacity: true)
            var gap: UInt64 = 0
            for residual in block {
                if residual == 0 {
                    gap += 1
                } else {
                    gaps.append(gap)
                    sizes.append(residual - 1)
                    gap = 0
                }
            }
            if gap > 0 { gaps.append(gap) }
        }

        func length(_ code: Code) -> Int {
            guard case .sparse(let gap, let size) = code else { return Int.max }
            return gaps.reduce(0) { $0 + RiceCode.length($1, gap) }
                + sizes.reduce(0) { $0 + RiceCode.length($1, size) }
        }
    }

    /// Fills `residuals` and returns the offset of the first byte behind them; nil when the bytes
    /// end too early or a run of zeros leaves its block.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, from start: Int,
        into residuals: UnsafeMutableBufferPointer<Int64>
    ) -> Int? {
        var bits = BitReader(bytes, fromByte: start)
        var code = Code.zeros
        var from = 0
        while from < residuals.count {
            let end = min(from + blockLength, residuals.count)
            if bits.take(1) == 1 { code = Self.code(&bits) }
            switch code {
            case .zeros: for index in from..<end { residuals[index] = 0 }
            case .rice(let parameter):
                for index in from..<end {
                    residuals[index] = Int64(bitPattern: bits.takeRice(parameter))
                }
            case .sparse(let gap, let size):
                var index = from
                while index < end {
                    let zeros = bits.takeRice(gap)
                    guard zeros <= UInt64(end - index) else { return nil }
                    let next = index + Int(zeros)
                    while index < next {
                        residuals[index] = 0
                        index += 1
                    }
                    guard index < end else { break }
                    residuals[index] = Int64(bitPattern: bits.takeRice(size) &+ 1)
                    index += 1
                }
            }
            // Once a block is enough: a block cannot run away further than its own length.
            if bits.isBeyondEnd { return nil }
            from = end
        }
        return bits.nextByte
    }

    private static func code(_ bits: inout BitReader) -> Code {
        if bits.take(1) == 0 { return .rice(Int(bits.take(6))) }
        if bits.take(1) == 0 { return .zeros }
        let gap = Int(bits.take(3))
        return .sparse(gap: gap, size: Int(bits.take(6)))
    }
}
