extension Timestamp {
    /// Reads a date of HTTP (RFC 9110 section 5.6.7) in any of its three forms; nil otherwise.
    ///
    ///     Sun, 06 Nov 1994 08:49:37 GMT      what is written today
    ///     Sunday, 06-Nov-94 08:49:37 GMT     RFC 850; two digits are a year of this century
    ///     Sun Nov  6 08:49:37 1994           C's asctime
    package init?(httpDate text: String) {
        guard text.utf8.count <= 64 else { return nil }
        var words = text.split { $0 == " " || $0 == "," || $0 == "-" }
        // The name of the day says nothing that the date does not.
        guard words.count >= 5, words.removeFirst().allSatisfy(\.isLetter) else { return nil }
        if words.count == 5 {
            guard words.removeLast() == "GMT" else { return nil }
        } else {
            // asctime: month, day, time, year.
            words = [words[1], words[0], words[3], words[2]]
        }
        guard words.count == 4, let month = Self.months.firstIndex(of: words[1]),
            let day = Self.number(words[0], digits: 1...2),
            let year = Self.number(words[2], digits: 2...4)
        else { return nil }
        let clock = words[3].split(separator: ":", omittingEmptySubsequences: false)
            .map { Self.number($0, digits: 2...2) }
        guard clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2]
        else { return nil }
        let civil = CivilTime(
            year: words[2].utf8.count == 2 ? 2000 + year : year, month: month + 1, day: day,
            hour: hour, minute: minute, second: second)
        guard civil.isValid else { return nil }
        self = civil.timestamp(offset: 0)
    }

    private static let months: [Substring] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func number(_ text: Substring, digits: ClosedRange<Int>) -> Int? {
        let isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        return isNumber && digits.contains(text.utf8.count) ? Int(text) : nil
    }
}
