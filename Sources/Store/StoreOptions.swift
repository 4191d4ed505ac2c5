/// What a commit outlives.
package enum Durability: String, Hashable, Sendable, CaseIterable {
    /// A power cut: every commit waits for the disk (`synchronous=FULL`).
    case power
    /// The death of the process only (`synchronous=NORMAL`): a power cut may take the last commits.
    case process
}

/// Where the store lives and how it commits.
package struct StoreOptions: Hashable, Sendable {
    /// The folder that holds `plumbline.sqlite`; it is made if it does not exist.
    package var directory: String
    package var durability: Durability

    package init(directory: String, durability: Durability = .power) {
        self.directory = directory
        self.durability = durability
    }
}
