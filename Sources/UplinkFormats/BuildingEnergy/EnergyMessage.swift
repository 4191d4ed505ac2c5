import XMLText

/// What the platform says in one message.
///
///     element        operation             meaning
///     id_validate    sequence              challenge of the log-in
///                    result                its result; some add the time
///     heart_beat     time                  the platform's clock
///     data           report, report_ack    acknowledgement of a report
///                    continuous_ack        acknowledgement of a stored period
///     report_config  report_ack            acknowledgement of either
///     data           query                 wants the newest values (also below net_query)
///     config         period                wants another period, in minutes
///     instruction    archives              wants the list of meters
///     device         device                wants to know what the gateway is
///                    device_ack            has taken the gateway's description
///     query          query_config          wants the gateway's settings
///     config         ip_port               wants it to report elsewhere
///     update         md5_key, aes_key      wants another secret
///     control        reboot                wants it to start anew
///
/// Programs differ: one writes all its operations into the attribute
/// (`operation="request/sequence/md5/result"`), one puts an acknowledgement below the root. So the
/// operation counts if it is one word, else the `type`, else a `sequence`, `result` or `time` that the
/// element holds.
package enum EnergyMessage: Hashable, Sendable {
    case challenge(String)
    case verdict(passes: Bool, word: String, time: String?)
    case clock(String)
    case acknowledgement(EnergyAcknowledgement)
    case query
    case period(String)
    case archives
    case device
    case deviceTaken
    case configurationQuery
    case demand(EnergyDemand)
    /// Nothing that is known here, by the words that stand there.
    case unknown(String)

    /// What `document` says.
    package init(_ document: EnergyDocument) {
        let element = document.element
        let operation = element.attribute("operation")?.lowercased() ?? ""
        let isOneWord = !operation.isEmpty && !operation.contains("/")
        // A word that is not known must not be taken for another one that happens to stand nearby.
        let children = element.children.map { $0.name.lowercased() }
        let words =
            isOneWord
            ? [operation]
            : [document.type.lowercased()]
                + ["sequence", "result", "time"].filter(children.contains)
        for word in words {
            if let meaning = Self.meaning(word, element) {
                self = meaning
                return
            }
        }
        self = .unknown(
            EnergyText.short(
                "<\(element.name) operation=\"\(operation)\"> of type \(document.type)"))
    }

    private static func meaning(_ word: String, _ element: XMLTree) -> EnergyMessage? {
        switch word {
        case "sequence" where element.name != "data": challenge(element)
        case "result": verdict(element)
        case "time": clock(element)
        case "report", "report_ack", "continuous", "continuous_ack":
            .acknowledgement(EnergyAcknowledgement(word, element))
        case "query": .query
        case "period": .period(element.wholeText)
        case "archives": .archives
        case "device": .device
        case "device_ack": .deviceTaken
        case "query_config": .configurationQuery
        case "ip_port", "md5_key", "aes_key", "reboot":
            EnergyDemand(word, element).map(EnergyMessage.demand)
        default: nil
        }
    }

    private static func challenge(_ element: XMLTree) -> EnergyMessage? {
        let text = element.child("sequence")?.trimmedText ?? element.trimmedText
        return text.isEmpty ? nil : .challenge(text)
    }

    private static func verdict(_ element: XMLTree) -> EnergyMessage? {
        guard element.name == "id_validate" else { return nil }
        let word = element.child("result")?.trimmedText ?? element.trimmedText
        return .verdict(
            passes: EnergyAcknowledgement.isPass(word), word: word,
            time: element.child("time")?.trimmedText)
    }

    private static func clock(_ element: XMLTree) -> EnergyMessage? {
        guard element.name == "heart_beat" else { return nil }
        return .clock(element.child("time")?.trimmedText ?? element.trimmedText)
    }
}

/// The platform's word on a report.
package struct EnergyAcknowledgement: Hashable, Sendable {
    /// Whether it calls itself one of a stored period.
    package var isContinuous: Bool
    /// nil when it says nothing but that it is an acknowledgement.
    package var word: String?
    /// The digits of the time that it repeats; nil without one.
    package var time: String?
    /// The number of the report that it repeats; nil without one.
    package var sequence: String?

    package init(
        isContinuous: Bool, word: String? = nil, time: String? = nil, sequence: String? = nil
    ) {
        self.isContinuous = isContinuous
        self.word = word
        self.time = time
        self.sequence = sequence
    }

    init(_ operation: String, _ element: XMLTree) {
        let verdicts = ["ack", "report_ack", "continuous_ack", "result"]
        let word =
            verdicts.lazy.compactMap { element.child($0)?.trimmedText }.first
            ?? element.trimmedText
        let time = element.child("time").map { EnergyText.digits($0.text) } ?? ""
        let sequence = element.child("sequence")?.trimmedText ?? ""
        self.init(
            isContinuous: operation.hasPrefix("continuous"), word: word.isEmpty ? nil : word,
            time: time.isEmpty ? nil : time, sequence: sequence.isEmpty ? nil : sequence)
    }

    /// Whether the platform took the report. Only words that are known to say so count: a report
    /// that is sent twice is better than one that is lost.
    package var passes: Bool { word.map(Self.isPass) ?? true }

    /// Whether a word of the platform means yes.
    static func isPass(_ word: String) -> Bool {
        ["pass", "ok", "1", "true", "success", "yes"].contains(word.lowercased())
    }
}

/// Something that the platform wants changed and that is refused unless the site allows it.
package struct EnergyDemand: Hashable, Sendable {
    /// What is to be changed.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Where the gateway reports to.
        case address = "ip_port"
        /// The secret of the log-in.
        case secret = "md5_key"
        /// The key of the bodies.
        case key = "aes_key"
        /// The gateway is to start anew; never obeyed.
        case restart = "reboot"
    }

    package var kind: Kind
    /// The name of the element that demanded it, which the answer has too.
    package var element: String
    /// What is demanded: a secret, or `host:port`; nil when it cannot be read.
    package var value: String?

    init?(_ operation: String, _ element: XMLTree) {
        guard let kind = Kind(rawValue: operation) else { return nil }
        self.kind = kind
        self.element = element.name
        switch kind {
        case .secret, .key:
            let text = element.wholeText
            value = text.isEmpty ? nil : text
        case .address: value = Self.address(element)
        case .restart: value = nil
        }
    }

    /// The first server, from `<server><ip/><dns/><port/></server>` or `<ip/><port/>`.
    private static func address(_ element: XMLTree) -> String? {
        let server = element.child("server") ?? element
        let hosts = ["ip", "dns", "host"].compactMap { server.child($0)?.trimmedText }
        guard let host = hosts.first(where: { !$0.isEmpty }), host.utf8.count <= 253,
            host.utf8.allSatisfy({ byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                    || (0x61...0x7A).contains(byte) || byte == 0x2E || byte == 0x2D
            }), let text = server.child("port")?.trimmedText, let port = UInt16(text), port > 0
        else { return nil }
        return "\(host):\(port)"
    }

    /// The operation of the answer: keys have one in common below `update`, and so has whatever
    /// stands below `control`.
    var answer: String {
        switch (element, kind) {
        case ("update", .secret), ("update", .key): "key_ack"
        case ("control", _): "control_ack"
        default: "\(kind.rawValue)_ack"
        }
    }
}

extension XMLTree {
    /// The text of the element and of everything in it, without white space at the ends.
    fileprivate var wholeText: String {
        ([trimmedText] + children.map(\.wholeText)).filter { !$0.isEmpty }.joined(separator: " ")
    }
}
