import Frames
import Telemetry

/// What the platform may ask of a station, and what is answered (6.5, Tables 6 and 9).
///
///     9011 QnRtn   1 will be done   2 refused   3 PW   4 MN   5 ST   6 Flag   7 QN   8 CN
///     9012 ExeRtn  1 done   2 failed   3 condition wrong   4 too late   5 busy   100 no data
///
///     1000         time-out and resends            1061 1062   interval of real-time data
///     1011 1012    time of day: told, never set    1063 1064   length of 2051's periods
///     1072         password, if configured         2011 2012   real-time data on, off
///     2051 2061 2031   history, `HJ212Conversation+History.swift`
extension HJ212Conversation {
    /// A command of the platform for one station.
    struct Command {
        var packet: HJ212Packet
        var station: Int
        var key: HJ212CommandMemory.Key
    }

    private struct Objection {
        var code: Int
        var reason: String
    }

    private static let known: Set<String> = [
        "1000", "1011", "1012", "1061", "1062", "1063", "1064", "1072", "2011", "2012", "2051",
        "2061", "2031",
    ]
    /// These change nothing, so they may come again.
    private static let readings: Set<String> = ["1011", "1061", "1063"]

    mutating func obey(
        _ packet: HJ212Packet, _ time: ConversationTime, _ steps: inout [ConversationStep]
    ) {
        // A request of the same code bears no data; a platform that echoes asks for nothing.
        if packet.cn.hasPrefix("20"), packet.value("DataTime") != .absent {
            return note(.thought, "an upload came back: ignored", &steps)
        }
        let key = HJ212CommandMemory.Key(mn: packet.mn, qn: packet.qn ?? "", cn: packet.cn)
        // Before its password is judged: the command that came again may have changed it.
        if let entry = executed.entry(key), packet.pw == entry.pw || isPassword(packet) {
            note(.thought, "\(packet.cn) came again: answered, not executed again", &steps)
            for bytes in entry.answers { send(bytes, &steps) }
            return
        }
        if let objection = objection(to: packet, key, time) {
            note(.thought, "\(packet.cn) is refused: \(objection.reason)", &steps)
            answer(packet, "9011", [[.init("QnRtn", "\(objection.code)")]], nil, &steps)
            return
        }
        guard let station = stations.firstIndex(where: { $0.mn == packet.mn }) else { return }
        if !Self.readings.contains(packet.cn) { executed.begin(key, pw: packet.pw) }
        let command = Command(packet: packet, station: station, key: key)
        if packet.cn == "2012" {
            keep(HJ212Terms.Name.realtime, "off", station, &steps)
            answer(packet, "9013", [], key, &steps)
            return
        }
        answer(packet, "9011", [[.init("QnRtn", "1")]], key, &steps)
        if let result = execute(command, time, &steps) { finish(command, result, &steps) }
    }

    /// What a result other than 1 means here.
    private static func meaning(_ result: Int) -> String? {
        switch result {
        case 3: "its values are not allowed, or a condition is not met"
        case 4: "the store took too long"
        case 5: "another request for history is being answered"
        case 100: "nothing is stored for it"
        default: nil
        }
    }

    /// Says how the execution of a command went.
    ///
    /// - Parameter result: the code of ExeRtn.
    mutating func finish(
        _ command: Command, _ result: Int, _ steps: inout [ConversationStep]
    ) {
        if let text = Self.meaning(result) {
            note(.thought, "\(command.packet.cn): \(text)", &steps)
        }
        answer(
            command.packet, "9012", [[.init("ExeRtn", "\(result)")]], command.key, &steps)
    }

    // MARK: Whether it is obeyed

    private func objection(
        to packet: HJ212Packet, _ key: HJ212CommandMemory.Key, _ time: ConversationTime
    ) -> Objection? {
        func objection(_ code: Int, _ reason: String) -> Objection {
            Objection(code: code, reason: reason)
        }
        guard let station = stations.firstIndex(where: { $0.mn == packet.mn }) else {
            return objection(4, "no station of ours has this MN")
        }
        if !isPassword(packet) { return objection(3, "the password is wrong") }
        let systems = [
            stations[station].st ?? options.st, stations[station].noiseST ?? options.noiseST, "91",
        ]
        if options.strictST, !systems.contains(packet.st) {
            return objection(5, "the station is of another system")
        }
        if !isFlagSound(packet) { return objection(6, "its Flag does not fit") }
        if let reason = numberFault(packet, key, time) { return objection(7, reason) }
        if !Self.known.contains(packet.cn) { return objection(8, "it is not known here") }
        if packet.cn == "1072", !options.obeysPassword {
            return objection(2, "the configuration does not let it change the password")
        }
        if !time.isTrusted { return objection(2, "the time of day is not to be believed") }
        return nil
    }

    private func isPassword(_ packet: HJ212Packet) -> Bool {
        stations.firstIndex { $0.mn == packet.mn }.map { terms[$0].password == packet.pw } ?? false
    }

    /// Whether Flag stands there and PNUM and PNO do as it says. Platforms of the first edition
    /// leave it out or set bits at random.
    private func isFlagSound(_ packet: HJ212Packet) -> Bool {
        if options.edition == .v2005 { return true }
        guard let flag = packet.flag else { return false }
        let isSplit = flag & 2 == 2
        return !isSplit || (packet.pnum == 1 && packet.pno == 1)
    }

    private func numberFault(
        _ packet: HJ212Packet, _ key: HJ212CommandMemory.Key, _ time: ConversationTime
    ) -> String? {
        guard key.qn.utf8.count == 17, let sent = HJ212Time.parse(key.qn, calendar) else {
            return "its QN is not a time with milliseconds"
        }
        if executed.isBeforeMemory(key) { return "its QN is older than what is remembered" }
        // The two that are about the time of day have to work between clocks that differ.
        if ["1011", "1012"].contains(packet.cn) || !time.isTrusted { return nil }
        let age = (time.wall - sent).milliseconds.magnitude
        return age > options.largestAge.milliseconds.magnitude
            ? "its QN is \(age / 1000) s from the time of day" : nil
    }

    // MARK: Doing it

    /// - Returns: the code of ExeRtn; nil while history is being sent.
    private mutating func execute(
        _ command: Command, _ time: ConversationTime, _ steps: inout [ConversationStep]
    ) -> Int? {
        let terms = terms[command.station]
        switch command.packet.cn {
        case "1000":
            return change(
                [(HJ212Terms.Name.timeout, "OverTime"), (HJ212Terms.Name.resends, "ReCount")],
                command, &steps)
        case "1062":
            return change([(HJ212Terms.Name.realtimeInterval, "RtdInterval")], command, &steps)
        case "1064":
            return change([(HJ212Terms.Name.minuteInterval, "MinInterval")], command, &steps)
        case "1072":
            // The first edition and some platforms say PW.
            let name = command.packet.value("NewPW") == .absent ? "PW" : "NewPW"
            return change([(HJ212Terms.Name.password, name)], command, &steps)
        case "1011":
            return tell([("SystemTime", HJ212Time.stamp(time.wall, calendar))], command, &steps)
        case "1061": return tell([("RtdInterval", "\(terms.realtimeInterval)")], command, &steps)
        case "1063": return tell([("MinInterval", "\(terms.minuteInterval)")], command, &steps)
        case "1012": return compareClocks(command, time, &steps)
        case "2011":
            keep(HJ212Terms.Name.realtime, "on", command.station, &steps)
            return 1
        default: return beginHistory(command, time, &steps)
        }
    }

    /// Sets all of the values that stand there, or none.
    private mutating func change(
        _ names: [(setting: String, field: String)], _ command: Command,
        _ steps: inout [ConversationStep]
    ) -> Int {
        var values: [(name: String, value: String)] = []
        var tried = terms[command.station]
        for (setting, field) in names {
            switch command.packet.value(field) {
            case .absent: continue
            case .ambiguous: return 3
            case .one(let text):
                // `05` is 5, and is kept as such.
                let value = setting == HJ212Terms.Name.password ? text : Int(text).map { "\($0)" }
                guard let value, tried.apply(setting, value, options) else { return 3 }
                values.append((setting, value))
            }
        }
        for (name, value) in values { keep(name, value, command.station, &steps) }
        return values.isEmpty ? 3 : 1
    }

    /// Takes a setting over at once, and has it kept when it is new.
    private mutating func keep(
        _ name: String, _ value: String, _ station: Int, _ steps: inout [ConversationStep]
    ) {
        guard terms[station].apply(name, value, options) else { return }
        set(PlatformSetting(scope: stations[station].scope, name: name, value: value), &steps)
    }

    private mutating func set(
        _ setting: PlatformSetting, _ steps: inout [ConversationStep]
    ) {
        let key = SettingKey(scope: setting.scope, name: setting.name)
        guard kept[key] != setting.value else { return }
        kept[key] = setting.value
        steps.append(.set(setting))
    }

    /// The answer to a question, in a packet with the question's number.
    private mutating func tell(
        _ values: [(String, String)], _ command: Command, _ steps: inout [ConversationStep]
    ) -> Int {
        var items = values.map { [HJ212Packet.Field($0.0, $0.1)] }
        // Readings bear the gateway's time, so it is the time of every instrument too.
        if command.packet.cn == "1011", case .one(let code) = command.packet.value("PolId") {
            items.insert([.init("PolId", code)], at: 0)
        }
        var packet = command.packet
        packet.st = stations[command.station].st ?? options.st
        packet.flag = options.edition.flag
        (packet.pnum, packet.pno, packet.items) = (nil, nil, items)
        guard let bytes = packet.encoded(options.crc, layout: options.layout) else {
            note(.thought, "\(packet.cn) cannot be answered in one packet", &steps)
            return 2
        }
        send(bytes, &steps)
        return 1
    }

    /// The platform wants to set the clock; it is compared instead, because the system keeps it.
    private mutating func compareClocks(
        _ command: Command, _ time: ConversationTime, _ steps: inout [ConversationStep]
    ) -> Int {
        guard case .one(let text) = command.packet.value("SystemTime"), text.utf8.count >= 14,
            let theirs = HJ212Time.parse(text, calendar)
        else { return 3 }
        let offset = (theirs - time.wall).milliseconds
        set(PlatformSetting(name: HJ212Terms.Name.clockOffset, value: "\(offset)"), &steps)
        note(.thought, "the platform's clock is \(offset) ms ahead; ours is not set", &steps)
        return offset.magnitude <= options.timeTolerance.milliseconds.magnitude ? 1 : 3
    }

    // MARK: Answers

    /// Answers with the QN, PW and MN of the command, if it wants an answer.
    mutating func answer(
        _ packet: HJ212Packet, _ cn: String, _ items: [[HJ212Packet.Field]],
        _ key: HJ212CommandMemory.Key?, _ steps: inout [ConversationStep]
    ) {
        guard packet.flag == nil || packet.wantsAcknowledgement else { return }
        var answer = packet.acknowledgement(cn: cn)
        answer.flag = options.edition.flag
        answer.items = items
        guard let bytes = answer.encoded(options.crc, layout: options.layout) else {
            return note(.thought, "it cannot be answered: its QN, PW or MN is odd", &steps)
        }
        if let key { executed.add(bytes, to: key) }
        send(bytes, &steps)
    }

    private func send(_ bytes: [UInt8], _ steps: inout [ConversationStep]) {
        steps.append(.send(bytes))
        note(.sent, HJ212Transcript.text(packet: bytes), &steps)
    }
}
