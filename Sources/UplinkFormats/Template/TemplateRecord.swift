import Telemetry

/// What one device said of one period or at one time.
struct TemplateRecord {
    let item: UplinkItem
    /// nil for a station that several devices make up.
    let device: DeviceID?
    let start: Timestamp
    let end: Timestamp
    let entries: [UplinkItem.Entry]
    /// The readings at `start` by the place of their entry; nil where the period is told by its
    /// fold.
    let readings: [Int: Reading]?

    /// Everything that an item tells: its period or, of readings, the newest time at which there
    /// are some. What was read at different times never stands together.
    init(newestOf item: UplinkItem) {
        let time = item.entries.compactMap(\.samples.last?.time).max() ?? item.start
        self.init(
            item: item, device: item.device ?? item.entries.first?.series.id.device, item.entries,
            readAt: item.tellsReadings ? time : nil)
    }

    /// A record for each device and, of readings, for each time, in order of time.
    static func all(of item: UplinkItem) -> [TemplateRecord] {
        item.entriesByDevice.flatMap { device, entries -> [TemplateRecord] in
            guard item.tellsReadings else {
                return [TemplateRecord(item: item, device: device, entries, readings: nil)]
            }
            var rows: [Timestamp: [Int: Reading]] = [:]
            for (place, entry) in entries.enumerated() {
                for sample in entry.samples {
                    rows[sample.time, default: [:]][place] = sample.reading
                }
            }
            return rows.sorted { $0.key < $1.key }.map { time, readings in
                TemplateRecord(
                    item: item, device: device, entries, readings: (time, readings))
            }
        }
    }

    private init(
        item: UplinkItem, device: DeviceID?, _ entries: [UplinkItem.Entry], readAt time: Timestamp?
    ) {
        let readings = time.map { time in
            entries.map { entry in entry.samples.last { $0.time == time }?.reading }
        }
        let places = readings?.enumerated().compactMap { place, reading in
            reading.map { (place, $0) }
        }
        self.init(
            item: item, device: device, entries,
            readings: time.flatMap { time in
                places.map { (time, Dictionary($0, uniquingKeysWith: { first, _ in first })) }
            })
    }

    private init(
        item: UplinkItem, device: DeviceID?, _ entries: [UplinkItem.Entry],
        readings: (time: Timestamp, byPlace: [Int: Reading])?
    ) {
        self.item = item
        self.device = device
        self.entries = entries
        start = readings?.time ?? item.start
        end = readings?.time ?? item.end
        self.readings = readings?.byPlace
    }

    /// What is known of a point.
    enum Value {
        case number(Double)
        case word(String)
    }

    /// The first point of that pattern, in the order of the device's profile; nil when there is none
    /// or nothing is known of it.
    ///
    /// - Parameter units: the vocabulary's, by symbol.
    func value(of point: TemplatePoint, units: [String: Unit]) -> Value? {
        guard let place = entries.firstIndex(where: { point.matches($0.series) }) else {
            return nil
        }
        var entry = entries[place]
        if let wanted = point.unit {
            // What is not of the same kind cannot be told in that unit.
            guard let unit = units[wanted.symbol], let own = units[entry.series.unit],
                own.dimension == unit.dimension
            else { return nil }
            entry.point.unit = unit
        }
        guard let readings else {
            return entry.number(point.statistic(of: entry.series)).map { .number($0) }
        }
        switch readings[place] {
        case .good(.number(let number)): return entry.converted(number).map { .number($0) }
        case .good(.text(let word)): return .word(word)
        case .bad, nil: return nil
        }
    }
}
