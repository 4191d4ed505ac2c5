import Foundation
import Glibc

/// One line that tells how far long work has come; without a terminal a plain line now and then, or
/// nothing.
final class ProgressLine {
    private let title: String
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let plainInterval: Duration?
    private var shown = -1
    private var toldAt: ContinuousClock.Instant?

    /// - Parameter plainInterval: the time between two lines without a terminal; nil for none, as
    ///   suits verbs that a timer runs.
    init(_ title: String, withoutTerminalEvery plainInterval: Duration? = nil) {
        self.title = title
        self.plainInterval = plainInterval
    }

    /// - Parameter share: 0 to 1.
    func show(_ share: Double) {
        let percent = Int(max(0, min(1, share)) * 100)
        guard isTerminal else { return tell(percent) }
        guard percent != shown else { return }
        shown = percent
        let filled = percent * 30 / 100
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        write("\r\(title) \(bar) \(percent) %")
    }

    private func tell(_ percent: Int) {
        guard let plainInterval else { return }
        let now = ContinuousClock.now
        if let toldAt, now - toldAt < plainInterval { return }
        toldAt = now
        write("\(title): \(percent) %\n")
    }

    /// Clears the line.
    func end() {
        if isTerminal, shown >= 0 { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}

/// A progress line that several tasks may tell how far the work has come.
final class SharedProgressLine: @unchecked Sendable {
    private let line: ProgressLine
    private let lock = NSLock()

    init(_ title: String) { line = ProgressLine(title) }

    /// - Parameter share: 0 to 1.
    func show(_ share: Double) { lock.withLock { line.show(share) } }

    /// Clears the line.
    func end() { lock.withLock { line.end() } }
}
