import Telemetry

/// Where a payload says when it was made, and what to do when it is not believed.
package struct PayloadTime: Sendable {
    /// How the payload writes its time.
    package enum Format: Hashable, Sendable {
        /// Digits and literals such as `yyyy-MM-dd HH:mm:ss`, in a fixed zone.
        case civil(pattern: [UInt8], offset: Int)
        case rfc3339
        case epochSeconds
        case epochMilliseconds
    }

    /// nil: the device sends no time, and the arrival stands for it.
    package var place: PayloadPlace?
    package var format: Format
    /// The largest difference from the arrival that is believed; nil: any.
    package var maximumSkew: Duration?
    /// What happens to a message whose time is missing, unreadable or too far off.
    package var refusesBadTime: Bool

    /// The instant that a token names; nil when it is not in the format.
    func parse(_ bytes: ArraySlice<UInt8>) -> Timestamp? {
        switch format {
        case .civil(let pattern, let offset):
            guard let civil = Self.civil(bytes, pattern: pattern), civil.isValid else { return nil }
            return civil.timestamp(offset: offset)
        case .rfc3339: return Timestamp(rfc3339: String(decoding: bytes, as: UTF8.self))
        case .epochSeconds: return Self.epoch(bytes, factor: 1000)
        case .epochMilliseconds: return Self.epoch(bytes, factor: 1)
        }
    }

    /// The text that a device in this format sends.
    func render(_ time: Timestamp) -> String {
        switch format {
        case .civil(let pattern, let offset):
            return Self.render(CivilTime(time, offset: offset), pattern: pattern)
        case .rfc3339: return time.rfc3339()
        case .epochSeconds: return "\(time.milliseconds / 1000)"
        case .epochMilliseconds: return "\(time.milliseconds)"
        }
    }

    var isNumeric: Bool { format == .epochSeconds || format == .epochMilliseconds }

    /// The letters that stand for digits: year, month, day, hour, minute, second, millisecond.
    @inline(__always)
    private static func isField(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x79, 0x4D, 0x64, 0x48, 0x6D, 0x73, 0x53: true
        default: false
        }
    }

    /// Whether a pattern names year, month, day, hour and minute in widths that are read.
    static func isPattern(_ pattern: [UInt8]) -> Bool {
        let text = String(decoding: pattern, as: UTF8.self)
        let widths: [Character: Int] = ["y": 4, "M": 2, "d": 2, "H": 2, "m": 2, "s": 2, "S": 3]
        return widths.allSatisfy { letter, width in
            let count = text.count { $0 == letter }
            return count == width && text.contains(String(repeating: letter, count: width))
                || (count == 0 && (letter == "s" || letter == "S"))
        } && pattern.allSatisfy { isField($0) || !isLetter($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        // T stands for itself between date and time.
        byte != 0x54 && ((0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte))
    }

    private static func civil(_ bytes: ArraySlice<UInt8>, pattern: [UInt8]) -> CivilTime? {
        guard bytes.count == pattern.count else { return nil }
        var civil = CivilTime(year: 0, month: 0, day: 0)
        for (byte, letter) in zip(bytes, pattern) {
            guard isField(letter) else {
                guard byte == letter else { return nil }
                continue
            }
            guard byte &- 0x30 < 10 else { return nil }
            let digit = Int(byte - 0x30)
            switch letter {
            case 0x79: civil.year = civil.year * 10 + digit
            case 0x4D: civil.month = civil.month * 10 + digit
            case 0x64: civil.day = civil.day * 10 + digit
            case 0x48: civil.hour = civil.hour * 10 + digit
            case 0x6D: civil.minute = civil.minute * 10 + digit
            case 0x73: civil.second = civil.second * 10 + digit
            default: civil.millisecond = civil.millisecond * 10 + digit
            }
        }
        return civil
    }

    private static func render(_ civil: CivilTime, pattern: [UInt8]) -> String {
        var text = String(decoding: pattern, as: UTF8.self)
        for (letters, value) in [
            ("yyyy", civil.year), ("MM", civil.month), ("dd", civil.day), ("HH", civil.hour),
            ("mm", civil.minute), ("ss", civil.second), ("SSS", civil.millisecond),
        ] {
            let parts = text.split(separator: letters, omittingEmptySubsequences: false)
            text = parts.joined(separator: value.padded(letters.utf8.count))
        }
        return text
    }

    private static func epoch(_ bytes: ArraySlice<UInt8>, factor: Double) -> Timestamp? {
        guard let number = DecimalText.parse(bytes) else { return nil }
        let milliseconds = (number.value * factor).rounded()
        // The years 0001 to 9999, beyond which no calendar of the gateway goes.
        guard milliseconds > -6.2e13, milliseconds < 2.5e14 else { return nil }
        return Timestamp(milliseconds: Int64(milliseconds))
    }
}
