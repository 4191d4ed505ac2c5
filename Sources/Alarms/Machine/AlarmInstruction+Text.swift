import Telemetry

// An instruction as the text of one reading:
//
//     1 TAB id TAB time in ms TAB actor TAB verb TAB subject TAB first TAB second TAB note
//
//     verb         subject                  first        second
//     acknowledge  rule|series|onset
//     shelve       rule|series or rule|*    end in ms
//     take-out     rule|series or rule|*
//     unsilence    rule|series or rule|*
//     comment      rule|series|onset
//     hazard       rule|series|onset        open         deadline in ms, a space, the owner
//                                           reopened     deadline in ms
//                                           rectified, closed
//
// Backslash, TAB and line ends inside a field are written \\ \t \n \r. A missing note is empty.

extension AlarmInstruction {
    /// The instruction as the text of a reading.
    package var text: String {
        var (verb, subject, first, second) = ("", "", "", "")
        switch action {
        case .acknowledge(let key): (verb, subject) = ("acknowledge", key.text)
        case .shelve(let target, let until):
            (verb, subject, first) = ("shelve", target.text, "\(until.milliseconds)")
        case .takeOut(let target): (verb, subject) = ("take-out", target.text)
        case .unsilence(let target): (verb, subject) = ("unsilence", target.text)
        case .comment(let key): (verb, subject) = ("comment", key.text)
        case .hazard(let key, let step):
            (verb, subject) = ("hazard", key.text)
            switch step {
            case .open(let owner, let deadline):
                (first, second) = ("open", "\(deadline.milliseconds) \(owner)")
            case .reopened(let deadline): (first, second) = ("reopened", "\(deadline.milliseconds)")
            case .rectified: first = "rectified"
            case .closed: first = "closed"
            }
        }
        return ["1", id, "\(time.milliseconds)", actor, verb, subject, first, second, note ?? ""]
            .map(Self.escaped).joined(separator: "\t")
    }

    /// Reads what `text` writes; nil for anything else.
    package init?(text: String) {
        let fields = text.split(separator: "\t", omittingEmptySubsequences: false)
            .map { Self.plain($0) }
        guard fields.count == 9, fields[0] == "1", let time = Int64(fields[2]),
            let action = Action(fields)
        else { return nil }
        self.init(
            id: fields[1], time: Timestamp(milliseconds: time), actor: fields[3], action: action,
            note: fields[8].isEmpty ? nil : fields[8])
    }

    private static func escaped(_ field: String) -> String {
        var out = ""
        for character in field.unicodeScalars {
            switch character {
            case "\\": out += "\\\\"
            case "\t": out += "\\t"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    private static func plain(_ field: Substring) -> String {
        var out = String.UnicodeScalarView()
        var isEscaped = false
        for character in field.unicodeScalars {
            if isEscaped {
                isEscaped = false
                switch character {
                case "t": out.append("\t")
                case "n": out.append("\n")
                case "r": out.append("\r")
                default: out.append(character)
                }
            } else if character == "\\" {
                isEscaped = true
            } else {
                out.append(character)
            }
        }
        return String(out)
    }
}

extension AlarmInstruction.Action {
    fileprivate init?(_ fields: [String]) {
        let (verb, subject, first, second) = (fields[4], fields[5], fields[6], fields[7])
        switch verb {
        case "acknowledge", "comment", "hazard":
            guard let key = AlarmKey(subject) else { return nil }
            switch verb {
            case "acknowledge": self = .acknowledge(key)
            case "comment": self = .comment(key)
            default:
                guard let step = AlarmInstruction.HazardStep(first, second) else { return nil }
                self = .hazard(key, step)
            }
        case "shelve", "take-out", "unsilence":
            guard let target = AlarmTarget(text: subject) else { return nil }
            switch verb {
            case "shelve":
                guard let until = Int64(first) else { return nil }
                self = .shelve(target, until: Timestamp(milliseconds: until))
            case "take-out": self = .takeOut(target)
            default: self = .unsilence(target)
            }
        default: return nil
        }
    }
}

extension AlarmInstruction.HazardStep {
    fileprivate init?(_ word: String, _ detail: String) {
        let parts = detail.split(
            separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        let deadline = parts.first.flatMap { Int64($0) }.map { Timestamp(milliseconds: $0) }
        switch (word, deadline) {
        case ("open", let deadline?):
            self = .open(owner: parts.count > 1 ? String(parts[1]) : "", deadline: deadline)
        case ("reopened", let deadline?): self = .reopened(deadline: deadline)
        case ("rectified", _): self = .rectified
        case ("closed", _): self = .closed
        default: return nil
        }
    }
}

extension AlarmTarget {
    /// `rule|series`, or `rule|*` for every series.
    package var text: String { "\(rule)|\(series.map(\.description) ?? "*")" }

    /// Reads what `text` writes; nil for anything else.
    package init?(text: String) {
        let parts = text.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { return nil }
        if parts[1] == "*" {
            self.init(rule: String(parts[0]))
        } else if let series = SeriesID(String(parts[1])) {
            self.init(rule: String(parts[0]), series: series)
        } else {
            return nil
        }
    }
}
