/// The Rice code of an unsigned number with parameter k, 0 to 63: as many ones as `number >> k`
/// says, a zero, and the k lowest bits.
///
/// 24 ones are an escape: six bits say w, then the number follows in w + 1 bits. So one outlier
/// costs at most 94 bits and no neighbour anything.
enum RiceCode {
    static let longestUnary = 24

    /// The number of bits.
    @inline(__always)
    static func length(_ number: UInt64, _ parameter: Int) -> Int {
        let quotient = number &>> UInt64(parameter)
        if quotient < UInt64(longestUnary) {
            return Int(truncatingIfNeeded: quotient) + 1 + parameter
        }
        return longestUnary + 6 + width(number)
    }

    /// How many bits a number has; 0 for 0.
    @inline(__always)
    static func width(_ number: UInt64) -> Int { 64 - number.leadingZeroBitCount }

    @inline(__always)
    static func put(_ number: UInt64, _ parameter: Int, into bits: inout BitWriter) {
        let quotient = number &>> UInt64(parameter)
        if quotient < UInt64(longestUnary) {
            let ones = UInt64((1 &<< (quotient &+ 1)) &- 2)
            let low = number & ((1 &<< UInt64(parameter)) &- 1)
            let width = Int(truncatingIfNeeded: quotient) &+ 1
            if parameter <= 40 {
                bits.put(ones &<< UInt64(parameter) | low, width: width &+ parameter)
            } else {
                bits.put(ones, width: width)
                bits.put(low, width: parameter)
            }
            return
        }
        bits.put((1 << UInt64(longestUnary)) - 1, width: longestUnary)
        let width = width(number)
        bits.put(UInt64(width - 1), width: 6)
        bits.put(number, width: width)
    }

    /// The number of bits of all `numbers`, of which `greatest` is the greatest.
    static func length(
        _ numbers: UnsafeBufferPointer<UInt64>, _ parameter: Int, greatest: UInt64
    ) -> Int {
        if greatest &>> UInt64(parameter) < UInt64(longestUnary) {
            // Without an escape the sum has no branch.
            var quotients: UInt64 = 0
            for number in numbers { quotients &+= number &>> UInt64(parameter) }
            return Int(truncatingIfNeeded: quotients) + numbers.count * (parameter + 1)
        }
        var length = 0
        for number in numbers { length &+= Self.length(number, parameter) }
        return length
    }

    /// The parameter that makes these numbers shortest, or nearly so, and their length in bits.
    static func best(
        for numbers: UnsafeBufferPointer<UInt64>, upTo limit: Int = 63
    ) -> (parameter: Int, length: Int) {
        var greatest: UInt64 = 0
        var widths = 0
        for number in numbers {
            greatest = max(greatest, number)
            widths &+= width(number)
        }
        // The mean width is not moved far by outliers; from there downhill, one way or the other.
        let guess = numbers.isEmpty ? 0 : widths / numbers.count - 1
        var best = (parameter: min(max(0, guess), limit), length: 0)
        best.length = length(numbers, best.parameter, greatest: greatest)
        for step in [-1, 1] {
            var isMoved = false
            while (0...limit).contains(best.parameter + step) {
                let next = length(numbers, best.parameter + step, greatest: greatest)
                guard next < best.length else { break }
                best = (best.parameter + step, next)
                isMoved = true
            }
            if isMoved { break }
        }
        return best
    }
}
