/// What the next number of a stream is expected to be; only the difference is kept.
///
/// All arithmetic wraps in 64 bits, so every stream returns exactly.
struct Prediction: Equatable {
    /// The first byte of a stream. Stored: never renumber, only append.
    enum Form {
        /// Every number is 0; nothing follows.
        static let zeros: UInt8 = 0
        /// Every number is the start.
        static let constant: UInt8 = 1
        /// Not predicted: the numbers themselves, as unsigned.
        static let plain: UInt8 = 2
        /// The number before.
        static let same: UInt8 = 3
        /// The number before and its difference from the one before it.
        static let steady: UInt8 = 4
        /// The number before; the difference is XOR.
        static let exclusiveOr: UInt8 = 5
        /// 8 + w, w of 0 to 7: the start, and w eighths of how far the number before is off it.
        static let drawn: UInt8 = 8
    }

    let form: UInt8
    /// What stands before the first number.
    let start: Int64

    var hasStart: Bool { form != Form.zeros && form != Form.plain }

    @inline(__always)
    static func zigzag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value &<< 1) ^ (value >> 63))
    }

    @inline(__always)
    static func unzigzag(_ raw: Int64) -> Int64 {
        Int64(bitPattern: UInt64(bitPattern: raw) >> 1) ^ (0 &- (raw & 1))
    }

    /// The sum of the widths of the differences of `values`.
    func widths(of values: UnsafeBufferPointer<Int64>) -> Int {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: values.count) { residuals in
            difference(values, residuals)
            var sum = 0
            for residual in residuals { sum &+= RiceCode.width(residual) }
            return sum
        }
    }

    /// Writes the differences of `values` to `out`, which has the same length.
    func difference(
        _ values: UnsafeBufferPointer<Int64>, _ out: UnsafeMutableBufferPointer<UInt64>
    ) {
        var before = start
        switch form {
        case Form.plain:
            for index in values.indices { out[index] = UInt64(bitPattern: values[index]) }
        case Form.same:
            for index in values.indices {
                out[index] = Self.zigzag(values[index] &- before)
                before = values[index]
            }
        case Form.steady:
            var step: Int64 = 0
            for index in values.indices {
                let difference = values[index] &- before
                out[index] = Self.zigzag(difference &- step)
                step = difference
                before = values[index]
            }
        case Form.exclusiveOr:
            for index in values.indices {
                out[index] = UInt64(bitPattern: values[index] ^ before)
                before = values[index]
            }
        default:
            let weight = Int64(form & 7)
            for index in values.indices {
                let expected = start &+ (((before &- start) &* weight) >> 3)
                out[index] = Self.zigzag(values[index] &- expected)
                before = values[index]
            }
        }
    }

    /// Turns the differences in `values` into the numbers, in place.
    func restore(_ values: UnsafeMutableBufferPointer<Int64>) {
        var before = start
        switch form {
        case Form.plain: break
        case Form.same:
            for index in values.indices {
                before &+= Self.unzigzag(values[index])
                values[index] = before
            }
        case Form.steady:
            var step: Int64 = 0
            for index in values.indices {
                step &+= Self.unzigzag(values[index])
                before &+= step
                values[index] = before
            }
        case Form.exclusiveOr:
            for index in values.indices {
                before ^= values[index]
                values[index] = before
            }
        default:
            let weight = Int64(form & 7)
            for index in values.indices {
                let expected = start &+ (((before &- start) &* weight) >> 3)
                before = expected &+ Self.unzigzag(values[index])
                values[index] = before
            }
        }
    }
}
