import Frames
import Telemetry

/// What one platform wants of HJ 212; names in snake case are the keys of its configuration.
///
/// Clauses are those of HJ 212-2017. What of the editions 2005 and 2025 rests on public code and not
/// on their text is told in `docs/uplinks/hj212.md`.
package struct HJ212Options: Hashable, Sendable {
    /// The edition; its number stands in bits 2 to 7 of Flag.
    package enum Edition: String, Hashable, Sendable, CaseIterable {
        case v2005 = "2005"
        case v2017 = "2017"
        case v2025 = "2025"

        /// Flag without its two low bits: 0, 4 or 8.
        package var flag: Int {
            switch self {
            case .v2005: 0
            case .v2017: 4
            case .v2025: 8
            }
        }

        /// Characters of a station's MN; others are used in the field all the same.
        package var mnLength: Int { self == .v2005 ? 14 : 24 }
    }

    /// What DataTime says of a period. The standard means its start; some platforms expect the end.
    package enum DataTime: String, Hashable, Sendable, CaseIterable { case start, end }

    /// Where the sound level goes.
    package enum NoisePlace: String, Hashable, Sendable, CaseIterable {
        /// Into the packet of the other factors.
        case inside
        /// Into a packet of its own, with the system code of acoustic environment.
        case own
    }

    /// What becomes of a factor without any value.
    package enum Missing: String, Hashable, Sendable, CaseIterable {
        case omit
        /// Its mark goes out alone.
        case markOnly = "mark_only"
    }

    /// In which order the numbers of a split packet stand.
    package enum PartNumbers: String, Hashable, Sendable, CaseIterable {
        case pnumFirst = "pnum_first"
        case pnoFirst = "pno_first"
    }

    /// Encryption of the data area by SM4 (edition 2025).
    package enum Encryption: String, Hashable, Sendable, CaseIterable { case off, on }

    // MARK: The packet

    package var edition = Edition.v2017
    package var crc = HJ212Packet.Checksum.hj212
    /// The checksums that are accepted; empty: only `crc`.
    package var crcReceived: Set<HJ212Packet.Checksum> = []
    /// The system code of the stations; many dust platforms want 22.
    package var st = "39"
    /// Six characters by the standard; never logged.
    package var password: String
    /// The longest data segment in bytes.
    package var packetLimit = 1024
    /// The most bytes of `CP=&&…&&`.
    package var areaLimit = 950
    /// nil: as the edition has it.
    package var partNumbers: PartNumbers?
    package var sm4 = Encryption.off

    // MARK: What is told

    package var dataTime = DataTime.start
    package var missing = Missing.omit
    package var marks = HJ212Marks()
    package var noise = NoisePlace.inside
    package var noiseST = "23"
    /// The names of points that are told as levels and not as factors.
    package var noiseCodes: Set<String> = ["LA", "Leq"]
    /// When the acoustic day begins and ends, in minutes after midnight of the site; the rest is
    /// night. Local government sets them.
    package var dayHours = 360..<1320
    /// What the platform does with a second packet for the same period.
    package var corrections = CorrectionForm.replace

    // MARK: The exchange

    /// Whether uploads ask for an acknowledgement; else they count as accepted once they are on the
    /// wire.
    package var acknowledged = true
    /// How long an acknowledgement may take; CN 1000 changes it.
    package var timeout = Duration.seconds(10)
    /// How often a packet is sent again; CN 1000 changes it.
    package var resends = 3
    /// How many uploads may wait for their acknowledgement at once.
    package var window = 1
    /// The least time between two packets that a station begins; answers to commands go at once.
    package var gap = Duration.zero
    /// How often 9015 is sent; nil: never.
    package var heartbeat: Duration?
    package var heartbeatAcknowledged = true
    /// Whether 1013 asks the platform for its time once after the connection stands.
    package var asksForTime = false

    // MARK: Commands

    /// Whether 1072 may change the password.
    package var obeysPassword = false
    /// How old, or how far ahead, the QN of a command may be.
    package var largestAge = Duration.seconds(600)
    /// Whether a command for another system code is refused.
    package var strictST = false
    /// How far the platform's clock may be from the site's for 1012 to count as done.
    package var timeTolerance = Duration.seconds(60)
    /// Seconds between real-time packets, 30 to 3600, until 1062 says otherwise.
    package var realtimeInterval = 60
    /// Minutes of a 2051 period, one of `minuteIntervals`, until 1064 says otherwise.
    package var minuteInterval = 10
    /// The longest range that one request for history may have.
    package var longestHistory = Duration.seconds(366 * 86_400)
    /// How long the store may take to look up a part of history.
    package var historyPatience = Duration.seconds(60)

    package init(password: String) { self.password = password }

    /// The lengths that CN 1064 may set (Table 4).
    package static let minuteIntervals = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30]
    /// The intervals that CN 1062 may set, in seconds (Table 4).
    package static let realtimeIntervals = 30...3600
    /// What CN 1000 may set (Table 4).
    package static let timeouts = 1...99
    package static let resendCounts = 1...99

    /// Why a configuration cannot ask for encryption.
    package static let encryptionRefusal =
        "SM4 of HJ 212-2025 cannot be used: how the text is padded to 16 bytes and how the"
        + " ciphertext is printed are not verified"

    var layout: HJ212Packet.Layout {
        HJ212Packet.Layout(
            longestSegment: packetLimit, longestArea: areaLimit,
            isPartFirst: (partNumbers ?? (edition == .v2005 ? .pnoFirst : .pnumFirst)) == .pnoFirst)
    }
}

extension HJ212Options {
    /// What cannot be meant, in words that name the key.
    package var faults: [String] {
        var faults: [String] = []
        func expect(_ isMet: Bool, _ text: String) { if !isMet { faults.append(text) } }
        expect(sm4 == .off, Self.encryptionRefusal)
        expect(
            Self.isWritable(password), "password: 1 to 64 characters without ; , = & # or blanks")
        for (key, code) in [("st", st), ("noise_st", noiseST)] {
            expect(code.utf8.count == 2 && Self.isWritable(code), "\(key): two characters")
        }
        expect((256...9999).contains(packetLimit), "packet_limit: 256 to 9999 bytes")
        expect(areaLimit >= 128 && areaLimit <= packetLimit, "area_limit: 128 to packet_limit")
        expect((1...64).contains(window), "window: 1 to 64")
        expect(timeout >= .seconds(1) && timeout <= .seconds(99), "timeout: 1 s to 99 s")
        expect((0...99).contains(resends), "resends: 0 to 99")
        expect(gap >= .zero && gap <= .seconds(60), "gap: 0 to 60 s")
        expect(
            heartbeat.map { $0 >= .seconds(5) && $0 <= .seconds(86_400) } ?? true,
            "heartbeat: 5 s to 24 h")
        expect(
            dayHours.lowerBound >= 0 && dayHours.upperBound <= 1440 && !dayHours.isEmpty,
            "day_hours: a part of 00:00 to 24:00")
        expect(largestAge >= .seconds(1), "largest_age: 1 s or more")
        expect(timeTolerance >= .seconds(1), "time_tolerance: 1 s or more")
        expect(
            Self.realtimeIntervals.contains(realtimeInterval), "realtime_interval: 30 s to 3600 s")
        expect(
            Self.minuteIntervals.contains(minuteInterval),
            "minute_interval: one of \(Self.minuteIntervals) minutes")
        expect(longestHistory > .zero, "longest_history: more than nothing")
        expect(historyPatience >= .seconds(1), "history_patience: 1 s or more")
        return faults + marks.faults
    }

    /// What works but is not as the standard has it, or not known to be right.
    package var warnings: [String] {
        var warnings: [String] = []
        if password.utf8.count != 6 { warnings.append("password: the standard has 6 characters") }
        if packetLimit > 1024 || areaLimit > 950 {
            warnings.append("packet_limit, area_limit: the standard ends at 1024 and 950 bytes")
        }
        if !acknowledged {
            warnings.append("acknowledged: nobody tells whether the platform has what was sent")
        }
        if crc == .modbus {
            warnings.append("crc: Modbus's checksum is not that of the standard")
        }
        if edition != .v2017 {
            warnings.append("edition: of \(edition.rawValue) only public code was read")
        }
        return warnings
    }

    /// Whether a text can stand as a value in a packet.
    static func isWritable(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                $0 > 0x20 && $0 < 0x7F && ![0x2C, 0x3B, 0x3D, 0x26, 0x23].contains($0)
            }
    }
}
