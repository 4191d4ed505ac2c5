/// The address of a row, in any of the notations that manuals print.
///
///     holding/0x61  input/97       0-based, as on the wire, with its area
///     0x61  61H  97                0-based, as on the wire; the function says the area
///     40098  4x0098  400098        counted from 1, the first digit is the area
struct PointListAddress: Hashable {
    /// How a plain number such as 40098 beside a function is meant.
    enum Notation: Hashable {
        case wire, reference
    }

    var area: RegisterArea
    /// 0-based.
    var address: Int

    /// Why a text is no address: what is wrong, and what to do.
    struct Refusal: Error {
        var message: String
        var remedy: String
    }

    /// `holding/0x61`, as profiles write it.
    var wire: String {
        area.isBits
            ? "\(area.rawValue)/\(address)"
            : "\(area.rawValue)/0x" + Self.hexadecimal(address)
    }

    /// `40098`, as manuals print it.
    var reference: String {
        let digit =
            switch area {
            case .coil: "0"
            case .discrete: "1"
            case .input: "3"
            case .holding: "4"
            }
        let number = "\(address + 1)"
        let width = number.utf8.count <= 4 ? 4 : 5
        return digit + String(repeating: "0", count: width - number.utf8.count) + number
    }

    init(area: RegisterArea, address: Int) {
        self.area = area
        self.address = address
    }

    /// - Parameter notation: how a number that could be either is meant; nil refuses it.
    init(_ text: String, area: RegisterArea?, notation: Notation?) throws(Refusal) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard let named = RegisterArea(rawValue: String(parts[0])),
                let address = Self.number(parts[1])
            else { throw Self.unknown(text) }
            if let area, area != named {
                throw Refusal(
                    message: "'\(text)' contradicts the function, which reads \(area.rawValue)",
                    remedy: "correct one of the two")
            }
            try self.init(checked: address, in: named, text)
            return
        }
        let digits = Array(text.utf8)
        if digits.count >= 3, digits[1] | 0x20 == UInt8(ascii: "x"), digits[0] != 0x30 {
            guard let named = Self.areas[digits[0]], let number = Self.decimal(text.dropFirst(2))
            else { throw Self.unknown(text) }
            try self.init(reference: number, in: named, text)
            return
        }
        guard let number = Self.number(text[...]) else { throw Self.unknown(text) }
        if digits.first == 0x30, (2...4).contains(digits.count), Self.decimal(text[...]) != nil {
            throw Refusal(
                message: "'\(text)' can be decimal or hexadecimal",
                remedy: "write 0x\(text) or \(number), or head the column 地址(hex)")
        }
        let referenced = Self.referenced(text)
        if let referenced {
            let isPossible = area == nil || area == referenced.area
            if isPossible, area == nil || notation == .reference {
                try self.init(reference: referenced.number, in: referenced.area, text)
                return
            }
            if isPossible, notation == nil {
                throw Refusal(
                    message: "\(text) beside its function can be the register \(text) or "
                        + "the \(referenced.number). of its area",
                    remedy: "say which: --addresses wire or --addresses reference")
            }
        }
        guard let area else {
            throw Refusal(
                message: "'\(text)' says no area",
                remedy: "write holding/\(text) or input/\(text), or add a column 功能码/function")
        }
        try self.init(checked: number, in: area, text)
    }

    private init(checked address: Int, in area: RegisterArea, _ text: String) throws(Refusal) {
        guard (0...0xFFFF).contains(address) else {
            throw Refusal(message: "\(text) is beyond 65535", remedy: "addresses have 16 bits")
        }
        self.init(area: area, address: address)
    }

    private init(reference number: Int, in area: RegisterArea, _ text: String) throws(Refusal) {
        guard number > 0 else {
            throw Refusal(message: "\(text) counts from 1 and has no 0", remedy: "look it up again")
        }
        try self.init(checked: number - 1, in: area, text)
    }

    private static let areas: [UInt8: RegisterArea] = [
        0x31: .discrete, 0x33: .input, 0x34: .holding,
    ]

    /// Five or six decimal digits that begin with the digit of an area.
    private static func referenced(_ text: String) -> (area: RegisterArea, number: Int)? {
        guard (5...6).contains(text.utf8.count), let digit = text.utf8.first,
            let area = areas[digit], let number = decimal(text.dropFirst()), number > 0
        else { return nil }
        return (area, number)
    }

    private static func decimal(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 6,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(text)
    }

    /// Decimal, `0x61` or `61H`.
    static func number(_ text: Substring) -> Int? {
        let lower = text.lowercased()
        if lower.hasPrefix("0x") { return hexadecimalNumber(lower.dropFirst(2)) }
        if lower.hasSuffix("h") { return hexadecimalNumber(lower.dropLast()) }
        return decimal(text)
    }

    private static func hexadecimalNumber(_ digits: Substring) -> Int? {
        (1...4).contains(digits.utf8.count) && digits.utf8.first != 0x2B
            ? Int(digits, radix: 16) : nil
    }

    static func hexadecimal(_ number: Int) -> String {
        let digits = String(number, radix: 16, uppercase: true)
        return digits.utf8.count < 2 ? "0" + digits : digits
    }

    private static func unknown(_ text: String) -> Refusal {
        Refusal(
            message: "'\(text)' is not an address",
            remedy: "for example holding/0x61, 0x0061 or 97 with a function, 40098 or 4x0098")
    }
}
