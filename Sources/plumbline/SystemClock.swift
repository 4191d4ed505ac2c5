import CKernelClock
import Foundation
import Glibc
import Telemetry

/// When this program was made, at the latest: no clock shows less and is right.
let builtAt = Timestamp(milliseconds: 1_793_491_200_000)  // 2026-11-01T00:00:00Z

/// The machine's own clocks, as they are.
struct SystemClock: WallClock {
    private let bootID: String
    /// True says that the clock is synchronised; false asks the kernel.
    private let believesWall: Bool

    init(believesWall: Bool) {
        self.believesWall = believesWall
        let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        // Two boots without a name must not be taken for one.
        bootID = text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? UUID().uuidString
    }

    func read() -> ClockReading {
        ClockReading(
            bootID: bootID, monotonic: Self.milliseconds(CLOCK_BOOTTIME),
            wall: Timestamp(milliseconds: Self.milliseconds(CLOCK_REALTIME)),
            isTrusted: believesWall || Self.isSynchronised)
    }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Whether the kernel's clock discipline says that the time is good.
    private static var isSynchronised: Bool {
        var state = timex()
        let result = adjtimex(&state)
        return result >= 0 && result != TIME_ERROR
    }
}
