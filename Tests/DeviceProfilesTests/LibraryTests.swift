import DeviceProfiles
import Foundation
import LocatedText
import Telemetry
import Testing

@Suite("The library of Devices/")
struct LibraryTests {
    @Test("there are profiles for every kind of device on a site, and meters of ten makers")
    func breadth() throws {
        let library = try Shipped.library()
        let profiles = library.ids.compactMap { library[$0] }
        #expect(profiles.count >= 34)
        let makers = Set(profiles.filter { $0.kind == "meter.electric" }.map(\.vendor.en))
        #expect(makers.count >= 10, "\(makers.sorted())")
        for kind in [
            "meter.electric", "inverter.pv", "meter.water", "meter.heat", "meter.gas",
            "station.dust-noise", "station.weather", "crane.tower", "hoist", "platform.unloading",
            "relay", "sensor.pit", "sensor.tilt", "monitor.leakage", "sensor.load", "charger.ev",
        ] {
            #expect(profiles.contains { $0.kind == kind }, "\(kind)")
        }
    }

    @Test("no profile claims more than its sources say")
    func provenance() throws {
        let library = try Shipped.library()
        for id in library.ids {
            let profile = try #require(library[id])
            let provenance = profile.provenance
            #expect(!provenance.sources.isEmpty, "\(id)")
            #expect(
                provenance.sources.allSatisfy { !$0.ref.isEmpty && !$0.covers.isEmpty }, "\(id)")
            let covered = Set(provenance.sources.flatMap(\.covers))
            switch provenance.status {
            case .measured: #expect(profile.firmware != nil, "\(id)")
            case .vendorDocument, .openSource:
                #expect(covered.isSuperset(of: ["addresses", "types"]), "\(id)")
                #expect(provenance.sources.count >= 2, "\(id) rests on one source")
                #expect(provenance.openQuestions.isEmpty, "\(id)")
            case .community, .unverified:
                #expect(!provenance.openQuestions.isEmpty, "\(id) says nothing that is open")
            }
        }
    }

    @Test("a point that nobody has seen is marked or its profile is")
    func pointStatus() throws {
        let library = try Shipped.library()
        for id in library.ids {
            let profile = try #require(library[id])
            for interface in profile.interfaces.values {
                for point in interface.points where point.status == .unverified {
                    #expect(
                        [.community, .unverified].contains(profile.provenance.status),
                        "\(id) \(point.key)")
                }
            }
        }
    }

    @Test("every Modbus interface can be identified")
    func identification() throws {
        let library = try Shipped.library()
        for id in library.ids {
            for interface in try #require(library[id]).interfaces.values {
                guard case .modbus(let modbus) = interface else { continue }
                #expect(!modbus.identify.isEmpty, "\(id)")
            }
        }
    }

    @Test("what is told apart by an identify rule is named as a look-alike on both sides")
    func lookAlikes() throws {
        let library = try Shipped.library()
        for (one, other) in [
            ("chint/dtsu666", "chint/dtsu666-h"), ("carlo-gavazzi/em24", "carlo-gavazzi/em340"),
            ("witmotion/wt901c485", "witmotion/wt905x"), ("siemens/pac3200", "siemens/pac1600"),
            ("abb/b23", "janitza/b23"), ("acrel/adl400", "acrel/adw300"),
        ] {
            #expect(library[one]?.notThese.isEmpty == false, "\(one)")
            #expect(library[other]?.notThese.isEmpty == false, "\(other)")
        }
    }

    @Test("no file holds an address of a network, a telephone number or a password")
    func secrets() throws {
        let address = #/\b[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\b/#
        let telephone = #/\+86|\b1[3-9][0-9]{9}\b/#
        for path in try Shipped.paths() {
            let text = try Shipped.text(path)
            for (number, line) in text.split(separator: "\n").enumerated() {
                #expect(line.firstMatch(of: address) == nil, "\(path):\(number + 1)")
                #expect(line.firstMatch(of: telephone) == nil, "\(path):\(number + 1)")
                #expect(!line.lowercased().contains("password"), "\(path):\(number + 1)")
            }
        }
    }

    @Test("docs/devices.md is what the library says")
    func page() throws {
        let wanted = LibraryTable(try Shipped.library()).markdown()
        let page = try String(
            contentsOf: Shipped.devices.deletingLastPathComponent().appending(
                path: "docs/devices.md"),
            encoding: .utf8)
        #expect(page == wanted, "docs/devices.md is out of date: run 'make devices'")
    }

    @Test(
        "the table has every profile once, in order of kind, and names each kind in both languages")
    func table() throws {
        let library = try Shipped.library()
        let table = LibraryTable(library)
        #expect(table.rows.map(\.id).sorted() == library.ids)
        for row in table.rows {
            let title = LibraryTable.title(ofKind: row.kind)
            #expect(title.en != row.kind && title.zh != row.kind, "\(row.kind)")
        }
        let acrel = try #require(table.rows.first { $0.id == "acrel/adl3000" })
        #expect(acrel.points == 27)
        #expect(acrel.openQuestions == 3)
        #expect(acrel.interfaces == ["rs485: modbus"])
        #expect(table.rows.filter(\.hasCommands).map(\.id) == ["waveshare/relay-8ch"])
        #expect(table.rows.first?.kind == "meter.electric")
    }
}
