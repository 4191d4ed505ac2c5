import Foundation
import Telemetry
import UplinkFormats
import XMLText

/// A conversation with the platform's side played by a test, and a record of it in words.
struct EnergyDesk {
    static let cipher = EnergyCipher(
        key: EnergyKey((1...16).map { UInt8($0) })!,
        initialVector: EnergyKey((1...16).map { UInt8($0) })!)
    static let building = "330302D110"

    static func options(
        _ change: (inout BuildingEnergyOptions) -> Void = { _ in }
    ) -> BuildingEnergyOptions {
        var options = BuildingEnergyOptions(
            building: building, gateway: "01", secret: "IJKLMNOPQRSTUVWX", cipher: cipher,
            meters: [
                SeriesID("main.active_energy.import.total")!: EnergyMeterPoint(
                    meter: "01", coding: building + "01000"),
                SeriesID("plant.active_energy.import.total")!: EnergyMeterPoint(
                    meter: "02", coding: building + "01B10"),
                SeriesID("main.reactive_energy.import.total")!: EnergyMeterPoint(
                    meter: "01", function: "02", coding: building + "01000"),
            ], kind: "report/15min", scope: "energy")
        options.device = [
            .init("build_name", "一号楼"), .init("factory", "Plumbline"), .init("software", "7"),
        ]
        change(&options)
        return options
    }

    /// The reports of a quarter, `number` quarters after 08:00.
    static func item(
        _ number: Int, isBacklog: Bool = false, revision: Int = 0, main: Double? = 71_204.8,
        plant: Double? = nil
    ) -> UplinkItem {
        let start = morning + .seconds(900 * number)
        func entry(_ id: String, _ value: Double?, increase: Int64) -> UplinkItem.Entry {
            UplinkItem.Entry(
                series: series(id, .counter, "kWh"),
                rollup: value.map {
                    Rollup(
                        count: 15, expected: 15, minimum: $0, maximum: $0,
                        first: .init(time: start, value: $0),
                        last: .init(time: start + .seconds(840), value: $0),
                        increase: ScaledInteger(mantissa: Int128(increase), exponent: 2))
                } ?? Rollup(bad: 15, expected: 15), point: UplinkPoint(decimals: 2))
        }
        return UplinkItem(
            site: SiteID("hz-qt-0172"), kind: "report/15min", scope: "energy", device: nil,
            start: start, end: start + .seconds(900), revision: revision, isBacklog: isBacklog,
            entries: [
                entry(
                    "main.active_energy.import.total", main.map { $0 + Double(number) },
                    increase: 75),
                entry("plant.active_energy.import.total", plant, increase: 25),
                entry("elsewhere.active_energy.import.total", 1, increase: 1),
            ])
    }

    var conversation: BuildingEnergyConversation
    private let dialect: EnergyDialect
    private(set) var record = ""
    private(set) var steps: [ConversationStep] = []
    private var now = Duration.zero

    init(_ options: BuildingEnergyOptions = options(), settings: [PlatformSetting] = []) {
        conversation = BuildingEnergyConversation(options, calendar: shanghai, settings: settings)
        dialect = options.dialect
    }

    var time: ConversationTime { ConversationTime(elapsed: now, wall: morning + now) }

    /// What was settled, in order.
    var settled: [(ticket: Int, outcome: Outcome)] {
        steps.compactMap {
            if case .settle(let ticket, let outcome) = $0 { (ticket, outcome) } else { nil }
        }
    }

    /// Why the gateway ended the connection.
    var closeReason: String? {
        steps.lazy.compactMap { if case .close(let reason) = $0 { reason } else { nil } }.first
    }

    var settings: [PlatformSetting] {
        steps.compactMap { if case .set(let setting) = $0 { setting } else { nil } }
    }

    var thoughts: [String] {
        steps.compactMap {
            if case .note(let note) = $0, note.direction == .thought { note.text } else { nil }
        }
    }

    /// The elements that the gateway has sent.
    var sent: [XMLTree] { get throws { try documents.map(\.element) } }

    var documents: [EnergyDocument] {
        get throws { try frames.map { try EnergyDocument.read(plain($0.body)) } }
    }

    var frames: [EnergyFrame] {
        var stream = EnergyStream(dialect.marks)
        return steps.flatMap { step -> [EnergyStream.Event] in
            if case .send(let bytes) = step { stream.append(bytes) } else { [] }
        }.compactMap { if case .frame(let frame) = $0 { frame } else { nil } }
    }

    private func plain(_ body: [UInt8]) -> [UInt8] {
        body.first == 0x3C ? body : Self.cipher.decrypt(body) ?? []
    }

    mutating func pass(_ duration: Duration) {
        now += duration
        record += "\(now.milliseconds / 1000) s\n"
    }

    /// Passes time to the deadline and wakes.
    mutating func wake() {
        if let deadline = conversation.deadline { pass(max(.zero, deadline - now)) }
        take(conversation.wake(at: time))
    }

    mutating func open() { take(conversation.open(at: time), "open") }

    mutating func submit(_ item: UplinkItem, _ ticket: Int) {
        take(conversation.submit(item, ticket: ticket, at: time), "submit \(ticket)")
    }

    mutating func closed() {
        take(conversation.closed(reason: "the connection broke", at: time), "closed")
    }

    mutating func found(_ items: [UplinkItem], _ request: HistoryRequest, isLast: Bool = true) {
        take(
            conversation.found(items, for: request, isLast: isLast, at: time),
            "found \(items.count)")
    }

    /// What the platform says, as a frame.
    func frame(
        _ element: String, type: String = "", sequence: [UInt8] = [0, 1, 0, 0],
        isPlain: Bool = false
    ) -> [UInt8] {
        let xml =
            "<root>\n  <common>\n    <building_id>\(Self.building)</building_id>\n"
            + "    <gateway_id>01</gateway_id>\n    <type>\(type)</type>\n  </common>\n"
            + "  \(element)\n</root>"
        let bytes = Array(xml.utf8)
        return EnergyFrame(
            sequence: sequence, body: isPlain ? bytes : Self.cipher.encrypt(bytes)
        ).bytes(dialect.marks)
    }

    /// The platform says something.
    mutating func say(_ element: String, type: String = "") {
        hear(frame(element, type: type))
    }

    mutating func hear(_ bytes: [UInt8]) {
        take(conversation.receive(bytes, at: time), "receive \(bytes.count) bytes")
    }

    /// Opens the connection and gets through the log-in, of which the record says no more than that.
    mutating func logIn() {
        open()
        say("<id_validate operation=\"sequence\"><sequence>25247777</sequence></id_validate>")
        say("<id_validate operation=\"result\"><result>pass</result></id_validate>")
        record = "logged in\n"
    }

    private mutating func take(_ new: [ConversationStep], _ cause: String = "wake") {
        steps += new
        record += "\(cause)\n" + new.map { "    \(describe($0))\n" }.joined()
    }

    private func describe(_ step: ConversationStep) -> String {
        switch step {
        case .send(let bytes):
            var stream = EnergyStream(dialect.marks)
            guard case .frame(let frame)? = stream.append(bytes).first else { return "no frame" }
            let text = String(decoding: plain(frame.body).filter { $0 != 0 }, as: UTF8.self)
            let lines = text.split(separator: "\n").map { "        \($0)" }
            let digits = frame.sequence.map { String(format: "%02X", $0) }.joined(separator: " ")
            return "send \(bytes.count) bytes, sequence \(digits)\n" + lines.joined(separator: "\n")
        case .settle(let ticket, let outcome): return "settle \(ticket): \(outcome)"
        case .look(let request):
            let newest = request.newest.map { ", the newest \($0)" } ?? ""
            return "look up \(request.number): \(request.kind) of \(request.scope) from "
                + "\(shanghai.rfc3339(request.from)) through \(shanghai.rfc3339(request.through))"
                + newest
        case .set(let setting): return "set \(setting.name) \(setting.value)"
        case .note(let note): return "\(note.direction) \(note.text)"
        case .close(let reason): return "close: \(reason)"
        }
    }
}
