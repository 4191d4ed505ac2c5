import ArgumentParser
import Foundation
import Gateway
import Store
import Telemetry

/// `plumbline replay`: folds the raw data into rollups again and corrects what differs.
struct ReplayVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: say(
            "Folds raw data into rollups again and corrects what differs.",
            "用原始读数重新计算统计值，并更正不一致之处。"),
        discussion: say(
            """
            Works on the data of a stopped gateway. A rollup that differs gets the next revision.
            Nothing is sent and no alarm is repeated; --resend owes the corrections to the uplinks.
            Examples:
              plumbline replay --config site.yaml --dry-run
              plumbline replay --data /var/lib/plumbline --from -24h
              plumbline replay --config site.yaml --from 2026-11-01T00:00:00+08:00 \\
                  --to 2026-11-08T00:00:00+08:00 --resend
            """,
            """
            须先停止网关。不一致的统计值将获得新的修订号；不发送数据，不重复报警；
            使用 --resend 则向平台补发更正。
            示例：
              plumbline replay --config site.yaml --dry-run
              plumbline replay --data /var/lib/plumbline --from -24h
              plumbline replay --config site.yaml --from 2026-11-01T00:00:00+08:00 --resend
            """))

    @OptionGroup var source: StoreArguments

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            say("Begin; all raw data without it.", "起点；省略则从最早的原始读数开始。"),
            valueName: "time"))
    var from: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(say("End; now without it.", "终点；省略则到现在。"), valueName: "time"))
    var to: String?

    @Flag(help: ArgumentHelp(say("Compare only, change nothing.", "只比较，不修改。")))
    var dryRun = false

    @Flag(
        help: ArgumentHelp(
            say("Send what differs to the uplinks again.", "向平台补发不一致的统计值。")))
    var resend = false

    @Flag(
        help: ArgumentHelp(
            say(
                "Correct also where the raw data holds fewer readings than the rollup counted.",
                "原始读数少于统计所计时也更正。")))
    var trustRaw = false

    @Option(help: ArgumentHelp("table, csv, json"))
    var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let place = try source.place()
            var options = Replay.Options()
            let now = SystemClock(believesWall: true).read().wall
            options.from = try from.map {
                try InstantArgument.parse($0, now: now, calendar: place.calendar)
            }
            options.to = try to.map {
                try InstantArgument.parse($0, now: now, calendar: place.calendar)
            }
            if let from = options.from, let to = options.to, from >= to {
                throw Failure.badInput(say("--from must lie before --to", "--from 必须早于 --to"))
            }
            if resend, place.site == nil {
                throw Failure.badInput(
                    say(
                        "--resend needs --config: the uplinks stand there",
                        "--resend 需要 --config：其中列有上报平台"))
            }
            options.isDry = dryRun
            options.resends = resend
            options.believesFewer = trustRaw
            let lines = try await replay(place, options)
            show(table(lines, place.calendar), format)
            if format == .table { summary(lines) }
        }
    }

    private func replay(
        _ place: StoreArguments.Place, _ options: Replay.Options
    ) async throws -> [Replay.Line] {
        guard FileManager.default.fileExists(atPath: place.directory + "/plumbline.sqlite") else {
            throw Failure.inputOutput(
                say(
                    "there is no store in '\(place.directory)'",
                    "'\(place.directory)' 中没有数据文件"))
        }
        do {
            let store = try Store.open(
                StoreOptions(directory: place.directory), calendar: place.calendar)
            defer { try? store.close() }
            let progress = ProgressLine(say("replaying", "重新计算"))
            defer { progress.end() }
            let groups = try await store.reader.registry().groups
            return try await Replay(
                store: store, calendar: place.calendar,
                selections: place.site?.uplinkPlans(of: groups).map(\.selection) ?? [],
                options: options
            ).run { progress.show($0) }
        } catch let error as StoreError where error.code == .busy {
            throw storeFailure(error)
        } catch let error as StoreError {
            throw Failure.inputOutput(
                say(
                    "the store in '\(place.directory)' cannot be replayed: \(error)",
                    "无法重新计算 '\(place.directory)' 中的数据：\(error)"))
        } catch {
            throw Failure.inputOutput(
                say(
                    "the evaluation's checkpoint cannot be read (\(error)); start and stop the"
                        + " gateway once, then try again",
                    "无法读取计算检查点（\(error)）；请启动并停止一次网关后重试"))
        }
    }

    private func table(_ lines: [Replay.Line], _ calendar: SiteCalendar) -> TextTable {
        var table = TextTable([
            .init(say("group", "分组")), .init(say("resolution", "粒度")),
            .init(say("from", "起")), .init(say("to", "止")),
            .init(say("compared", "比较"), isNumber: true),
            .init(dryRun ? say("differing", "不一致") : say("corrected", "已更正"), isNumber: true),
            .init(say("kept", "保留"), isNumber: true),
        ])
        for line in lines {
            table.add([
                line.group.scope, line.resolution.rawValue,
                calendar.rfc3339(line.range.lowerBound), calendar.rfc3339(line.range.upperBound),
                "\(line.compared)", "\(line.changed)", "\(line.kept)",
            ])
        }
        return table
    }

    private func summary(_ lines: [Replay.Line]) {
        let compared = lines.reduce(0) { $0 + $1.compared }
        let changed = lines.reduce(0) { $0 + $1.changed }
        let kept = lines.reduce(0) { $0 + $1.kept }
        print("")
        if lines.isEmpty {
            print(
                say(
                    "nothing to fold: no raw data below the evaluation's checkpoint",
                    "没有可重新计算的原始读数"))
            return
        }
        print(
            dryRun
                ? say(
                    "\(compared) buckets compared, \(changed) differ; nothing was changed",
                    "比较 \(compared) 个时段，\(changed) 个不一致；未作修改")
                : say(
                    "\(compared) buckets compared, \(changed) corrected",
                    "比较 \(compared) 个时段，更正 \(changed) 个"))
        if kept > 0 {
            print(
                say(
                    "\(kept) were kept although they differ: their raw data holds fewer readings"
                        + " (--trust-raw corrects them too)",
                    "\(kept) 个虽不一致但予以保留：原始读数较少（--trust-raw 可强制更正）"))
        }
    }
}
