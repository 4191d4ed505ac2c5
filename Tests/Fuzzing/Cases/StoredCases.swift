import Alarms
import BucketCodec
import CraneWork
import Store
import Telemetry

/// A sealed bucket behind its version and its checksum, which are put in front here.
enum BucketCase {
    @Sendable static func run(_ bytes: [UInt8]) throws {
        var writer = ByteWriter()
        writer.byte(BucketCodec.version)
        writer.fixed(CRC32.checksum(bytes[...]))
        writer.append(bytes)
        guard let rows = try? BucketCodec.decode(writer.bytes) else { return }
        try promise(
            BucketRows.fits(rows: rows.count, width: rows.columns.count), "too large a bucket")
        guard let summary = try? BucketCodec.summary(writer.bytes) else {
            throw Broken(description: "it decodes and has no summary")
        }
        _ = summary
        if rows.count * (rows.columns.count + 1) <= 1 << 12 {
            let again = BucketCodec.encode(rows, period: nil)
            guard let second = try? BucketCodec.decode(again) else {
                throw Broken(description: "what was written again does not decode")
            }
            let group = ScanGroup.ID(1)
            try promise(
                second.times == rows.times
                    && "\(second.scans(of: group))" == "\(rows.scans(of: group))",
                "written again it reads otherwise")
        }
        let none = try? BucketCodec.decode(writer.bytes, columns: [])
        try promise(none?.times == rows.times, "the rows depend on the columns that are wanted")
    }
}

/// The parts of a checkpoint.
///
///     first byte   'c' a crane, 'a' the alarms, '3' the alarms as they were written before
enum CheckpointCase {
    @Sendable static func run(_ bytes: [UInt8]) throws {
        var input = FuzzBytes(bytes)
        switch input.byte() {
        case UInt8(ascii: "c"):
            guard let state = try? LiftDetectorState(decoding: input.remainder()) else { return }
            let again = state.encoded()
            try promise(
                (try? LiftDetectorState(decoding: again))?.encoded() == again,
                "written again it reads otherwise")
        case UInt8(ascii: "a"):
            guard let state = try? AlarmMachineState(decoding: input.remainder()) else { return }
            let again = state.encoded()
            try promise(
                (try? AlarmMachineState(decoding: again))?.encoded() == again,
                "written again it reads otherwise")
        default: _ = try? AlarmMachineState(decodingVersion3: input.remainder())
        }
    }
}

/// What stands packed in other tables of the store.
///
///     first byte   'j' the journal, 'd' the messages it was acknowledged with, 'r' rollups of a
///                  day, 'h' counted hours
enum StoredFormCase {
    @Sendable static func run(_ bytes: [UInt8]) throws {
        var input = FuzzBytes(bytes)
        let form: StoredForm
        switch input.byte() {
        case UInt8(ascii: "j"): form = .journal
        case UInt8(ascii: "d"): form = .deliveries
        case UInt8(ascii: "r"): form = .packedRollups
        case UInt8(ascii: "h"): form = .countedHours
        default: return
        }
        guard let again = form.rewritten(input.remainder()) else { return }
        try promise(form.rewritten(again) == again, "written again it reads otherwise")
    }
}
