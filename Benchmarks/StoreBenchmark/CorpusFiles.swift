import Foundation
import Telemetry

extension Corpus {
    /// Writes the corpus as InfluxDB line protocol with times in milliseconds, one line a scan,
    /// all groups in order of time: what VictoriaMetrics and InfluxDB are fed.
    func writeLineProtocol(to path: String, isJittered: Bool) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw Failure("cannot write \(path)") }
        var buffer: [UInt8] = []
        for second in 0..<seconds {
            for group in groups where second % group.period == 0 {
                let row = second / group.period
                buffer += Array("\(group.kind.rawValue),device=\(group.device) ".utf8)
                for (index, column) in group.columns.enumerated() {
                    if index > 0 { buffer.append(UInt8(ascii: ",")) }
                    buffer += Array(
                        "\(column.name)=\(Self.decimal(column.mantissas[row], column.decimals))"
                            .utf8)
                }
                let late = isJittered ? group.jitter[row] : 0
                buffer += Array(" \(group.time(row, start).milliseconds + late)\n".utf8)
            }
            if buffer.count > 1 << 20 {
                try file.write(contentsOf: Data(buffer))
                buffer.removeAll(keepingCapacity: true)
            }
        }
        try file.write(contentsOf: Data(buffer))
        try file.close()
    }

    /// Writes the samples as 20-byte rows for the plain SQLite tables: little-endian time in
    /// milliseconds, series number, value; in order of time.
    func writeRows(to path: String, hours: Int) throws {
        var bytes: [UInt8] = []
        for second in 0..<min(seconds, hours * 3600) {
            var number: UInt32 = 0
            for group in groups {
                if second % group.period == 0 {
                    let row = second / group.period
                    for (index, column) in group.columns.enumerated() {
                        Self.append(group.time(row, start).milliseconds, &bytes)
                        Self.append(number + UInt32(index), &bytes)
                        Self.append(column.value(row).bitPattern, &bytes)
                    }
                }
                number += UInt32(group.columns.count)
            }
        }
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else {
            throw Failure("cannot write \(path)")
        }
    }

    private static func append(_ number: some FixedWidthInteger, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }

    static func decimal(_ mantissa: Int64, _ decimals: Int) -> String {
        if decimals == 0 { return "\(mantissa)" }
        let digits = String(mantissa.magnitude)
        let padded =
            String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        return (mantissa < 0 ? "-" : "") + padded.dropLast(decimals) + "."
            + padded.suffix(decimals)
    }

    /// Counts and floors by kind, and of the mix.
    func floors() -> [String: [String: Double]] {
        var result: [String: [String: Double]] = [:]
        var mix = (0.0, 0.0)
        for kind in Kind.allCases {
            var bits = (0.0, 0.0)
            var samples = 0
            for group in groups where group.kind == kind {
                samples += group.samples
                for column in group.columns {
                    let (order0, order1) = Entropy.bits(column.mantissas)
                    bits = (bits.0 + order0, bits.1 + order1)
                }
            }
            mix = (mix.0 + bits.0, mix.1 + bits.1)
            guard samples > 0 else { continue }
            let total = Double(samples) * 8
            result[kind.rawValue] = [
                "samples": Double(samples), "order0": bits.0 / total, "order1": bits.1 / total,
            ]
        }
        let total = Double(samples) * 8
        result["mix"] = [
            "samples": Double(samples), "order0": mix.0 / total, "order1": mix.1 / total,
        ]
        return result
    }
}

/// Why a benchmark cannot go on.
struct Failure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
