import Foundation
import Glibc

/// One line that tells how far long work has come; only on a terminal.
final class ProgressLine {
    private let title: String
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shown = -1

    init(_ title: String) { self.title = title }

    /// - Parameter share: 0 to 1.
    func show(_ share: Double) {
        let percent = Int(max(0, min(1, share)) * 100)
        guard isTerminal, percent != shown else { return }
        shown = percent
        let filled = percent * 30 / 100
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        write("\r\(title) \(bar) \(percent) %")
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
