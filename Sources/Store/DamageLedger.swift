/// The damaged journal rows that were met since the store was opened, each counted once.
struct DamageLedger: Sendable {
    /// Beyond so many rows only the first are listed; the memory stays bounded.
    static let maximumListed = 1_000

    private(set) var causes: [Int64: String] = [:]

    mutating func add(_ sequence: Int64, cause: String) {
        guard causes.count < Self.maximumListed else { return }
        if causes[sequence] == nil { causes[sequence] = cause }
    }

    var rows: [DamagedRow] {
        causes.sorted { $0.key < $1.key }.map { DamagedRow(sequence: $0.key, cause: $0.value) }
    }
}
