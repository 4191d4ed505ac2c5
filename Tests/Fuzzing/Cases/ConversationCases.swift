import Frames
import Telemetry
import UplinkFormats

/// HJ 212 as two stations speak it with a platform.
enum HJ212ConversationCase {
    private static let stations = [
        HJ212Station(scope: "dust", mn: "31010000000001"),
        HJ212Station(scope: "noise", mn: "31010000000002", st: "23"),
    ]

    private static let options = {
        var options = HJ212Options(password: "123456")
        options.heartbeat = .seconds(300)
        options.asksForTime = true
        options.obeysPassword = true
        return options
    }()

    private static func series(_ id: String) -> Series {
        Shipped.sure {
            guard let id = SeriesID(id) else { throw Broken(description: "no such series: \(id)") }
            return Series(id: id, kind: .gauge, unit: "ug/m3")
        }
    }

    private static let kinds = ["2011/1min", "2051/10min", "2061/1h", "2031/1d"]
    private static let pm10 = series("dust.pm10")

    private static func item(_ number: Int, _ kind: String?, _ scope: String?) -> UplinkItem {
        let kind = kind ?? kinds[abs(number) % kinds.count]
        let start = morning + .seconds(600 * min(max(number, -1000), 1000))
        var rollup = Rollup(count: 0, expected: 60)
        for (index, value) in [141.5, 150, 0.25].enumerated() {
            rollup.add(.number(value), at: start + .seconds(index))
        }
        return UplinkItem(
            site: SiteID("s"), kind: kind, scope: scope ?? "dust", device: nil, start: start,
            end: start + .seconds(600), revision: 0,
            entries: [
                .init(
                    series: pm10, rollup: rollup,
                    point: UplinkPoint(
                        name: "a34002", decimals: 3, statistics: [.mean, .minimum, .maximum]),
                    samples: [Sample(time: start, reading: .number(141.5))])
            ])
    }

    @Sendable static func run(_ bytes: [UInt8]) throws {
        var input = FuzzBytes(bytes)
        var script = ConversationScript(
            HJ212Conversation(options, stations: stations, calendar: shanghai), item: item,
            framed: { HJ212StreamCase.framed($0) ?? [] }, checkSent: checkSent)
        try script.play(input.lines())
        var next = HJ212Conversation(
            options, stations: stations, calendar: shanghai, settings: script.settings)
        _ = next.open(
            at: ConversationTime(elapsed: .seconds(5), wall: morning, isTrusted: true))
    }

    private static func checkSent(_ bytes: [UInt8]) throws {
        var stream = HJ212Stream()
        let events = stream.append(bytes)
        guard case .packet(let received)? = events.first, events.count == 1, stream.waiting == 0
        else { throw Broken(description: "no packet goes out: \(text(bytes))") }
        // The refusal of a request to somebody else repeats whose it was.
        try promise(
            received.packet.cn == "9011" || stations.contains { $0.mn == received.packet.mn },
            "another MN: \(text(bytes))")
    }
}

/// The building energy upload of two meters.
enum EnergyConversationCase {
    private static let building = "330302D110"

    private static let options = {
        let cipher = Shipped.sure {
            guard let key = EnergyKey((1...16).map { UInt8($0) }) else {
                throw Broken(description: "no key")
            }
            return EnergyCipher(key: key, initialVector: key)
        }
        var meters: [SeriesID: EnergyMeterPoint] = [:]
        if let id = SeriesID("main.active_energy.import.total") {
            meters[id] = EnergyMeterPoint(meter: "01", coding: building + "01000")
        }
        var options = BuildingEnergyOptions(
            building: building, gateway: "01", secret: "IJKLMNOPQRSTUVWX", cipher: cipher,
            meters: meters, kind: "report/15min", scope: "energy")
        options.obeys = [.address, .secret]
        options.dialect.plainMessages = .login
        return options
    }()

    private static let series = Shipped.sure {
        guard let id = SeriesID("main.active_energy.import.total") else {
            throw Broken(description: "no such series")
        }
        return Series(id: id, kind: .counter, unit: "kWh")
    }

    private static func item(_ number: Int, _: String?, _: String?) -> UplinkItem {
        let start = morning + .seconds(900 * min(max(number, -1000), 1000))
        let value = 71_204.8 + Double(number)
        return UplinkItem(
            site: SiteID("s"), kind: "report/15min", scope: "energy", device: nil, start: start,
            end: start + .seconds(900), revision: number < 0 ? 1 : 0, isBacklog: number > 9,
            entries: [
                .init(
                    series: series,
                    rollup: Rollup(
                        count: 15, expected: 15, minimum: value, maximum: value,
                        first: .init(time: start, value: value),
                        last: .init(time: start + .seconds(840), value: value),
                        increase: ScaledInteger(mantissa: 75, exponent: 2)),
                    point: UplinkPoint(decimals: 2))
            ])
    }

    /// A message in clear text where it begins with `!`, encrypted otherwise.
    private static func framed(_ message: [UInt8]) -> [UInt8] {
        let body =
            message.first == UInt8(ascii: "!")
            ? Array(message.dropFirst()) : options.cipher.encrypt(message)
        return EnergyFrame(body: body).bytes(.guideline)
    }

    @Sendable static func run(_ bytes: [UInt8]) throws {
        var input = FuzzBytes(bytes)
        var script = ConversationScript(
            BuildingEnergyConversation(options, calendar: shanghai), item: item, framed: framed,
            checkSent: checkSent)
        try script.play(input.lines())
        var next = BuildingEnergyConversation(
            options, calendar: shanghai, settings: script.settings)
        _ = next.open(
            at: ConversationTime(elapsed: .seconds(5), wall: morning, isTrusted: true))
    }

    private static func checkSent(_ bytes: [UInt8]) throws {
        var stream = EnergyStream(.guideline)
        let events = stream.append(bytes)
        guard case .frame(let frame)? = events.first, events.count == 1, stream.waiting == 0 else {
            throw Broken(description: "no frame goes out")
        }
        let plain =
            frame.body.first == UInt8(ascii: "<")
            ? frame.body : options.cipher.decrypt(frame.body) ?? []
        guard (try? EnergyDocument.read(plain)) != nil else {
            throw Broken(description: "no document goes out: \(text(plain))")
        }
    }
}
