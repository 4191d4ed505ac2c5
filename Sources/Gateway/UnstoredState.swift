import Synchronization
import Telemetry
import WebAPI

/// Spreads the word that nothing can be written, and that it can again.
final class UnstoredState: Sendable {
    let items = LiveItems()
    let feed = UnstoredFeed()
    // Counts the outages, so that the volatile evaluation begins each one anew.
    private let outage = Atomic(0)

    /// What Ingestion calls; nothing of it waits.
    func observer(readiness: Readiness, counters: GatewayCounters) -> UnstoredObserver {
        UnstoredObserver(
            onChange: { [self] cause in
                readiness.setFault(cause.map { "nothing can be stored: \($0)" })
                counters.unstored(cause != nil)
                if cause == nil {
                    items.close()
                    feed.send(.over)
                } else {
                    outage.add(1, ordering: .relaxed)
                    items.open()
                }
            },
            onScans: { [self] clock, scans in
                feed.send(.scans(outage: outage.load(ordering: .relaxed), clock, scans))
            })
    }
}
