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
    /// The last time as text. The end of a bar is the start of the next one, and most times differ
    /// from the one before in their hours, minutes and seconds only.
    private var stamp: [UInt8] = []
    private var stamped: Timestamp?
    /// The local day of `stamp`, and the offset in it.
    private var stampedDay: Int64?
    private var stampedOffset = 0

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
        if decimal(number) { return }
        var text = number.description
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    /// Writes a number of at most three decimal places; false for any other.
    ///
    /// The digits are those of `description`: of all decimals of up to 15 digits just one is read
    /// back as this number, so none is shorter.
    private mutating func decimal(_ number: Double) -> Bool {
        let thousandths = (number * 1000).rounded()
        guard thousandths.magnitude < 1e15, thousandths / 1000 == number else { return false }
        let magnitude = Int(thousandths.magnitude)
        if number < 0 { bytes.append(0x2D) }
        digits(magnitude / 1000)
        let places = magnitude % 1000
        bytes.append(0x2E)
        bytes.append(Self.digit(places / 100))
        if places % 100 > 0 { bytes.append(Self.digit(places / 10)) }
        if places % 10 > 0 { bytes.append(Self.digit(places)) }
        return true
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
        if time != stamped { write(time) }
        bytes += stamp
    }

    private mutating func write(_ time: Timestamp) {
        let offset = offset(at: time)
        let local = time.milliseconds &+ Int64(offset) * 1000
        let ofDay = local.modulo(86_400_000)
        let day = local &- ofDay
        stamped = time
        guard ofDay % 1000 == 0, day == stampedDay, offset == stampedOffset else {
            return write(whole: CivilTime(time, offset: offset), offset: offset, day: day)
        }
        let seconds = Int(ofDay / 1000)
        let start = (form == .json ? 1 : 0) + 11
        stamp(seconds / 3600, at: start)
        stamp(seconds / 60 % 60, at: start + 3)
        stamp(seconds % 60, at: start + 6)
    }

    private mutating func stamp(_ number: Int, at place: Int) {
        stamp[place] = Self.digit(number / 10)
        stamp[place + 1] = Self.digit(number)
    }

    private mutating func write(whole civil: CivilTime, offset: Int, day: Int64) {
        stamp.removeAll(keepingCapacity: true)
        if form == .json { stamp.append(0x22) }
        fixed(civil.year, 4)
        stamp.append(0x2D)
        fixed(civil.month, 2)
        stamp.append(0x2D)
        fixed(civil.day, 2)
        stamp.append(0x54)
        fixed(civil.hour, 2)
        stamp.append(0x3A)
        fixed(civil.minute, 2)
        stamp.append(0x3A)
        fixed(civil.second, 2)
        if civil.millisecond != 0 {
            stamp.append(0x2E)
            fixed(civil.millisecond, 3)
        }
        if offset == 0 {
            stamp.append(0x5A)
        } else {
            let minutes = abs(offset) / 60
            stamp.append(offset < 0 ? 0x2D : 0x2B)
            fixed(minutes / 60, 2)
            stamp.append(0x3A)
            fixed(minutes % 60, 2)
        }
        if form == .json { stamp.append(0x22) }
        // A text with milliseconds is no pattern for the next, nor is a year of five digits.
        stampedDay = civil.millisecond == 0 && (0...9999).contains(civil.year) ? day : nil
        stampedOffset = offset
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
            stamp.append(0x30 + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// The last digit of a number.
    private static func digit(_ number: Int) -> UInt8 {
        0x30 + UInt8(truncatingIfNeeded: number % 10)
    }

    private mutating func digits(_ number: Int) {
        if number < 0 { bytes.append(0x2D) }
        // Twenty digits at most, from the last to the first.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { text in
            var rest = number.magnitude
            var start = text.count
            repeat {
                start -= 1
                text[start] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            bytes.append(contentsOf: text[start...])
        }
    }
}
