import ArgumentParser
import EnergyAccounting
import Gateway
import Store
import Telemetry

/// `plumbline energy close`: freezes the statement of a month or a year.
struct EnergyClose: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close",
        abstract: say("Closes a month or a year for good.", "结账：冻结某月或某年的报表。"),
        discussion: say(
            """
            Example: plumbline energy close 2026-03 --by 'Li Wei'
            Its statement stays as it is, with a hash in the audit chain; corrections stand beside it.
            While the gateway runs it is asked to do it, with a token (see `plumbline token`).
            """,
            """
            示例：plumbline energy close 2026-03 --by '李伟'
            结账后的报表不再改变，其哈希写入审计链；更正另行列出。
            网关运行时通过网关结账，需要令牌（见 `plumbline token`）。
            """))

    @OptionGroup var source: EnergyArguments
    @OptionGroup var gateway: GatewayArguments

    @Argument(help: ArgumentHelp(say("A month or a year.", "月份或年份。"))) var closed: String

    @Option(help: ArgumentHelp(say("Who closes it.", "结账人。"))) var by: String?

    func run() async throws {
        try await reportingFailures {
            let period = try EnergyArguments.parse(closed)
            guard let kind = EnergyStatement.closing(period) else {
                throw Failure.badInput(
                    say("a month or a year is closed, not '\(closed)'", "只能对月或年结账"))
            }
            let configuration = try SiteFiles.configuration(at: source.config)
            guard let calendar = SiteCalendar(systemZone: configuration.site.timezone) else {
                return
            }
            let now = SystemClock(believesWall: true).read().wall
            guard period.end(calendar: calendar) <= now else {
                throw Failure.badInput(
                    say("\(period.label) has not ended", "\(period.label) 尚未结束"))
            }
            let store: Store
            do {
                store = try Store.open(
                    StoreOptions(
                        directory: configuration.data.directory, durability: .power),
                    calendar: calendar)
            } catch let error as StoreError where error.code == .busy {
                // The gateway runs, and only it writes.
                return try await gateway.give(
                    "/api/v1/energy/close", ["period": period.label])
            } catch {
                throw Failure.inputOutput("\(error)")
            }
            guard let by else {
                try? store.close()
                throw Failure.badInput(say("say who closes it: --by NAME", "请注明结账人：--by 姓名"))
            }
            do {
                let accounts = try await store.reader.energyAccounts(
                    of: configuration.energy, for: kind.periods(for: period), now: now,
                    isBilled: kind.isBilled)
                let document = kind.document(
                    of: period, accounts: accounts, site: configuration.site.name)
                let statement = try await store.writer.close(document, actor: by, at: now)
                try store.close()
                print(
                    say(
                        "\(period.label) closed by \(statement.actor) at "
                            + "\(calendar.rfc3339(statement.closedAt)), sha256 \(statement.hashText)",
                        "\(period.label) 已由 \(statement.actor) 于 "
                            + "\(calendar.rfc3339(statement.closedAt)) 结账，sha256 \(statement.hashText)"
                    ))
            } catch {
                throw Failure.inputOutput("\(error)")
            }
        }
    }
}
