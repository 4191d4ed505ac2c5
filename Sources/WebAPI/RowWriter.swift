import Telemetry

/// Writes many rows of figures as JSON arrays or CSV lines, straight into bytes.
///
/// A chart asks for hundreds of rows at a time, so this part does without a string for each cell.
struct RowWriter {
    private(set) var bytes: [UInt8] = []
    private let form: AnswerForm
    private let calendar: SiteCalendar
    private var isFirstCell = true
    private var isFirstRow = true
    // Rows lie close together, so the zone's table is asked once a quarter, not once a row.
    private var offset = 0
    private var offsetHolds: Range<Timestamp>?

    init(_ form: AnswerForm, calendar: SiteCalendar, rows: Int) {
        self.form = form
        self.calendar = calendar
        bytes.reserveCapacity(rows * 110 + 256)
    }

    mutating func header(_ names: [String]) {
        guard form == .csv else { return }
        bytes += names.joined(separator: ",").utf8
        bytes += [0x0D, 0x0A]
    }

    mutating func beginRow() {
        if form == .json {
            if !isFirstRow { bytes.append(0x2C) }
            bytes.append(0x5B)
        }
        isFirstRow = false
        isFirstCell = true
    }

    mutating func endRow() {
        if form == .json { bytes.append(0x5D) } else { bytes += [0x0D, 0x0A] }
    }

    mutating func cell(_ number: Double?) {
        separate()
        guard let number, number.isFinite else { return nothing() }
        if let whole = Int(exactly: number) { return digits(whole) }
        var text = number.description
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    mutating func cell(_ number: Int?) {
        separate()
        if let number { digits(number) } else { nothing() }
    }

    mutating func cell(_ flag: Bool) {
        separate()
        bytes += (flag ? "true" : "false").utf8
    }

    mutating func cell(_ text: String) {
        separate()
        switch form {
        case .json:
            var json = JSONWriter(capacity: text.utf8.count + 2)
            json.value(text)
            bytes += json.bytes
        case .csv where text.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }:
            bytes.append(0x22)
            for byte in text.utf8 { bytes += byte == 0x22 ? [0x22, 0x22] : [byte] }
            bytes.append(0x22)
        case .csv: bytes += text.utf8
        }
    }

    /// RFC 3339 in the site's offset.
    mutating func cell(_ time: Timestamp) {
        separate()
        let offset = offset(at: time)
        let civil = CivilTime(time, offset: offset)
        if form == .json { bytes.append(0x22) }
        fixed(civil.year, 4)
        bytes.append(0x2D)
        fixed(civil.month, 2)
        bytes.append(0x2D)
        fixed(civil.day, 2)
        bytes.append(0x54)
        fixed(civil.hour, 2)
        bytes.append(0x3A)
        fixed(civil.minute, 2)
        bytes.append(0x3A)
        fixed(civil.second, 2)
        if civil.millisecond != 0 {
            bytes.append(0x2E)
            fixed(civil.millisecond, 3)
        }
        if offset == 0 {
            bytes.append(0x5A)
        } else {
            let minutes = abs(offset) / 60
            bytes.append(offset < 0 ? 0x2D : 0x2B)
            fixed(minutes / 60, 2)
            bytes.append(0x3A)
            fixed(minutes % 60, 2)
        }
        if form == .json { bytes.append(0x22) }
    }

    private mutating func offset(at time: Timestamp) -> Int {
        if let held = offsetHolds, held.contains(time) { return offset }
        offset = calendar.offset(at: time)
        // Zones change their offset on multiples of a quarter of an hour.
        let start = time.slot(every: .seconds(900))
        offsetHolds = start..<(start + .seconds(900))
        return offset
    }

    private mutating func separate() {
        if !isFirstCell { bytes.append(0x2C) }
        isFirstCell = false
    }

    /// An unknown cell: `null`, and nothing between the commas of a CSV line.
    private mutating func nothing() {
        if form == .json { bytes += [0x6E, 0x75, 0x6C, 0x6C] }
    }

    private mutating func fixed(_ number: Int, _ places: Int) {
        var divisor = 1
        for _ in 1..<places { divisor *= 10 }
        while divisor > 0 {
            bytes.append(0x30 + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    private mutating func digits(_ number: Int) {
        if number < 0 { bytes.append(0x2D) }
        var rest = number.magnitude
        let start = bytes.count
        repeat {
            bytes.append(0x30 + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }
}
