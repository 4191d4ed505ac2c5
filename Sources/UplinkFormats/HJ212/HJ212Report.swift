import Frames
import Telemetry

/// One packet of an upload, without what only the moment of sending knows: QN and password.
struct HJ212Part: Hashable, Sendable {
    var st: String
    var cn: String
    /// How many packets the upload has, and which one this is; nil for one that is alone.
    var pnum: Int?
    var pno: Int?
    var items: [[HJ212Packet.Field]]
}

/// What an item is in packets.
///
///     2011/…    real-time   <code>-Rtd, <code>-Flag of each factor; DataTime = start
///     2051/…    minutes     <code>-Cou -Min -Avg -Max -Flag; DataTime = start or end, by option
///     2061/…    hours       as minutes
///     2031/…    days        as minutes
///     2081/…    boot        DataTime = end, RestartTime = start
///
/// The sub-values of one factor are never parted. Rounding is half to even.
struct HJ212Report {
    let options: HJ212Options
    let calendar: SiteCalendar

    /// Why an item cannot be told.
    struct Refusal: Error, Hashable { var reason: String }

    /// The packets of an item, in the order in which they go out.
    func parts(
        of item: UplinkItem, _ station: HJ212Station, password: String
    ) throws(Refusal) -> [HJ212Part] {
        let cn = String(item.kind.prefix { $0 != "/" })
        guard ["2011", "2051", "2061", "2031", "2081"].contains(cn) else {
            throw Refusal(reason: "HJ 212 has no packet for '\(item.kind)'")
        }
        if cn == "2081" {
            return [
                HJ212Part(
                    st: station.st ?? options.st, cn: cn,
                    items: [
                        [.init("DataTime", stamp(max(item.start, item.end)))],
                        [.init("RestartTime", stamp(item.start))],
                    ])
            ]
        }
        var factors: [[HJ212Packet.Field]] = []
        var levels: [[HJ212Packet.Field]] = []
        for entry in item.entries {
            guard let code = entry.point.name, entry.series.kind != .text,
                entry.series.kind != .state
            else { continue }
            if options.noiseCodes.contains(code) {
                levels += self.levels(entry, code, cn, station)
            } else {
                factors += [factor(entry, code, cn, station)].compactMap(\.self)
            }
        }
        var groups: [(st: String, items: [[HJ212Packet.Field]])] = []
        switch options.noise {
        case .inside: groups = [(station.st ?? options.st, factors + levels)]
        case .own:
            groups = [
                (station.st ?? options.st, factors),
                (station.noiseST ?? options.noiseST, levels),
            ]
        }
        groups.removeAll { $0.items.isEmpty }
        guard !groups.isEmpty else {
            throw Refusal(reason: "nothing is known of any factor in this period")
        }
        let time = dataTime(of: item, cn)
        var parts: [HJ212Part] = []
        for group in groups {
            parts += try cut(group.items, group.st, cn, time, station, password)
        }
        return parts
    }

    // MARK: Factors

    private func factor(
        _ entry: UplinkItem.Entry, _ code: String, _ cn: String, _ station: HJ212Station
    ) -> [HJ212Packet.Field]? {
        var fields: [HJ212Packet.Field] = []
        func add(_ ending: String, _ statistic: Statistic) {
            if let text = entry.text(statistic) { fields.append(.init("\(code)-\(ending)", text)) }
        }
        if cn == "2011" {
            add("Rtd", .last)
        } else {
            for (ending, statistic) in Self.statistics(entry) { add(ending, statistic) }
        }
        if fields.isEmpty && (options.missing == .omit || !options.marks.isSent) { return nil }
        if options.marks.isSent {
            fields.append(.init("\(code)-Flag", mark(entry, code, station)))
        }
        return fields
    }

    /// What is told of a period, in the order of the standard's examples.
    static func statistics(_ entry: UplinkItem.Entry) -> [(String, Statistic)] {
        let wanted = entry.point.statistics
        if wanted.isEmpty {
            return entry.series.kind == .counter
                ? [("Cou", .increase)]
                : [("Min", .minimum), ("Avg", .mean), ("Max", .maximum)]
        }
        func pick(_ ending: String, _ statistics: [Statistic]) -> [(String, Statistic)] {
            statistics.first(where: wanted.contains).map { [(ending, $0)] } ?? []
        }
        return pick("Cou", [.increase, .sum]) + pick("Min", [.minimum])
            + pick("Avg", [.vectorMean, .energeticMean, .mean]) + pick("Max", [.maximum])
    }

    private func mark(
        _ entry: UplinkItem.Entry, _ code: String, _ station: HJ212Station
    ) -> String {
        station.marks[code] ?? station.marks["*"] ?? options.marks.mark(entry)
    }

    // MARK: Levels

    private func levels(
        _ entry: UplinkItem.Entry, _ code: String, _ cn: String, _ station: HJ212Station
    ) -> [[HJ212Packet.Field]] {
        if cn == "2011" {
            var point = entry
            point.point.decimals = entry.point.decimals ?? 1
            var fields: [HJ212Packet.Field] = []
            if let text = point.text(.last) { fields = [.init("\(code)-Rtd", text)] }
            // Annex C.25 has no mark in the packet of its own; among dust it is like the others.
            if options.noise == .own || !options.marks.isSent {
                return fields.isEmpty ? [] : [fields]
            }
            if fields.isEmpty && options.missing == .omit { return [] }
            return [fields + [.init("\(code)-Flag", mark(entry, code, station))]]
        }
        let noise = HJ212Noise(entry, dayHours: options.dayHours, calendar: calendar)
        return (cn == "2031" ? noise.day() : noise.period()).map { [$0] }
    }

    // MARK: Time and length

    private func dataTime(of item: UplinkItem, _ cn: String) -> String {
        stamp(cn != "2011" && options.dataTime == .end ? item.end : item.start)
    }

    private func stamp(_ time: Timestamp) -> String { HJ212Time.stamp(time, calendar) }

    /// As many packets as the limits ask for, each with the same DataTime.
    private func cut(
        _ items: [[HJ212Packet.Field]], _ st: String, _ cn: String, _ time: String,
        _ station: HJ212Station, _ password: String
    ) throws(Refusal) -> [HJ212Part] {
        let head = [HJ212Packet.Field("DataTime", time)]
        /// The bytes of a packet with nothing but its time, or with these items too.
        func size(_ more: [[HJ212Packet.Field]], of count: Int?) -> (segment: Int, area: Int)? {
            var layout = options.layout
            layout.longestSegment = .max
            layout.longestArea = .max
            let packet = HJ212Packet(
                qn: "00000000000000000", st: st, cn: cn, pw: password, mn: station.mn, flag: 11,
                pnum: count, pno: count, items: [head] + more)
            guard let segment = packet.segment(layout)?.count else { return nil }
            let area = ([head] + more).reduce(6) { $0 + Self.length($1) }
            return (segment, area)
        }
        guard let whole = size(items, of: nil) else {
            throw Refusal(reason: "a code, the MN or the password cannot be written in a packet")
        }
        if whole.segment <= options.packetLimit && whole.area <= options.areaLimit {
            return [HJ212Part(st: st, cn: cn, items: [head] + items)]
        }
        guard let base = size([], of: items.count) else { return [] }
        let room = min(options.packetLimit - base.segment, options.areaLimit - base.area)
        var packets: [[[HJ212Packet.Field]]] = []
        var used = 0
        for item in items {
            let length = Self.length(item)
            if length > room {
                throw Refusal(
                    reason: "'\(item.first?.name ?? "")' is longer than a packet may be")
            }
            if packets.isEmpty || used + length > room {
                packets.append([])
                used = 0
            }
            packets[packets.count - 1].append(item)
            used += length
        }
        return packets.enumerated().map { index, items in
            HJ212Part(
                st: st, cn: cn, pnum: packets.count, pno: index + 1, items: [head] + items)
        }
    }

    /// The bytes of one item with the separator before it.
    private static func length(_ item: [HJ212Packet.Field]) -> Int {
        item.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 2 }
    }
}
