import GRDB
import Telemetry

/// A boot whose readings lie under monotonic time, and nobody has said which time of day that was.
package struct UnstampedBoot: Hashable, Sendable {
    package var bootID: String
    /// The monotonic time of its newest commit, in milliseconds.
    package var newestMonotonic: Int64
    /// The newest time of day that was committed before its first row; nil when none was.
    package var storedBefore: Timestamp?

    package init(bootID: String, newestMonotonic: Int64, storedBefore: Timestamp?) {
        self.bootID = bootID
        self.newestMonotonic = newestMonotonic
        self.storedBefore = storedBefore
    }
}

extension StoreReader {
    /// The boots whose readings lie under monotonic time, in the order of their rows.
    package func unstampedBoots() async throws(StoreError) -> [UnstampedBoot] { [] }
}
