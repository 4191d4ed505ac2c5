import Telemetry
import XMLText

// What the platform asks of the gateway once the log-in is through.
//
//     data query       ▶ the newest item is looked up (`HistoryRequest.newest` 1) ▶ data reply
//     config period    ▶ setting `period`, 1 to 1440 minutes ▶ period_ack pass
//     archives         ▶ archives_ack with the table of meters
//     device           ▶ device with what is configured
//     query_config     ▶ reply_config with the period and the software
//     ip_port, md5_key, aes_key   ▶ refused; obeyed only where the site lists them: a setting, an
//                                   acknowledgement, and the connection ends so that it takes effect
//     reboot           ▶ refused, always
//
// `<device_ack>pass` was read off a capture; the other acknowledgements are formed after it.
extension BuildingEnergyConversation {
    mutating func obey(
        _ message: EnergyMessage, at time: ConversationTime
    ) -> [ConversationStep] {
        switch message {
        case .query: askForNewest(at: time)
        case .period(let text): setPeriod(text)
        case .archives: listMeters()
        case .device: describeDevice()
        case .configurationQuery: tellConfiguration()
        case .demand(let demand): weigh(demand)
        case .unknown(let words): [thought("not known here: \(words)")]
        default: []
        }
    }

    // MARK: The platform's clock

    /// Takes the platform's time in.
    mutating func tell(_ text: String, at time: ConversationTime) -> [ConversationStep] {
        guard let theirs = EnergyReport.time(text, calendar) else {
            return [thought("the platform's time '\(EnergyText.short(text))' cannot be read")]
        }
        let roundTrip = clockAsked.map { time.elapsed - $0 } ?? .zero
        clockAsked = nil
        guard time.isTrusted else { return [thought("the gateway has no time to compare it with")] }
        // The platform's time is of the middle of the round trip, as far as anybody can know.
        let offset =
            theirs.milliseconds &- time.wall.milliseconds &+ roundTrip.milliseconds / 2
        // It tells whole seconds, so that a smaller change is none.
        if let clockOffset, abs(Double(offset) - Double(clockOffset)) < 2000 { return [] }
        clockOffset = offset
        return [
            .set(PlatformSetting(name: "clock_offset_ms", value: "\(offset)")),
            thought("the platform's clock differs by \(offset) ms; the gateway's is not set"),
        ]
    }

    // MARK: The newest values

    private mutating func askForNewest(at time: ConversationTime) -> [ConversationStep] {
        guard query == nil else { return [thought("passed over: the same is being looked up")] }
        queryCount &+= 1
        let request = HistoryRequest(
            number: queryCount, kind: options.kind, scope: options.scope,
            from: Timestamp(milliseconds: 0),
            through: time.isTrusted ? time.wall : Timestamp(milliseconds: .max), newest: 1)
        query = (request, nil)
        return [.look(request)]
    }

    /// Answers the platform's query with the last item that was found.
    package mutating func found(
        _ items: [UplinkItem], for request: HistoryRequest, isLast: Bool, at time: ConversationTime
    ) -> [ConversationStep] {
        guard phase == .through, query?.request == request else { return [] }
        if let item = items.last { query?.newest = item }
        guard isLast else { return [] }
        defer { query = nil }
        guard let item = query?.newest, let report = EnergyReport(item, options, calendar) else {
            return [thought("nothing is known that the query could be answered with")]
        }
        return send(report.element("reply", sequence: "\(request.number)"), "reply")
    }

    // MARK: Settings and descriptions

    private mutating func setPeriod(_ text: String) -> [ConversationStep] {
        guard let minutes = Int(text), (1...1440).contains(minutes) else {
            return answer("config", "period_ack", passes: false)
                + [thought("refused: '\(EnergyText.short(text))' is no period of 1 to 1440 min")]
        }
        period = minutes
        return answer("config", "period_ack", passes: true)
            + [.set(PlatformSetting(name: "period", value: "\(minutes)"))]
    }

    /// `<element operation="…_ack"><…_ack>pass</…_ack></element>`.
    private mutating func answer(
        _ element: String, _ operation: String, passes: Bool
    ) -> [ConversationStep] {
        send(
            XMLTree(
                element, [.init("operation", operation)],
                children: [XMLTree(operation, text: passes ? "pass" : "fail")]), operation)
    }

    private mutating func listMeters() -> [ConversationStep] {
        let rows = options.meters.sorted {
            ($0.value.meter, $0.value.function, $0.key)
                < ($1.value.meter, $1.value.function, $1.key)
        }
        let meters = rows.map { series, point in
            XMLTree(
                "meter",
                [
                    .init("meterId", point.meter), .init("fnId", point.function),
                    .init("code", point.coding), .init("memo", series.description),
                ])
        }
        let name = options.device.first { $0.name == "build_name" }?.value ?? ""
        return send(
            XMLTree(
                "instruction", [.init("operation", "archives_ack")],
                children: [
                    XMLTree("build_info", children: [XMLTree("build_name", text: name)]),
                    XMLTree("net_info", children: [XMLTree("period", text: "\(period)")]),
                    XMLTree("meter_info", children: meters),
                ]), "archives_ack")
    }

    /// Sends what is configured of the gateway, and its period.
    mutating func describeDevice() -> [ConversationStep] {
        send(
            XMLTree(
                "device", [.init("operation", "device")],
                children: options.device.map { XMLTree($0.name, text: $0.value) }
                    + [XMLTree("period", text: "\(period)")]), "device")
    }

    private mutating func tellConfiguration() -> [ConversationStep] {
        let software = options.device.first { $0.name == "software" }?.value ?? ""
        return send(
            XMLTree(
                "query", [.init("operation", "reply_config")],
                children: [
                    XMLTree("period", text: "\(period)"), XMLTree("soft_ver", text: software),
                ]), "reply_config")
    }

    // MARK: Demands

    private mutating func weigh(_ demand: EnergyDemand) -> [ConversationStep] {
        let kind = demand.kind
        let isAllowed = kind != .restart && options.obeys.contains(kind)
        guard isAllowed, let value = demand.value, kind != .key || EnergyKey(value) != nil else {
            let why = isAllowed ? "what it demands cannot be read" : "the site does not obey it"
            return answer(demand.element, demand.answer, passes: false)
                + [thought("refused: \(kind.rawValue), \(why)")]
        }
        return answer(demand.element, demand.answer, passes: true)
            + [
                .set(PlatformSetting(name: kind.rawValue, value: value)),
                thought("obeyed: \(kind.rawValue), from the next connection on"),
            ] + close("the platform has set \(kind.rawValue)")
    }
}
