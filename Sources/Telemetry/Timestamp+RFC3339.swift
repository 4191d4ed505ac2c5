extension Timestamp {
    /// RFC 3339 text with an explicit offset; milliseconds appear only when they are not zero.
    ///
    /// - Parameter offset: seconds east of UTC; 0 is written as `Z`.
    package func rfc3339(offset: Int = 0) -> String {
        let t = CivilTime(self, offset: offset)
        var text = "\(t.year.padded(4))-\(t.month.padded(2))-\(t.day.padded(2))"
        text += "T\(t.hour.padded(2)):\(t.minute.padded(2)):\(t.second.padded(2))"
        if t.millisecond != 0 { text += ".\(t.millisecond.padded(3))" }
        if offset == 0 { return text + "Z" }
        let magnitude = abs(offset) / 60
        return text + (offset < 0 ? "-" : "+")
            + "\((magnitude / 60).padded(2)):\((magnitude % 60).padded(2))"
    }

    /// Reads RFC 3339 text (`2026-11-21T08:05:00+08:00`, `…Z`); nil when it is not such a text.
    ///
    /// The offset is required. Digits of a second beyond the third are dropped. An offset that leads
    /// out of the years 1 to 9999 of UTC, which no such text can tell, is refused.
    package init?(rfc3339 text: String) {
        var cursor = DigitCursor(text.utf8)
        guard let year = cursor.digits(4), cursor.take("-"), let month = cursor.digits(2),
            cursor.take("-"), let day = cursor.digits(2),
            cursor.take("T") || cursor.take("t") || cursor.take(" "),
            let hour = cursor.digits(2), cursor.take(":"), let minute = cursor.digits(2),
            cursor.take(":"), let second = cursor.digits(2)
        else { return nil }
        var millisecond = 0
        if cursor.take(".") {
            guard let fraction = cursor.fraction(keeping: 3) else { return nil }
            millisecond = fraction
        }
        var offset = 0
        if !(cursor.take("Z") || cursor.take("z")) {
            let sign: Int
            if cursor.take("+") {
                sign = 1
            } else if cursor.take("-") {
                sign = -1
            } else {
                return nil
            }
            guard let h = cursor.digits(2), cursor.take(":"), let m = cursor.digits(2), h < 24,
                m < 60
            else { return nil }
            offset = sign * (h * 3600 + m * 60)
        }
        let civil = CivilTime(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second,
            millisecond: millisecond)
        guard cursor.isAtEnd, civil.isValid else { return nil }
        let time = civil.timestamp(offset: offset)
        guard (1...9999).contains(CivilTime(time, offset: 0).year) else { return nil }
        self = time
    }
}

extension Int {
    /// Decimal digits, filled with zeros from the left up to `width`.
    package func padded(_ width: Int) -> String {
        let digits = String(self)
        return String(repeating: "0", count: Swift.max(0, width - digits.utf8.count)) + digits
    }
}

/// Reads fixed-width digits and single characters from ASCII text.
package struct DigitCursor {
    private var rest: Substring.UTF8View

    package init(_ text: String.UTF8View) { rest = text[...] }

    package var isAtEnd: Bool { rest.isEmpty }

    /// Exactly `count` decimal digits, or nil without progress.
    package mutating func digits(_ count: Int) -> Int? {
        var value = 0
        var taken = 0
        for byte in rest.prefix(count) {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
            taken += 1
        }
        guard taken == count else { return nil }
        rest = rest.dropFirst(count)
        return value
    }

    /// One or more digits after a decimal point, as an integer of `keeping` places.
    package mutating func fraction(keeping: Int) -> Int? {
        var value = 0
        var taken = 0
        while let byte = rest.first, (0x30...0x39).contains(byte) {
            if taken < keeping { value = value * 10 + Int(byte - 0x30) }
            taken += 1
            rest = rest.dropFirst()
        }
        guard taken > 0 else { return nil }
        for _ in 0..<max(0, keeping - taken) { value *= 10 }
        return value
    }

    /// Takes one character if it is next.
    package mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte = rest.first, UInt32(byte) == character.value else { return false }
        rest = rest.dropFirst()
        return true
    }
}
