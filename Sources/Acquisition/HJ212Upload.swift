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
    /// When it came, in monotonic milliseconds.
    var since: Int64
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
    private struct Stored: Sendable {
        var key: HJ212Upload.Key
        var since: Int64
        var numbers: Set<Int> = []
        var columns: Set<Int> = []
    }

    /// How long after a part others of its upload are known as such, in milliseconds: four attempts
    /// of 10 s each. A clock that stands still gives the next upload the same time.
    private static let memory: Int64 = 45_000

    /// What has come and is not admitted yet.
    var held: HJ212Upload?
    /// Of which upload some parts are committed.
    private var stored: Stored?

    /// Whether nothing more is to come for what is held.
    var isWhole: Bool {
        guard let held, let key = held.key else { return false }
        return held.numbers.union(stored(for: held)?.numbers ?? []).count >= key.count
    }

    private func stored(for upload: HJ212Upload) -> Stored? {
        guard let stored, stored.key == upload.key, upload.hasDeviceTime,
            upload.since - stored.since < Self.memory
        else { return nil }
        return stored
    }

    /// Leaves out what other parts of the same upload have said.
    ///
    /// - Returns: false when nothing good is left that there was.
    func leaveOut(from upload: inout HJ212Upload) -> Bool {
        guard let stored = stored(for: upload),
            upload.scan.readings.contains(where: \.isGood)
        else { return true }
        for column in stored.columns { upload.scan.readings[column] = .bad(.absent) }
        return upload.scan.readings.contains(where: \.isGood)
    }

    /// Notes that an upload is committed.
    mutating func store(_ upload: HJ212Upload) {
        guard let key = upload.key, upload.hasDeviceTime else { return }
        var next = stored(for: upload) ?? Stored(key: key, since: upload.since)
        next.since = upload.since
        next.numbers.formUnion(upload.numbers)
        next.columns.formUnion(
            upload.scan.readings.indices.filter { upload.scan.readings[$0].isGood })
        stored = next
    }
}
