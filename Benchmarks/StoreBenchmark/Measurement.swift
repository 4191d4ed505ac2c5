import Foundation

/// What this process has cost so far.
struct Usage {
    var cpuSeconds: Double
    /// Bytes that this process has caused to be written to the device, by the kernel's account;
    /// 0 where the kernel keeps none.
    var writtenBytes: Int64

    static func now() -> Usage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double {
            Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000
        }
        let io = (try? String(contentsOfFile: "/proc/self/io", encoding: .utf8)) ?? ""
        let line = io.split(separator: "\n").first { $0.hasPrefix("write_bytes:") }
        let written = line?.split(separator: " ").last.flatMap { Int64($0) } ?? 0
        return Usage(
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), writtenBytes: written)
    }
}

/// Times in milliseconds, and the quantiles of them.
struct Timings {
    private(set) var milliseconds: [Double] = []

    mutating func measure<T>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T
    ) async rethrows -> T {
        let clock = ContinuousClock()
        let start = clock.now
        let result = try await body()
        let (seconds, attoseconds) = (clock.now - start).components
        milliseconds.append(Double(seconds) * 1000 + Double(attoseconds) / 1e15)
        return result
    }

    func quantile(_ share: Double) -> Double {
        let sorted = milliseconds.sorted()
        if sorted.isEmpty { return 0 }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    var total: Double { milliseconds.reduce(0, +) }
}

/// Prints a JSON object on one line, which the driver reads.
func report(_ figures: [String: Any]) throws {
    let data = try JSONSerialization.data(withJSONObject: figures, options: [.sortedKeys])
    FileHandle.standardOutput.write(data + Data("\n".utf8))
}
