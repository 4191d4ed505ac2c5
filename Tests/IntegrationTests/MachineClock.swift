import Foundation
import Telemetry

/// The machine's clock, which needs no proof of its time.
struct MachineClock: WallClock {
    func read() -> ClockReading {
        let milliseconds = Int64(Date().timeIntervalSince1970 * 1000)
        let monotonic = Int64(ProcessInfo.processInfo.systemUptime * 1000)
        return ClockReading(
            bootID: "the test",
            monotonic: monotonic, wall: Timestamp(milliseconds: milliseconds), isTrusted: true)
    }
}
