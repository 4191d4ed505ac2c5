import Telemetry

// A feed's part of a checkpoint. Everything in ascending order, so equal states are equal bytes.
//
//     flags (1 now, 2 next digest, 4 digest since), [now], [next digest], [digest since],
//     open alarms    count, each: key, group (texts), raised at,
//                    flags (1 told at, 2 told, 4 acknowledged, 8 fallen, 16 return told), [told at]
//     groups         count, each: name (text), flags (1 until), [until], raised, returned (lists)
//     sent           count, instants
//     storm, chattering, raised since (lists of keys: count, texts), count of raised
//     raises         count, each: name (text), flags (1 chattering), count, instants

extension NoticePlanner {
    /// The state as bytes.
    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.byte(
            (state.now == nil ? 0 : 1) | (state.nextDigest == nil ? 0 : 2)
                | (state.digestSince == nil ? 0 : 4))
        for time in [state.now, state.nextDigest, state.digestSince].compactMap(\.self) {
            writer.instant(time)
        }
        writer.varint(UInt64(state.open.count))
        for (key, alarm) in state.open.map({ ($0.key.text, $0.value) }).sorted(by: { $0.0 < $1.0 })
        {
            writer.text(key)
            writer.text(alarm.group)
            writer.instant(alarm.raisedAt)
            writer.byte(
                (alarm.toldAt == nil ? 0 : 1) | (alarm.isTold ? 2 : 0)
                    | (alarm.isAcknowledged ? 4 : 0) | (alarm.hasFallen ? 8 : 0)
                    | (alarm.isReturnTold ? 16 : 0))
            if let toldAt = alarm.toldAt { writer.instant(toldAt) }
        }
        writer.varint(UInt64(state.groups.count))
        for (name, group) in state.groups.sorted(by: { $0.key < $1.key }) {
            writer.text(name)
            writer.byte(group.until == nil ? 0 : 1)
            if let until = group.until { writer.instant(until) }
            writer.keys(group.raised)
            writer.keys(group.returned)
        }
        writer.instants(state.sent)
        writer.keys(state.storm)
        writer.keys(state.chattering)
        writer.keys(state.raisedSince)
        writer.varint(UInt64(clamping: state.raisedCount))
        writer.varint(UInt64(state.raises.count))
        for (name, raises) in state.raises.sorted(by: { $0.key < $1.key }) {
            writer.text(name)
            writer.byte(raises.isChattering ? 1 : 0)
            writer.instants(raises.times)
        }
        return writer.bytes
    }

    /// Goes on from what `encoded` wrote.
    ///
    /// - Throws: `Damage`; the planner is as before then.
    package mutating func restore(decoding bytes: [UInt8]) throws(Damage) {
        var reader = ByteReader(bytes)
        var state = NoticePlannerState()
        let flags = try reader.byte()
        if flags & 1 != 0 { state.now = try reader.instant() }
        if flags & 2 != 0 { state.nextDigest = try reader.instant() }
        if flags & 4 != 0 { state.digestSince = try reader.instant() }
        for _ in 0..<(try reader.count(upTo: NoticePlannerState.capacity, of: "open alarms")) {
            let key = try reader.key()
            let group = try reader.text()
            var alarm = NoticePlannerState.Open(group: group, raisedAt: try reader.instant())
            let flags = try reader.byte()
            if flags & 1 != 0 { alarm.toldAt = try reader.instant() }
            alarm.isTold = flags & 2 != 0
            alarm.isAcknowledged = flags & 4 != 0
            alarm.hasFallen = flags & 8 != 0
            alarm.isReturnTold = flags & 16 != 0
            state.open[key] = alarm
        }
        for _ in 0..<(try reader.count(upTo: reader.remaining, of: "groups of alarms")) {
            let name = try reader.text()
            var group = NoticePlannerState.Group()
            if try reader.byte() & 1 != 0 { group.until = try reader.instant() }
            group.raised = try reader.keys()
            group.returned = try reader.keys()
            state.groups[name] = group
        }
        state.sent = try reader.instants()
        state.storm = try reader.keys()
        state.chattering = try reader.keys()
        state.raisedSince = try reader.keys()
        state.raisedCount = try reader.count(upTo: 1 << 40, of: "raised alarms")
        for _ in 0..<(try reader.count(upTo: reader.remaining, of: "raises")) {
            let name = try reader.text()
            var raises = NoticePlannerState.Raises()
            raises.isChattering = try reader.byte() & 1 != 0
            raises.times = try reader.instants()
            state.raises[name] = raises
        }
        guard reader.remaining == 0 else { throw reader.damage("bytes after a feed") }
        self.state = state
    }
}

extension ByteWriter {
    fileprivate mutating func keys(_ keys: [AlarmKey]) {
        varint(UInt64(keys.count))
        for key in keys { text(key.text) }
    }

    fileprivate mutating func instants(_ times: [Timestamp]) {
        varint(UInt64(times.count))
        for time in times { instant(time) }
    }
}

extension ByteReader {
    fileprivate mutating func key() throws(Damage) -> AlarmKey {
        guard let key = AlarmKey(try text()) else { throw damage("no key of an alarm") }
        return key
    }

    fileprivate mutating func keys() throws(Damage) -> [AlarmKey] {
        var keys: [AlarmKey] = []
        for _ in 0..<(try count(upTo: remaining, of: "alarms")) { keys.append(try key()) }
        return keys
    }

    fileprivate mutating func instants() throws(Damage) -> [Timestamp] {
        var times: [Timestamp] = []
        for _ in 0..<(try count(upTo: remaining, of: "instants")) { times.append(try instant()) }
        return times
    }
}
