import Telemetry

// The small parts of the crane work's checkpoint.
//
//     flags      one byte, the first truth in the lowest bit
//     optionals  flags, then the numbers that are there
//     duration   varint of milliseconds
//     operator   byte: 0 unknown, 1 nobody, 2 an id as text

extension ByteWriter {
    /// Up to eight truths in one byte, the first in the lowest bit.
    mutating func flags(_ flags: [Bool]) {
        var bits: UInt8 = 0
        for (place, isSet) in flags.enumerated() where isSet { bits |= 1 &<< UInt8(place & 7) }
        byte(bits)
    }

    mutating func duration(_ duration: Duration) {
        varint(UInt64(clamping: duration.milliseconds))
    }

    mutating func logged(_ logged: LoggedOperator?) {
        switch logged {
        case nil: byte(0)
        case .nobody?: byte(1)
        case .id(let id)?:
            byte(2)
            text(id)
        }
    }

    /// A flag byte for up to eight numbers, then those that are there.
    mutating func optionals(_ numbers: [Double?]) {
        flags(numbers.map { $0 != nil })
        for case let number? in numbers { self.number(number) }
    }
}

extension ByteReader {
    mutating func flags(_ count: Int) throws(Damage) -> [Bool] {
        let bits = try byte()
        guard count >= 8 || bits >> UInt8(count) == 0 else { throw damage("unknown flags") }
        return (0..<count).map { bits >> UInt8($0) & 1 == 1 }
    }

    /// A number that is one.
    mutating func finite() throws(Damage) -> Double {
        let value = try number()
        guard value.isFinite else { throw damage("a reading that is no number") }
        return value
    }

    mutating func duration() throws(Damage) -> Duration {
        .milliseconds(Int64(try count(upTo: 1 << 52, of: "milliseconds")))
    }

    /// A text of the length that instants are allowed.
    mutating func shortText() throws(Damage) -> String {
        let text = try text()
        guard text.utf8.count <= CraneInstant.longestText else { throw damage("a long text") }
        return text
    }

    mutating func logged() throws(Damage) -> LoggedOperator? {
        switch try byte() {
        case 0: return nil
        case 1: return .nobody
        case 2: return .id(try shortText())
        case let code: throw damage("an unknown operator code \(code)")
        }
    }

    mutating func optionals(_ count: Int) throws(Damage) -> [Double?] {
        var numbers: [Double?] = []
        for isThere in try flags(count) { numbers.append(isThere ? try finite() : nil) }
        return numbers
    }

    mutating func alarms() throws(Damage) -> CraneAlarmSet {
        let set = CraneAlarmSet(rawValue: try fixed(UInt16.self))
        guard CraneAlarmSet.all.isSuperset(of: set) else { throw damage("unknown alarms") }
        return set
    }
}
