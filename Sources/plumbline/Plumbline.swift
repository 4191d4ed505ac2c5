import ArgumentParser
@preconcurrency import Glibc

/// The gateway of a construction site or building.
@main
struct Plumbline: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plumbline",
        abstract: say(
            "Reads a site's meters, cranes and dust monitors, keeps every reading, reports it.",
            "读取工地和楼宇的电表、塔机、扬尘监测仪，保存每一条读数并上报。"),
        discussion: say(
            """
            Start with `plumbline demo`: a simulated site with real Modbus servers, a real broker
            and the page on http://127.0.0.1:8420/. Exit codes: 0 done, 64 usage, 65 bad input,
            69 unreachable, 70 bug, 74 input/output.
            """,
            """
            可先运行 `plumbline demo`：模拟工地，含真实的 Modbus 服务器和 MQTT 代理，
            页面在 http://127.0.0.1:8420/ 。退出码：0 完成，64 用法，65 输入有误，
            69 无法连接，70 程序错误，74 读写错误。
            """),
        version: "0.1.0",
        subcommands: [
            Run.self, Demo.self, Check.self, Probe.self, Simulate.self, Query.self, Devices.self,
            Tail.self,
            Verify.self, Backup.self, Salvage.self, Compact.self, Import.self,
            ReplayVerb.self, AlarmsVerb.self, Lifts.self, Energy.self, Compliance.self,
            Uplinks.self, Token.self,
        ])

    static func main() async {
        // Lines appear when they are written, also where standard output is a pipe.
        setvbuf(stdout, nil, _IOLBF, 0)
        await main(nil)
    }
}
