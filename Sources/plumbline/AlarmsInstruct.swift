import ArgumentParser
import Foundation
import FoundationNetworking
import Gateway
import Telemetry

/// Where the running gateway is, and who asks.
struct GatewayArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            say("The gateway's address.", "网关地址。"), valueName: "address"))
    var gateway: String = "http://127.0.0.1:8420"

    @Option(
        help: ArgumentHelp(
            say(
                "File with the token (default: the environment's PLUMBLINE_TOKEN).",
                "令牌文件（默认：环境变量 PLUMBLINE_TOKEN）。"), valueName: "file"))
    var tokenFile: String?

    /// The token; it is never an argument, which everybody on the machine could read.
    private func token() throws -> String {
        if let tokenFile {
            guard let text = try? String(contentsOf: URL(filePath: tokenFile), encoding: .utf8)
            else {
                throw Failure.inputOutput(
                    say("the token cannot be read from \(tokenFile)", "无法读取令牌文件 \(tokenFile)"))
            }
            return text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        if let token = ProcessInfo.processInfo.environment["PLUMBLINE_TOKEN"], !token.isEmpty {
            return token
        }
        throw Failure.badInput(
            say(
                "no token: set PLUMBLINE_TOKEN or name a file with --token-file; `plumbline token` makes one",
                "缺少令牌：请设置 PLUMBLINE_TOKEN 或使用 --token-file；`plumbline token` 可生成"))
    }

    /// Posts an instruction about alarms and prints what came of it.
    func give(_ path: String, _ fields: [String: Any]) async throws {
        let answer = try await post(path, fields)
        let changes = answer["changes"] as? Int ?? 0
        let state = (answer["alarm"] as? [String: Any])?["state"] as? String
        print(
            changes == 0
                ? say("done; nothing had to change", "完成，无状态变化")
                : say(
                    "done: \(changes) alarm(s) changed" + (state.map { ", now \($0)" } ?? ""),
                    "完成：\(changes) 条报警状态变化" + (state.map { "，现为 \($0)" } ?? "")))
    }

    /// Posts an instruction.
    ///
    /// - Returns: the gateway's answer.
    func post(_ path: String, _ fields: [String: Any]) async throws -> [String: Any] {
        guard let url = URL(string: gateway + path) else {
            throw Failure.badInput(say("'\(gateway)' is no address", "'\(gateway)' 不是地址"))
        }
        var request = URLRequest(url: url, timeoutInterval: 20)
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue("Bearer \(try token())", forHTTPHeaderField: "Authorization")
        request.httpBody = try JSONSerialization.data(withJSONObject: fields)
        let data: Data
        let response: URLResponse
        do {
            (data, response) = try await URLSession.shared.data(for: request)
        } catch {
            throw Failure.unreachable(
                say(
                    "no gateway answers at \(gateway): \(error.localizedDescription)",
                    "\(gateway) 处没有网关应答：\(error.localizedDescription)"))
        }
        let answer = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        guard (response as? HTTPURLResponse)?.statusCode == 200 else {
            let detail = answer?["detail"] as? String ?? String(decoding: data, as: UTF8.self)
            let remedy = (answer?["remedy"] as? String).map { "; \($0)" } ?? ""
            throw Failure.badInput(detail + remedy)
        }
        return answer ?? [:]
    }
}

/// `plumbline alarms ack`.
struct AlarmsAcknowledge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ack", abstract: say("Acknowledges or resets an alarm.", "确认或复位一条报警。"),
        discussion: say(
            "Example: PLUMBLINE_TOKEN=plb_… plumbline alarms ack 'pm10_15min|dust-north.pm10|1795305600000'",
            "示例：PLUMBLINE_TOKEN=plb_… plumbline alarms ack 'pm10_15min|dust-north.pm10|1795305600000'"
        ))

    @OptionGroup var gateway: GatewayArguments
    @Argument(help: ArgumentHelp(say("The alarm's id.", "报警编号。"))) var id: String
    @Option(help: ArgumentHelp(say("What is done about it.", "处理说明。"))) var note: String?

    func run() async throws {
        try await reportingFailures {
            let path = id.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? id
            try await gateway.give(
                "/api/v1/alarms/\(path)/acknowledge", note.map { ["note": $0] } ?? [:])
        }
    }
}

/// `plumbline alarms shelve`.
struct AlarmsShelve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shelve",
        abstract: say("Silences a rule for a time, with a reason.", "在一段时间内搁置某规则，须说明原因。"),
        discussion: say(
            "Example: plumbline alarms shelve pm10_15min dust-north.pm10 --for 8h --note 'paving'",
            "示例：plumbline alarms shelve pm10_15min dust-north.pm10 --for 8h --note '路面施工'"))

    @OptionGroup var gateway: GatewayArguments
    @Argument(help: ArgumentHelp(say("The rule's name.", "规则名。"))) var rule: String
    @Argument(help: ArgumentHelp(say("The series; none: all of the rule.", "点位；省略则为该规则的全部点位。")))
    var series: String?
    @Option(
        name: .customLong("for"),
        help: ArgumentHelp(say("How long: 30min, 8h, 2d.", "时长：30min、8h、2d。")))
    var span: String
    @Option(help: ArgumentHelp(say("Why.", "原因。"))) var note: String

    func run() async throws {
        try await reportingFailures {
            guard let calendar = SiteCalendar(systemZone: "UTC") else { return }
            let zero = Timestamp(milliseconds: 0)
            let end = try InstantArgument.parse("-\(span)", now: zero, calendar: calendar)
            var fields: [String: Any] = [
                "rule": rule, "note": note, "for": Double((zero - end).milliseconds) / 1000,
            ]
            if let series { fields["series"] = series }
            try await gateway.give("/api/v1/alarms/shelve", fields)
        }
    }
}

/// `plumbline alarms unshelve`.
struct AlarmsUnshelve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unshelve", abstract: say("Lets a rule speak again.", "取消搁置。"),
        discussion: say(
            "Example: plumbline alarms unshelve pm10_15min dust-north.pm10",
            "示例：plumbline alarms unshelve pm10_15min dust-north.pm10"))

    @OptionGroup var gateway: GatewayArguments
    @Argument(help: ArgumentHelp(say("The rule's name.", "规则名。"))) var rule: String
    @Argument(help: ArgumentHelp(say("The series; none: all of the rule.", "点位；省略则为全部。")))
    var series: String?

    func run() async throws {
        try await reportingFailures {
            var fields: [String: Any] = ["rule": rule]
            if let series { fields["series"] = series }
            try await gateway.give("/api/v1/alarms/unshelve", fields)
        }
    }
}
