/// A place in a text: file, line and column, both counted from 1.
package struct Location: Hashable, Sendable, CustomStringConvertible {
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    package var description: String { "\(file):\(line):\(column)" }
}

/// One mistake in a text: where, what, and what to do about it.
package struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
    package var location: Location
    package var message: String
    package var remedy: String?

    package init(_ location: Location, _ message: String, remedy: String? = nil) {
        self.location = location
        self.message = message
        self.remedy = remedy
    }

    package var description: String {
        "\(location): \(message)" + (remedy.map { "; \($0)" } ?? "")
    }
}

/// All the mistakes of a text, thrown together so that one run shows every one of them.
package struct Faults: Error, Hashable, Sendable, CustomStringConvertible {
    package var all: [Fault]
    package init(_ all: [Fault]) { self.all = all }
    package var description: String { all.map(\.description).joined(separator: "\n") }
}

/// Gathers faults while a text is read; reading goes on after each.
package final class FaultCollector {
    package private(set) var faults: [Fault] = []

    package init() {}

    package var isEmpty: Bool { faults.isEmpty }

    /// Notes one mistake.
    package func add(_ location: Location, _ message: String, remedy: String? = nil) {
        faults.append(Fault(location, message, remedy: remedy))
    }

    /// Notes all the mistakes of another text.
    package func add(_ other: Faults) { faults += other.all }

    /// Throws everything gathered, in order of place, if there is anything.
    package func throwIfAny() throws(Faults) {
        guard !faults.isEmpty else { return }
        throw Faults(
            faults.sorted {
                ($0.location.file, $0.location.line, $0.location.column)
                    < ($1.location.file, $1.location.line, $1.location.column)
            })
    }
}
