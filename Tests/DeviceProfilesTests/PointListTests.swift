import DeviceProfiles
import Foundation
import LocatedText
import Telemetry
import TestSeeds
import Testing

@Suite("Point lists out of spreadsheets")
struct PointListTests {
    private func options(_ change: (inout PointList.Options) -> Void = { _ in })
        -> PointList.Options
    {
        var options = PointList.Options(id: "acme/m1", day: "2026-11-21")
        change(&options)
        return options
    }

    private func read(
        _ text: String, skipping: Bool = false,
        _ change: (inout PointList.Options) -> Void = { _ in }
    ) throws -> PointList {
        try PointList.read(
            text, file: "points.csv", vocabulary: Shipped.vocabulary(), options: options(change),
            skipsFaultyRows: skipping)
    }

    private func faults(
        _ text: String, _ change: (inout PointList.Options) -> Void = { _ in }
    ) throws -> [String] {
        do {
            _ = try read(text, change)
            return []
        } catch let faults as Faults {
            return faults.all.map(\.description)
        }
    }

    private func profile(_ list: PointList) throws -> DeviceProfile {
        try DeviceProfile.parse(
            list.profile, file: "acme/m1.yaml", vocabulary: Shipped.vocabulary())
    }

    private static let chinese = """
        \u{FEFF}名称,地址,功能码,类型,字节序,倍率,单位,说明
        A相电压,0x0061,03,uint16,,0.1,V,
        B相电压,98,3,uint16,,0.1,V,"一次值需乘 PT, 见 12 页"
        频率,0x77,03H,uint16,,0.01,Hz,
        总有功功率,0x006A,03/10,int16,,0.001,KW,
        正向有功电能,0x0A,3,uint32,CDAB,0.01,kwh,×CT×PT
        """

    @Test("a Chinese table with a byte order mark becomes a profile that reads the same registers")
    func chinese() throws {
        let list = try read(Self.chinese)
        #expect(
            list.points.map(\.key) == [
                "active_energy.import.total", "voltage.l1", "voltage.l2", "active_power.total",
                "frequency",
            ])
        #expect(list.points.map(\.address).first == "holding/0x0A")
        #expect(list.points.map(\.reference) == ["40011", "40098", "40099", "40107", "40120"])
        #expect(list.points.map(\.order) == ["CDAB", "", "", "", ""])
        let profile = try profile(list)
        #expect(profile.provenance.status == .unverified)
        #expect(profile.provenance.openQuestions.count == 4)
        let binding = try ModbusBinding(
            profile: profile, interface: "modbus", device: DeviceID("m"))
        var image = RegisterImage()
        image[.holding, 0x61] = 0x08FD
        image[.holding, 0x62] = 0x0908
        image[.holding, 0x6A] = 0xFC18
        image[.holding, 0x77] = 0x138A
        image[.holding, 0x0A] = 0xD687
        image[.holding, 0x0B] = 0x0012
        let readings = binding.readings(image)
        #expect(readings[PointKey("voltage.l1")] == .number(230.1))
        #expect(readings[PointKey("voltage.l2")] == .number(231.2))
        #expect(readings[PointKey("active_power.total")] == .number(-1000))
        #expect(readings[PointKey("frequency")] == .number(50.02))
        #expect(readings[PointKey("active_energy.import.total")] == .number(12345.67))
        // Physics where the table has it: 45 to 65 Hz at 0.01 Hz a step.
        guard case .modbus(let interface) = profile.interfaces["modbus"] else { return }
        #expect(interface.identify.first?.between == 4500...6500)
    }

    @Test("a name that holds another quantity's name is not taken for it")
    func reactivePower() throws {
        let reactive = try read(
            """
            名称,地址,功能码,类型,字节序,倍率,单位,说明
            Total reactive power,0x6B,03,int16,,0.001,kvar,
            """)
        #expect(reactive.points.map(\.key) == ["reactive_power.total"])
    }

    @Test("every name that was turned into a key is reported")
    func notes() throws {
        let notes = try read(Self.chinese).notes.map(\.description)
        #expect(notes.contains("points.csv:2:1: 'A相电压' is taken as voltage.l1"))
        #expect(notes.contains("points.csv:6:1: '正向有功电能' is taken as active_energy.import.total"))
        #expect(notes.count == 5)
    }

    @Test("semicolons, tabs, English heads and the 40001 style give the same points")
    func dialects() throws {
        let rows = [
            ["Key", "Register", "Data Type", "Byte Order", "Factor", "Unit"],
            ["voltage.l1", "40098", "U16", "", "0.1", "V"],
            ["active_energy.import.total", "4x0011", "DWORD", "ABCD", "0.01", "kWh"],
            ["temperature", "", "", "", "", ""],
        ].dropLast()
        let lists = try [";", "\t", ","].map { delimiter in
            try read(rows.map { $0.joined(separator: delimiter) }.joined(separator: "\r\n"))
        }
        for list in lists {
            #expect(list.points.map(\.address) == ["holding/0x0A", "holding/0x61"])
            #expect(list.profile == lists[0].profile)
        }
    }

    @Test(
        "an address is understood in every notation",
        arguments: [
            ("holding/0x61", "", "holding/0x61", "40098"), ("input/97", "", "input/0x61", "30098"),
            ("0x61", "4", "input/0x61", "30098"), ("61H", "03", "holding/0x61", "40098"),
            ("97", "FC03", "holding/0x61", "40098"), ("40098", "", "holding/0x61", "40098"),
            ("400098", "", "holding/0x61", "40098"), ("30001", "", "input/0x00", "30001"),
            ("32080", "3", "holding/0x7D50", "432081"), ("3x0098", "", "input/0x61", "30098"),
            ("465536", "", "holding/0xFFFF", "465536"),
            ("40098", "输入寄存器", "input/0x9CA2", "340099"),
        ])
    func notations(_ written: String, _ function: String, _ wire: String, _ printed: String) throws
    {
        let list = try read(
            "key,address,function,type,unit\nvoltage.l1,\(written),\(function),uint16,V")
        #expect(list.points.map(\.address) == [wire])
        #expect(list.points.map(\.reference) == [printed])
    }

    @Test("an address that can mean two registers is refused until somebody says which")
    func ambiguousAddresses() throws {
        let table = "key,address,function,type,unit\nvoltage.l1,40098,3,uint16,V"
        #expect(
            try faults(table) == [
                "points.csv:2:12: 40098 beside its function can be the register 40098 or the 98. of "
                    + "its area; say which: --addresses wire or --addresses reference"
            ])
        #expect(try read(table) { $0.areReferences = true }.points[0].address == "holding/0x61")
        #expect(try read(table) { $0.areReferences = false }.points[0].address == "holding/0x9CA2")
        let leading = "key,address,function,type,unit\nvoltage.l1,0061,3,uint16,V"
        #expect(try faults(leading).first?.contains("can be decimal or hexadecimal") == true)
        let hexadecimal = "key,地址(HEX),功能码,类型,单位\nvoltage.l1,0061,3,uint16,V"
        #expect(try read(hexadecimal).points[0].address == "holding/0x61")
    }

    @Test(
        "a faulty row is named with its place and what to do",
        arguments: [
            ("voltage.l1,,3,uint16,ABCD,1,V", ":2:1: the row has no address"),
            ("voltage.l1,97,,uint16,ABCD,1,V", ":2:12: '97' says no area"),
            ("voltage.l1,97,6,uint16,ABCD,1,V", ":2:15: '6' is not a function that reads"),
            ("voltage.l1,97,3,text,ABCD,1,V", ":2:17: 'text' is not a type of number"),
            ("voltage.l1,97,3,,ABCD,1,V", ":2:1: the row has no type"),
            ("voltage.l1,97,3,uint32,,1,V", ":2:1: uint32 has more than one register and no order"),
            ("voltage.l1,97,3,uint32,ACBD,1,V", ":2:24: 'ACBD' is not an order"),
            ("voltage.l1,97,3,uint16,ABCD,1/10,V", ":2:29: '1/10' is not a scale"),
            ("voltage.l1,97,3,uint16,ABCD,0,V", ":2:29: '0' is not a scale"),
            ("voltage.l1,97,3,uint16,ABCD,1,A", ":2:31: 'A' is no unit of 'voltage.l1'"),
            ("voltage.l1,97,3,uint16,ABCD,1,", ":2:1: 'voltage.l1' has no unit"),
            ("voltage.l9,97,3,uint16,ABCD,1,V", ":2:1: 'voltage.l9' is not in the vocabulary"),
            ("switch.ch1,0,3,uint16,ABCD,1,1", ":2:1: 'switch.ch1' is a state or a text"),
            ("voltage.l1,coil/3,,uint16,ABCD,1,V", ":2:1: 'coil/3' is one bit"),
            ("voltage.l1,97,discrete input,uint16,AB,1,V", ":2:1: 'discrete/97' is one bit"),
            ("voltage.l1,70000,3,uint16,ABCD,1,V", ":2:12: 70000 is beyond 65535"),
            ("voltage.l1,65535,3,uint32,ABCD,1,V", ":2:1: the value reaches beyond address 65535"),
            ("voltage.l1,holding/5,4,uint16,AB,1,V", ":2:12: 'holding/5' contradicts the function"),
            ("voltage.l1,0x1G,3,uint16,AB,1,V", ":2:12: '0x1G' is not an address"),
            ("\"voltage.l1,97,3,uint16,AB,1,V", ":2:1: the quotation mark is never closed"),
        ])
    func faultyRow(_ row: String, _ wanted: String) throws {
        let faults = try faults("key,address,function,type,order,scale,unit\n\(row)\n")
        #expect(faults.first?.hasPrefix("points.csv" + wanted) == true, "\(faults)")
        #expect(faults.first?.contains("; ") == true || wanted.contains("65535"))
    }

    @Test("all faulty rows are told at once, and may be skipped")
    func skipping() throws {
        let table = """
            key,address,function,type,unit
            voltage.l1,97,3,uint16,V
            voltage.l2,ninety,3,uint16,V
            voltage.l1,99,3,uint16,V
            current.l1,97,3,uint16,A
            voltage.l3,100,3,uint16,Volt
            """
        let all = try faults(table)
        #expect(all.count == 4)
        #expect(all[1].contains("stands already in line 2"))
        #expect(all[2].contains("lies in the registers of line 2"))
        let list = try read(table, skipping: true)
        #expect(list.points.map(\.key) == ["voltage.l1"])
        #expect(list.notes.count == 4)
    }

    @Test("a table without the needed columns says which heads are known")
    func heads() throws {
        #expect(try faults("a,b\n1,2").count == 2)
        #expect(try faults("a,b\n1,2").first?.contains("地址/address") == false)
        #expect(try faults("a,b\n1,2").first?.contains("address/addr/register") == true)
        #expect(try faults("key,address,地址\nx,1,2").first?.contains("second column") == true)
        #expect(try faults("").first?.contains("the file is empty") == true)
        #expect(try faults("key,address\n").first?.contains("no row") == true)
        let list = try read("key,address,type,unit,Modul\nvoltage.l1,40001,uint16,V,x")
        #expect(list.notes.map(\.message) == ["the column 'Modul' is not used"])
    }

    @Test("an id, a kind or a unit that cannot be is refused")
    func options() throws {
        let table = "key,address,type,unit\nvoltage.l1,40001,uint16,V"
        #expect(try faults(table) { $0.id = "Acme M1" }.first?.contains("vendor/model") == true)
        #expect(try faults(table) { $0.id = "../etc" }.first?.contains("vendor/model") == true)
        #expect(try faults(table) { $0.kind = "toaster" }.first?.contains("toaster") == true)
    }

    @Test("names with quotation marks, colons and line ends stay text")
    func quoting() throws {
        let list = try read(
            "key,address,type,unit,doc\n"
                + "voltage.l1,40001,uint16,V,\"he said \"\"no: never\"\" # {a: 1}\nand \\ left\"\n"
                + "voltage.l2,40002,uint16,V,x")
        let interface = try #require(try profile(list).interfaces["modbus"])
        #expect(interface.points[0].doc == "40001, he said \"no: never\" # {a: 1} and \\ left")
        #expect(list.points[1].line == 4)
    }

    @Test("every order and every type decodes what the table says")
    func ordersAndTypes() throws {
        let types = [
            "uint16", "int16", "uint32", "int32", "uint64", "int64", "float", "double", "bcd",
        ]
        for order in ["ABCD", "CDAB", "BADC", "DCBA"] {
            for type in types {
                let list = try read(
                    "key,address,type,order,unit,scale\nvoltage.l1,40001,\(type),\(order),mV,0.5")
                #expect(try profile(list).selfTest().map(\.description) == [], "\(type) \(order)")
            }
        }
    }

    @Test(
        "the guide's table imports, and its finished profile proves itself and has the same points")
    func guide() throws {
        let guide = try String(
            contentsOf: Shipped.devices.deletingLastPathComponent()
                .appending(path: "docs/add-a-device.md"), encoding: .utf8)
        func block(_ head: String, last: Bool = false) throws -> String {
            let parts = guide.components(separatedBy: "```\(head)\n").dropFirst()
            let part = try #require(last ? parts.last : parts.first)
            return try #require(part.components(separatedBy: "```").first)
        }
        let list = try read(try block("csv")) { $0.id = "my/meter" }
        let finished = try DeviceProfile.parse(
            try block("yaml", last: true), file: "my/meter.yaml", vocabulary: Shipped.vocabulary())
        #expect(finished.selfTest().map(\.description) == [])
        let points = try #require(finished.interfaces["modbus"]).points
        #expect(points.map(\.key.text) == list.points.map(\.key).sorted())
        let imported = try #require(
            try DeviceProfile.parse(
                list.profile, file: "my/meter.yaml", vocabulary: Shipped.vocabulary()
            ).interfaces["modbus"]
        ).points
        #expect(points.map(\.registerSources) == imported.map(\.registerSources))
        #expect(points.map(\.scale) == imported.map(\.scale))
    }

    @Test("nothing that can stand in a file stops the reader")
    func fuzz() throws {
        let seed: UInt64 = 4_021
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let vocabulary = try Shipped.vocabulary()
        let pieces = [
            "key", "地址", "address", "功能码", "type", "unit", "order", "scale", "\n", "\r\n", "\r",
            ",",
            ";", "\t", "\"", "voltage.l1", "40001", "0x", "-1", "99999999999999999999", "uint32",
            "V",
            "CDAB", "1e400", "\u{FEFF}", "\u{0}", "电压", "holding/", "4x", "0x10000", "",
        ]
        var good = 0
        for _ in 0..<2000 {
            // Half of them are a good table with a few pieces exchanged.
            var scalars = Array((Bool.random(using: &random) ? Self.chinese : "").unicodeScalars)
            for _ in 0..<Int.random(in: 0...(scalars.isEmpty ? 40 : 3), using: &random) {
                let piece = (pieces.randomElement(using: &random) ?? "").unicodeScalars
                let at = Int.random(in: 0...scalars.count, using: &random)
                let end = min(scalars.count, at + Int.random(in: 0...3, using: &random))
                scalars.replaceSubrange(at..<end, with: piece)
            }
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            do {
                _ = try PointList.read(
                    text, file: "f.csv", vocabulary: vocabulary, options: options(),
                    skipsFaultyRows: Bool.random(using: &random))
                good += 1
            } catch {
                #expect(!error.all.isEmpty)
                #expect(error.all.allSatisfy { $0.location.line > 0 && $0.location.column > 0 })
            }
        }
        #expect(good > 100)
    }
}
