import Foundation

/// The floor: what an ideal coder of the first differences needs, knowing their statistics for free.
enum Entropy {
    /// Bits of all differences of a column: order 0, and order 1 (given the difference before).
    static func bits(_ mantissas: [Int64]) -> (order0: Double, order1: Double) {
        guard mantissas.count > 2 else { return (0, 0) }
        var single: [Int64: Int] = [:]
        var before: [Int64: Int] = [:]
        var pair: [Pair: Int] = [:]
        var previous: Int64?
        for index in 1..<mantissas.count {
            let difference = mantissas[index] - mantissas[index - 1]
            single[difference, default: 0] += 1
            if let previous {
                before[previous, default: 0] += 1
                pair[Pair(first: previous, second: difference), default: 0] += 1
            }
            previous = difference
        }
        let total = Double(mantissas.count - 1)
        let order0 = single.values.reduce(0.0) { $0 - Double($1) * log2(Double($1) / total) }
        let order1 = pair.reduce(0.0) { sum, entry in
            sum - Double(entry.value)
                * log2(Double(entry.value) / Double(before[entry.key.first] ?? 1))
        }
        return (order0, order1)
    }

    private struct Pair: Hashable {
        var first: Int64
        var second: Int64
    }
}
