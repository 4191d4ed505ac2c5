/// The commands that have been executed lately, with what was answered: a command that comes again
/// is answered again and not executed again.
///
/// What falls out of memory leaves a mark: numbers up to it are refused, so that nobody can replay a
/// command by sending many others.
struct HJ212CommandMemory: Sendable {
    struct Key: Hashable, Sendable {
        var mn: String
        var qn: String
        /// Some platforms give one number to all commands of one second.
        var cn: String
    }

    /// A command that was executed.
    struct Entry: Sendable {
        var key: Key
        /// With which password it came.
        var pw: String?
        var answers: [[UInt8]] = []
    }

    static let capacity = 64

    private var entries: [Entry] = []
    /// By MN, the greatest number that has been forgotten.
    private var forgotten: [String: String] = [:]

    /// What is remembered of a command; nil for one that has not been executed.
    func entry(_ key: Key) -> Entry? { entries.first { $0.key == key } }

    /// Whether a command may be one that was executed and is forgotten.
    func isBeforeMemory(_ key: Key) -> Bool { forgotten[key.mn].map { key.qn <= $0 } ?? false }

    /// - Parameter key: its MN is that of a station of ours, or this grows without bound.
    mutating func begin(_ key: Key, pw: String?) {
        entries.append(Entry(key: key, pw: pw))
        guard entries.count > Self.capacity else { return }
        let old = entries.removeFirst().key
        forgotten[old.mn] = forgotten[old.mn].map { max($0, old.qn) } ?? old.qn
    }

    mutating func add(_ answer: [UInt8], to key: Key) {
        guard let index = entries.lastIndex(where: { $0.key == key }) else { return }
        entries[index].answers.append(answer)
    }
}
