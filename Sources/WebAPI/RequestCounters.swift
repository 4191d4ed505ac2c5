import Synchronization

/// Counts the API's own requests and event streams.
///
/// Requests end on many threads at once: hence a lock in this leaf.
final class RequestCounters: Sendable {
    private struct Key: Hashable {
        var route: String
        var status: Int
    }

    private struct State {
        var requests: [Key: Int] = [:]
        var streams = 0
    }

    private let state = Mutex(State())

    func count(route: String, status: Int) {
        state.withLock { $0.requests[Key(route: route, status: status), default: 0] += 1 }
    }

    /// Takes a place among the event streams; false when all are taken.
    func openStream(most: Int) -> Bool {
        state.withLock {
            guard $0.streams < most else { return false }
            $0.streams += 1
            return true
        }
    }

    func closeStream() { state.withLock { $0.streams -= 1 } }

    var samples: [MetricSample] {
        let now = state.withLock { ($0.requests, $0.streams) }
        let requests = now.0.sorted {
            ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status)
        }
        return requests.map { entry in
            MetricSample(
                "plumbline_http_requests_total", .counter, help: "HTTP requests answered.",
                labels: [("route", entry.key.route), ("status", "\(entry.key.status)")],
                value: Double(entry.value))
        } + [
            MetricSample(
                "plumbline_http_event_streams", .gauge, help: "Event streams that are open.",
                value: Double(now.1))
        ]
    }
}
