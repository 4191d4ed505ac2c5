import FieldLinks
import Telemetry

/// What one data packet, or all parts of a split one, bring.
struct HJ212Upload: Sendable {
    /// What makes packets parts of one upload. Each has its own QN, so that says nothing.
    struct Key: Hashable, Sendable {
        var system: String
        var command: String
        /// The time as the station wrote it.
        var time: String
        var count: Int
    }

    /// What a station waits for.
    struct Answer: Sendable {
        var mark: DeliveryMark
        var reply: HJ212Listener.Reply
    }

    /// How long the rest of a split upload is waited for, in milliseconds. Most stations send a
    /// part only when the one before is acknowledged, after 5 to 10 s they send it again.
    static let patience: Int64 = 2000
    private static let mostParts = 99

    var command: String
    var scan: Scan
    var hasDeviceTime: Bool
    /// Empty when the station waits for nothing.
    var answers: [Answer]
    /// nil for a packet that is whole by itself.
    var key: Key?
    /// The parts that are here.
    var numbers: Set<Int> = []

    /// Makes it a part.
    mutating func split(_ key: Key, number: Int) {
        guard (2...Self.mostParts).contains(key.count), (1...key.count).contains(number) else {
            return
        }
        self.key = key
        numbers = [number]
    }

    /// Takes another part in.
    mutating func add(_ part: HJ212Upload) {
        numbers.formUnion(part.numbers)
        answers += part.answers
        for (index, reading) in part.scan.readings.enumerated()
        where index < scan.readings.count && !scan.readings[index].isGood {
            if reading != .bad(.absent) { scan.readings[index] = reading }
        }
    }
}

/// The split upload of a station that is under way.
struct HJ212Parts: Sendable {
    /// What has come and is not admitted yet, and since when, in monotonic milliseconds.
    var held: (upload: HJ212Upload, since: Int64)?
    /// Of which upload some parts are committed.
    var stored: (key: HJ212Upload.Key, numbers: Set<Int>, columns: Set<Int>)?

    /// Whether nothing more is to come for what is held.
    var isWhole: Bool {
        guard let upload = held?.upload, let key = upload.key else { return false }
        let before = stored?.key == key ? stored?.numbers ?? [] : []
        return upload.numbers.union(before).count >= key.count
    }

    /// Leaves out what other parts of the same upload have said.
    ///
    /// - Returns: false when nothing good is left that there was.
    func leaveOut(from upload: inout HJ212Upload) -> Bool {
        guard let stored, stored.key == upload.key,
            upload.scan.readings.contains(where: \.isGood)
        else { return true }
        for column in stored.columns { upload.scan.readings[column] = .bad(.absent) }
        return upload.scan.readings.contains(where: \.isGood)
    }

    /// Notes that an upload is committed.
    mutating func store(_ upload: HJ212Upload) {
        guard let key = upload.key else { return }
        var next = stored?.key == key ? stored : nil
        if next == nil { next = (key, [], []) }
        next?.numbers.formUnion(upload.numbers)
        for (column, reading) in upload.scan.readings.enumerated() where reading.isGood {
            next?.columns.insert(column)
        }
        stored = next
    }
}
