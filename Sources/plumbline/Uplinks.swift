import ArgumentParser
import EnergyAccounting
import Foundation
import Gateway
import Store
import Telemetry
import WebAPI

/// `plumbline uplinks`: what each platform was owed, took and refused, and sending it again.
struct Uplinks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say(
            "Shows what each platform was owed and took, where gaps are, and sends again.",
            "查看各平台应传、已接收、缺口，并可补传。"),
        discussion: say(
            """
            Examples:
              plumbline uplinks --config site.yaml                                how each stands
              plumbline uplinks show city-dust --config site.yaml --period 2026-11
              plumbline uplinks gaps city-dust --config site.yaml --from -7d
              plumbline uplinks show city-dust --config site.yaml --format html --out november.html
              plumbline uplinks resend city-dust --from 2026-11-20T00:00 --to 2026-11-21T00:00
            """,
            """
            示例：
              plumbline uplinks --config site.yaml                                各平台现状
              plumbline uplinks show city-dust --config site.yaml --period 2026-11
              plumbline uplinks gaps city-dust --config site.yaml --from -7d
              plumbline uplinks show city-dust --config site.yaml --format html --out november.html
              plumbline uplinks resend city-dust --from 2026-11-20T00:00 --to 2026-11-21T00:00
            """),
        subcommands: [
            UplinksList.self, UplinksShow.self, UplinksGaps.self, UplinksResend.self,
        ], defaultSubcommand: UplinksList.self)
}

extension StoreArguments {
    /// The site's platforms.
    fileprivate func uplinkSite() throws -> SiteConfiguration {
        if let site = try configuration() { return site }
        throw Failure.badInput(
            say(
                "the platforms stand in the configuration; give it with --config",
                "平台在配置文件中定义，请用 --config 指定"))
    }

    /// One of them by its name.
    fileprivate func uplink(_ name: String) throws -> (SiteConfiguration, UplinkDescription) {
        let site = try uplinkSite()
        let all = site.uplinkDescriptions
        if let found = all.first(where: { $0.id == name }) { return (site, found) }
        let names = all.map(\.id).joined(separator: ", ")
        throw Failure.badInput(
            say(
                "'\(name)' is no uplink of this site; there are: \(names)",
                "本站没有上报平台 '\(name)'；现有：\(names)"))
    }
}

/// `plumbline uplinks [list]`.
struct UplinksList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: say("How each platform stands.", "各平台现状。"),
        discussion: say(
            "Example: plumbline uplinks --config site.yaml --format csv",
            "示例：plumbline uplinks --config site.yaml --format csv"))

    @OptionGroup var source: StoreArguments

    @Option(help: ArgumentHelp("table, csv, json"))
    var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let site = try source.uplinkSite()
            let (reader, calendar, close) = try source.open()
            defer { close() }
            let now = SystemClock(believesWall: true).read().wall
            let today = CivilDate(now, calendar: calendar)
            var table = TextTable([
                .init(say("uplink", "平台")), .init(say("format", "格式")),
                .init(say("owed", "待传"), isNumber: true), .init(say("oldest", "最早待传")),
                .init(say("catches up in", "预计补完"), isNumber: true),
                .init(say("last accepted", "最近接收")),
                .init(say("today %", "今日完整率 %"), isNumber: true),
                .init(say("30 days %", "30 日完整率 %"), isNumber: true),
                .init(say("last answer", "最近结果")),
            ])
            for uplink in site.uplinkDescriptions {
                let standing = try await reader.standing(of: uplink.id, now: now)
                let days = try await reader.deliveryDays(
                    uplink: uplink.id, from: today.advanced(days: -29), through: today)
                func share(_ days: [DeliveryDay]) -> String {
                    DeliveryTotal(days).completeness.map { ($0 * Exact(100)).text(places: 2) }
                        ?? "–"
                }
                table.add([
                    uplink.id, uplink.format, "\(standing.open)",
                    standing.oldestOpen.map { calendar.rfc3339($0) } ?? "–",
                    Self.span(standing.catchUp),
                    standing.lastAccepted.map { calendar.rfc3339($0) } ?? say("never", "从未"),
                    share(days.filter { $0.day == today }), share(days),
                    standing.lastReason ?? "–",
                ])
            }
            if table.rows.isEmpty, format == .table {
                print(say("the site reports to nobody", "本站未配置上报平台"))
            } else {
                show(table, format)
            }
        }
    }

    private static func span(_ span: Duration?) -> String {
        guard let span else { return "?" }
        let minutes = (span.milliseconds + 59_999) / 60_000
        if minutes == 0 { return "–" }
        if minutes < 120 { return "\(minutes) min" }
        return minutes < 2880 ? "\(minutes / 60) h" : "\(minutes / 1440) d"
    }
}

/// `plumbline uplinks show`: the statement for the platform's operator or an inspector.
struct UplinksShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: say(
            "What one platform was owed and took over a period, and why not.",
            "某平台在一段期间内的应传、已接收及未送达原因。"),
        discussion: say(
            "Example: plumbline uplinks show city-dust --config site.yaml --period 2026-11",
            "示例：plumbline uplinks show city-dust --config site.yaml --period 2026-11"))

    @OptionGroup var source: StoreArguments
    @OptionGroup var document: DocumentArguments
    @Argument(help: ArgumentHelp(say("The uplink's name.", "平台名。"))) var name: String

    func run() async throws {
        try await reportingFailures {
            let (site, uplink) = try source.uplink(name)
            let (reader, calendar, close) = try source.open()
            defer { close() }
            let now = SystemClock(believesWall: true).read().wall
            let standing = try await reader.standing(
                of: uplink.id, address: uplink.address, format: uplink.format, now: now)
            let statement = try await reader.deliveryStatement(
                of: standing, in: try document.wanted(now, calendar), now: now)
            try document.write(statement.document(site: site.site.name))
        }
    }
}

/// `plumbline uplinks gaps`: one sign for each hour.
struct UplinksGaps: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gaps",
        abstract: say("A map of the hours that a platform lacks.", "逐小时缺口图。"),
        discussion: say(
            "Example: plumbline uplinks gaps city-dust --config site.yaml --from -14d",
            "示例：plumbline uplinks gaps city-dust --config site.yaml --from -14d"))

    @OptionGroup var source: StoreArguments
    @Argument(help: ArgumentHelp(say("The uplink's name.", "平台名。"))) var name: String
    @Option(help: ArgumentHelp(say("From when: -7d, 2026-11-01.", "起始：-7d、2026-11-01。")))
    var from: String = "-7d"
    @Option(
        help: ArgumentHelp(say("Only this kind, for example 2051/10min.", "仅此类型，如 2051/10min。")))
    var kind: String?

    func run() async throws {
        try await reportingFailures {
            let (_, uplink) = try source.uplink(name)
            let (reader, calendar, close) = try source.open()
            defer { close() }
            let now = SystemClock(believesWall: true).read().wall
            let start = try InstantArgument.parse(from, now: now, calendar: calendar)
            let hours = try await reader.deliveryHours(uplink: uplink.id, from: start, to: now)
                .filter { kind == nil || $0.kind == kind }
            var signs: [String: Character] = [:]
            for (start, group) in Dictionary(grouping: hours, by: \.start) {
                let civil = calendar.civil(start)
                let day = CivilDate(start, calendar: calendar)
                signs["\(day) \(civil.hour)"] = Self.sign(group)
            }
            var day = CivilDate(start, calendar: calendar)
            let today = CivilDate(now, calendar: calendar)
            print("            0     6     12    18")
            while day <= today {
                let line = (0..<24).map { signs["\(day) \($0)"] ?? "·" }
                print("\(day)  \(String(line))")
                day = day.advanced(days: 1)
            }
            print(
                say(
                    "█ accepted  ▒ still owed  ✗ refused  ░ given up  · nothing owed",
                    "█ 已接收  ▒ 待传  ✗ 被拒收  ░ 已放弃  · 无应传"))
        }
    }

    /// The worst that became of an hour.
    private static func sign(_ hours: [DeliveryHour]) -> Character {
        if hours.contains(where: { $0.rejected > 0 }) { return "✗" }
        if hours.contains(where: { $0.open > 0 }) { return "▒" }
        if hours.contains(where: { $0.expired > 0 }) { return "░" }
        return "█"
    }
}

/// `plumbline uplinks resend`: 补传.
struct UplinksResend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resend",
        abstract: say(
            "Has the running gateway send a range again.", "让运行中的网关补传一段时间的数据。"),
        discussion: say(
            """
            The platform gets the same items under the same keys, as they are now. Needs a token of an
            operator (`plumbline token`).
            Example: plumbline uplinks resend city-dust --from 2026-11-20T00:00 --to 2026-11-21T00:00
            """,
            """
            平台将按相同的键再次收到这些数据（以当前值为准）。需要操作员令牌（`plumbline token`）。
            示例：plumbline uplinks resend city-dust --from 2026-11-20T00:00 --to 2026-11-21T00:00
            """))

    @OptionGroup var gateway: GatewayArguments
    @Argument(help: ArgumentHelp(say("The uplink's name.", "平台名。"))) var name: String
    @Option(
        help: ArgumentHelp(say("From when: -2d, 2026-11-20T00:00.", "起始：-2d、2026-11-20T00:00。")))
    var from: String
    @Option(help: ArgumentHelp(say("To when (default: now).", "截止（默认：现在）。")))
    var to: String?
    @Option(help: ArgumentHelp(say("Only this kind; may stand several times.", "仅此类型，可多次给出。")))
    var kind: [String] = []
    @Option(help: ArgumentHelp(say("The site's time zone.", "时区。")))
    var zone: String = "Asia/Shanghai"

    func run() async throws {
        try await reportingFailures {
            guard let calendar = SiteCalendar(systemZone: zone) else {
                throw Failure.badInput(
                    say("the time zone '\(zone)' is not known here", "本机没有时区 '\(zone)'"))
            }
            let now = SystemClock(believesWall: true).read().wall
            let start = try InstantArgument.parse(from, now: now, calendar: calendar)
            let end = try to.map { try InstantArgument.parse($0, now: now, calendar: calendar) }
            var fields: [String: Any] = [
                "from": start.rfc3339(), "to": (end ?? now).rfc3339(),
            ]
            if !kind.isEmpty { fields["kinds"] = kind }
            let path = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? name
            let answer = try await gateway.post("/api/v1/uplinks/\(path)/resend", fields)
            let count = answer["items"] as? Int ?? 0
            print(
                say("\(count) items are owed again", "已重新列入待传：\(count) 条"))
        }
    }
}
