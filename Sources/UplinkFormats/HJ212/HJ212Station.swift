/// One station (现场机) of an uplink: who it is to the platform, and whose items it tells.
package struct HJ212Station: Hashable, Sendable {
    /// The scope of its items, as in `UplinkItem.scope`.
    package var scope: String
    /// The identity that the platform has given to it.
    package var mn: String
    /// nil: that of the uplink.
    package var st: String?
    package var noiseST: String?
    package var password: String?
    /// Marks that the site has set by hand, by factor code; `*` is for every factor. F, M, S and C
    /// come from here only.
    package var marks: [String: String]

    package init(
        scope: String, mn: String, st: String? = nil, noiseST: String? = nil,
        password: String? = nil, marks: [String: String] = [:]
    ) {
        self.scope = scope
        self.mn = mn
        self.st = st
        self.noiseST = noiseST
        self.password = password
        self.marks = marks
    }

    /// What is wrong with the stations of one uplink, in words that name the station.
    package static func faults(_ stations: [HJ212Station]) -> [String] {
        var faults: [String] = []
        if stations.isEmpty { faults.append("an uplink has one station at least") }
        for (index, station) in stations.enumerated() {
            func expect(_ isMet: Bool, _ text: String) {
                if !isMet { faults.append("station '\(station.scope)': \(text)") }
            }
            let others = stations[..<index]
            expect(HJ212Options.isWritable(station.mn), "its mn cannot be written")
            expect(!others.contains { $0.mn == station.mn }, "its mn is another's too")
            expect(!others.contains { $0.scope == station.scope }, "it stands there twice")
            for code in [station.st, station.noiseST].compactMap(\.self) {
                expect(
                    code.utf8.count == 2 && HJ212Options.isWritable(code),
                    "a system code has two characters")
            }
            expect(
                station.password.map(HJ212Options.isWritable) ?? true,
                "its password cannot be written")
            expect(
                station.marks.values.allSatisfy(HJ212Marks.isMark),
                "a mark is one capital letter or digit")
        }
        return faults
    }

    /// What of the MN is not as the edition has it.
    package func warnings(_ edition: HJ212Options.Edition) -> [String] {
        var warnings: [String] = []
        if mn.utf8.count != edition.mnLength {
            warnings.append(
                "station '\(scope)': its mn has \(mn.utf8.count) characters, "
                    + "\(edition.rawValue) has \(edition.mnLength)")
        }
        let isHexadecimal = mn.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x46).contains($0)
        }
        if edition == .v2017 && !isHexadecimal {
            warnings.append("station '\(scope)': its mn is not of digits 0-9 A-F")
        }
        return warnings
    }
}
