import Alarms
import ArgumentParser
import DeviceProfiles
import Foundation
import Gateway
import LocatedText
import Telemetry

/// `plumbline check`: whether a configuration is right, and what it will do.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say(
            "Checks a configuration, its profiles and rules, without touching a device.",
            "检查配置、设备档案和报警规则，不访问设备。"),
        discussion: say(
            """
            Examples:
              plumbline check /etc/plumbline/site.yaml
              plumbline check /etc/plumbline/site.yaml --uplink city-dust   also talks to this platform
            Prints every mistake as file:line:column with a remedy and exits with 65, or tells
            what will be read, how often, and what is stored.
            """,
            """
            示例：
              plumbline check /etc/plumbline/site.yaml
              plumbline check /etc/plumbline/site.yaml --uplink city-dust   并与该平台实际通信
            列出所有错误（文件:行:列）及改法，退出码 65；无误则说明将读取的内容和频率。
            """))

    @Argument(help: ArgumentHelp(say("The site's configuration.", "站点配置文件。"), valueName: "file"))
    var file = "/etc/plumbline/site.yaml"

    @OptionGroup var folders: SharedFolders

    @Option(
        help: ArgumentHelp(
            say(
                "Terabytes that the medium bears, for example 10,60,120.",
                "介质可写入的 TB 数，如 10,60,120。"),
            valueName: "TBW,…"))
    var endurance: String = "10,60,120"

    @Option(
        help: ArgumentHelp(
            say(
                "Calls this platform, sends a marked test item where the protocol has one, and "
                    + "shows the conversation; no reading is told.",
                "连接该平台，协议允许时发送带标记的测试项，并显示对话内容；不发送任何读数。"),
            valueName: "name"))
    var uplink: String?

    @Option(
        help: ArgumentHelp(say("Only the storage estimate as: csv, json", "仅以 csv 或 json 输出存储估算")))
    var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let share = try folders.folder()
            let (site, library) = try SiteFiles.site(at: file, devices: share + "/Devices")
            try selfTests(site, library)
            if let uplink { return try await UplinkTranscript.run(uplink, site) }
            let estimate = try estimate(site)
            if format != .table { return show(estimate, format) }
            summary(site, library, estimate)
        }
    }

    private func estimate(_ site: BoundSite) throws -> TextTable {
        let cards = endurance.split(separator: ",").map {
            Double($0.trimmingCharacters(in: .whitespaces))
        }
        guard !cards.isEmpty, cards.allSatisfy({ ($0 ?? 0) > 0 }) else {
            throw Failure.badInput(
                say(
                    "--endurance '\(endurance)': write terabytes, for example 10,60,120",
                    "--endurance '\(endurance)'：请写 TB 数，如 10,60,120"))
        }
        let data = site.configuration.data
        return StorageEstimate(site.groups, commitInterval: data.commitInterval)
            .table(maximumBytes: Double(data.maximumBytes), endurance: cards.compactMap(\.self))
    }

    /// Plays the tests that stand in the used profiles and beside the rules.
    private func selfTests(_ site: BoundSite, _ library: ProfileLibrary) throws(Faults) {
        let faults = FaultCollector()
        let used = Set(site.configuration.links.flatMap { $0.devices.map(\.profile) })
        for id in used.sorted() {
            if let profile = library[id] { faults.add(Faults(profile.selfTest())) }
        }
        for rule in site.configuration.alarms { faults.add(Faults(rule.runTests())) }
        try faults.throwIfAny()
    }

    private func summary(
        _ site: BoundSite, _ library: ProfileLibrary, _ estimate: TextTable
    ) {
        let configuration = site.configuration
        var table = TextTable([
            .init(say("link", "链路")), .init(say("device", "设备")), .init(say("profile", "档案")),
            .init(say("known from", "依据")), .init(say("group", "分组")),
            .init(say("points", "点位"), isNumber: true), .init(say("every", "周期"), isNumber: true),
        ])
        var readingsPerSecond = 0.0
        for link in configuration.links {
            for device in link.devices {
                for group in site.groups where group.device == device.id {
                    table.add([
                        link.id, device.id.text, device.profile,
                        library[device.profile]?.provenance.status.rawValue ?? "–",
                        "\(group.interface)/\(group.name)", "\(group.series.count)",
                        group.period.map { "\($0.milliseconds / 1000) s" } ?? "–",
                    ])
                    if let period = group.period, period > .zero {
                        readingsPerSecond +=
                            Double(group.series.count) * 1000 / Double(period.milliseconds)
                    }
                }
            }
        }
        print(table.text)
        print("")
        showLoads(site)
        let points = site.groups.reduce(0) { $0 + $1.series.count }
        print(
            say(
                "\(configuration.site.id): \(site.groups.count) groups, \(points) series, "
                    + "\(short(readingsPerSecond, places: 1)) readings a second, "
                    + "\(configuration.alarms.count) alarm rules, "
                    + "\(configuration.energy.tree.meters.count) meters, "
                    + "\(configuration.uplinks.count) uplinks",
                "\(configuration.site.id)：\(site.groups.count) 组，\(points) 个点位，"
                    + "每秒 \(short(readingsPerSecond, places: 1)) 个读数，"
                    + "报警规则 \(configuration.alarms.count) 条，电表 "
                    + "\(configuration.energy.tree.meters.count) 块，上报 \(configuration.uplinks.count) 路"
            ))
        print("")
        print(estimate.text)
        print(StorageEstimate.source)
        print("")
        remarks(site, library)
        print(say("the configuration is good", "配置无误"))
    }

    /// How much of each bus is asked for.
    private func showLoads(_ site: BoundSite) {
        var table = TextTable([
            .init(say("bus", "总线")), .init(say("line", "线路")),
            .init(say("requests", "请求数"), isNumber: true),
            .init(say("one round", "一轮耗时"), isNumber: true),
            .init(say("asked for", "占用率"), isNumber: true), .init(say("", "")),
        ])
        for load in site.busLoads {
            let remark =
                load.share > 1
                ? say("too much: slots will be missed", "超出能力：将丢失采样")
                : load.share > 0.8 ? say("little room for retries", "重试余量不足") : ""
            table.add([
                load.link, load.line, "\(load.requests)", "\(short(load.cycle, places: 2)) s",
                "\(short(load.share * 100, places: 1)) %", remark,
            ])
        }
        guard !table.rows.isEmpty else { return }
        print(table.text)
        print("")
    }

    /// Which rules watch nothing: those that are off, and those that pass a device by.
    private func ruleRemarks(_ site: BoundSite) {
        let off = site.configuration.alarms.filter { !$0.isEnabled }
        for (file, rules) in Dictionary(grouping: off, by: \.location.file).sorted(by: {
            $0.key < $1.key
        }) {
            let names = rules.map { "\($0.name) (\($0.status.rawValue))" }
            print(
                say(
                    "note: \(file): off are \(names.joined(separator: ", ")); 'enable:' turns them on",
                    "注意：\(file)：未启用 \(names.joined(separator: "、"))；可用 'enable:' 启用"))
        }
        for remark in site.alarmRemarks { print(say("note: \(remark)", "注意：\(remark)")) }
        if site.configuration.cranes == nil, site.kinds.values.contains("crane.tower") {
            print(
                say(
                    "note: lifts are not counted; add 'cranes: { include: cranes/work.yaml }'",
                    "注意：未统计吊次；可添加 'cranes: { include: cranes/work.yaml }'"))
        }
        for spray in site.configuration.sprays where !spray.isEnabled {
            print(
                say(
                    "note: the spray '\(spray.id)' is off; 'enabled: true' turns it on",
                    "注意：喷淋联动 '\(spray.id)' 未启用；可写 'enabled: true'"))
        }
    }

    /// What is no mistake but should be known.
    private func remarks(_ site: BoundSite, _ library: ProfileLibrary) {
        ruleRemarks(site)
        for link in site.configuration.links {
            for device in link.devices {
                guard let profile = library[device.profile] else { continue }
                if profile.provenance.status == .unverified {
                    print(
                        say(
                            "note: '\(device.profile)' (\(device.id)) is not verified on a device",
                            "注意：'\(device.profile)'（\(device.id)）未经实机验证"))
                }
                for question in profile.provenance.openQuestions {
                    print(
                        say("note: \(device.id): ", "注意：\(device.id)：") + question)
                }
            }
        }
        for group in site.groups where group.period == nil {
            print(
                say(
                    "note: \(group.scope) says nowhere how often it reports; coverage is unknown",
                    "注意：\(group.scope) 未说明上报周期，完整率未知"))
        }
    }
}
