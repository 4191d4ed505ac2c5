import ArgumentParser
import DeviceProfiles
import Foundation
import Gateway
import LocatedText

/// `plumbline import`: a point list out of a spreadsheet becomes a device profile.
struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say(
            "Makes a device profile of a point list saved from Excel as CSV.",
            "把 Excel 另存为 CSV 的点表转换为设备档案。"),
        discussion: say(
            """
            Example: plumbline import points.csv --id acme/m1 --out Devices/acme/m1.yaml
            The first row names the columns, in English or Chinese: key, name, address, function,
            type, order, scale, unit, doc. Addresses are 0-based (holding/0x61, or 0x61 or 97 with a
            function) or of the 40098 style; both are shown for you to compare with the manual.
            Every faulty row is reported with file:line:column, and nothing is written.
            """,
            """
            示例：plumbline import points.csv --id acme/m1 --out Devices/acme/m1.yaml
            首行为列名，中英文均可：key、名称、地址、功能码、类型、字节序、倍率、单位、说明。
            地址可用从 0 起的写法（holding/0x61，或带功能码的 0x61、97），也可用 40098 写法；
            两种写法都会列出，请与说明书核对。有误的行按 文件:行:列 列出，不写入任何文件。
            """))

    @Argument(help: ArgumentHelp(say("The table: UTF-8, UTF-16 or GB18030.", "点表文件。")))
    var file: String

    @Option(help: ArgumentHelp(say("vendor/model, the profile's path.", "厂商/型号。")))
    var id: String

    @Option(help: ArgumentHelp(say("Where to write; else to standard output.", "输出文件。")))
    var out: String?

    @Option(help: ArgumentHelp(say("What it is: meter.electric, relay, …", "设备类别。")))
    var kind = "meter.electric"

    @Option(help: ArgumentHelp(say("The unit identifier on the bus.", "设备地址。")))
    var unit = 1

    @Option(help: ArgumentHelp(say("The type of rows that name none.", "未写类型的行的类型。")))
    var type: String?

    @Option(
        help: ArgumentHelp(
            say("The order of rows that name none: ABCD, CDAB, …", "未写字节序的行的字节序。")))
    var order: String?

    @Option(
        help: ArgumentHelp(
            say(
                "What 40098 beside a function means: wire (the register 40098) or reference.",
                "带功能码的 40098 的含义：wire（寄存器 40098）或 reference（第 98 个）。")))
    var addresses: AddressStyle?

    @Flag(help: ArgumentHelp(say("Leaves faulty rows out.", "略过有误的行。")))
    var skipFaulty = false

    @Flag(help: ArgumentHelp(say("Overwrites the output.", "覆盖已有文件。")))
    var force = false

    @OptionGroup var folders: SharedFolders

    func run() async throws {
        try await reportingFailures {
            let share = try folders.folder()
            let vocabulary = try SiteFiles.library(at: share + "/Devices", only: []).vocabulary
            var options = PointList.Options(id: id, day: today())
            options.kind = kind
            options.unit = unit
            options.order = order
            options.areReferences = addresses.map { $0 == .reference }
            if let type {
                guard let known = RegisterType(rawValue: type) else {
                    throw Failure.badInput(
                        say("--type '\(type)' is not a type", "--type '\(type)' 不是有效类型"))
                }
                options.type = known
            }
            guard (0...255).contains(unit) else {
                throw Failure.badInput(
                    say("--unit \(unit) is not 0 to 255", "--unit \(unit) 不在 0 到 255 之间"))
            }
            if let out, !force, FileManager.default.fileExists(atPath: out) {
                throw Failure.badInput(
                    say("'\(out)' exists; --force overwrites it", "'\(out)' 已存在；--force 覆盖"))
            }
            let list = try PointList.read(
                try text(), file: file, vocabulary: vocabulary, options: options,
                skipsFaultyRows: skipFaulty)
            try write(list)
        }
    }

    private func write(_ list: PointList) throws {
        guard let out else {
            complain(table(list).text)
            for note in list.notes { complain(say("note: ", "注意：") + note.description) }
            print(list.profile, terminator: "")
            return
        }
        do {
            let url = URL(filePath: out)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(list.profile.utf8).write(to: url, options: .atomic)
        } catch {
            throw Failure.inputOutput(
                say(
                    "'\(out)' cannot be written: \(error.localizedDescription)",
                    "无法写入 '\(out)'：\(error.localizedDescription)"))
        }
        print(table(list).text)
        for note in list.notes { print(say("note: ", "注意：") + note.description) }
        print(
            say(
                "\(out): \(list.points.count) points, status unverified. Compare both addresses "
                    + "with the manual, then complete what is marked COMPLETE.",
                "\(out)：\(list.points.count) 个点位，状态 unverified。请核对两种地址，"
                    + "再补全标有 COMPLETE 的内容。"))
    }

    private func table(_ list: PointList) -> TextTable {
        var table = TextTable([
            .init(say("line", "行"), isNumber: true), .init(say("point", "点位")),
            .init(say("on the wire", "报文地址")), .init(say("printed", "手册地址")),
            .init(say("type", "类型")), .init(say("order", "字节序")),
            .init(say("scale", "倍率"), isNumber: true), .init(say("unit", "单位")),
        ])
        for point in list.points {
            table.add([
                "\(point.line)", point.key, point.address, point.reference, point.type, point.order,
                point.scale, point.unit,
            ])
        }
        return table
    }

    private func text() throws -> String {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: file))
        } catch {
            throw Failure.inputOutput(
                say(
                    "'\(file)' cannot be read: \(error.localizedDescription)",
                    "无法读取 '\(file)'：\(error.localizedDescription)"))
        }
        guard data.count <= 16_777_216 else {
            throw Failure.badInput(
                say("'\(file)' is larger than 16 MiB", "'\(file)' 超过 16 MiB"))
        }
        if let (text, encoding) = SpreadsheetText.decode(data) {
            if encoding != "UTF-8" {
                complain(say("'\(file)' is read as \(encoding)", "'\(file)' 按 \(encoding) 读取"))
            }
            return text
        }
        throw Failure.badInput(
            say(
                "'\(file)' is neither UTF-8, UTF-16 nor GB18030; save it as 'CSV UTF-8' in Excel",
                "'\(file)' 不是 UTF-8、UTF-16 或 GB18030；请在 Excel 中另存为“CSV UTF-8”"))
    }

    private func today() -> String {
        String(SystemClock(believesWall: true).read().wall.rfc3339().prefix(10))
    }
}

/// How a plain number that looks like 40098 is meant.
enum AddressStyle: String, ExpressibleByArgument, CaseIterable {
    case wire, reference
}
