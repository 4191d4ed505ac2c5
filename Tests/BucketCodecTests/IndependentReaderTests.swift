import Foundation
import Subprocess
import Telemetry
import TestSeeds
import Testing

@testable import BucketCodec

/// The Python decoder, which was written from docs/formats/bucket.md, and what it says.
private enum PythonReader {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static func run(
        _ arguments: [String]
    ) async throws -> (status: TerminationStatus, output: String, error: String) {
        let result = try await Subprocess.run(
            .name("python3"),
            arguments: Arguments(arguments), input: .none,
            output: .string(limit: 32 << 20), error: .string(limit: 1 << 20))
        return (result.terminationStatus, result.standardOutput, result.standardError)
    }

    static func decode(
        _ arguments: [String]
    ) async throws -> (status: TerminationStatus, output: String, error: String) {
        try await run([root.appending(path: "scripts/decode_bucket.py").path] + arguments)
    }
}

private func withDirectory(_ body: (URL) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(
        path: "bucket-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try await body(directory)
}

@Suite struct IndependentReaderTests {
    @Test func aDecoderWrittenFromTheDocumentReadsEveryValue() async throws {
        var random = SeededGenerator(51)
        try await withDirectory { directory in
            var expected = ""
            var files: [String] = []
            for number in 0..<150 {
                let bucket = RandomBucket(using: &random)
                let file = directory.appending(path: "\(number).blob")
                try Data(BucketCodec.encode(bucket.rows, period: bucket.period)).write(to: file)
                files.append(file.path)
                expected += ExactTable(bucket.rows).text
            }
            let (status, output, error) = try await PythonReader.decode(["--exact"] + files)
            #expect(status == .exited(0) && error == "")
            let theirs = output.split(separator: "\n", omittingEmptySubsequences: false)
            let ours = expected.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(theirs.count == ours.count)
            let different = zip(theirs, ours).first { Array($0.utf8) != Array($1.utf8) }
            #expect(different == nil)
        }
    }

    @Test func theDecoderOpensADatabaseAndNamesTheSeries() async throws {
        let scans = (0..<4).map { row in
            Scan(
                group: group, time: Timestamp(milliseconds: 1_800_000_000_000 + Int64(row) * 500),
                readings: [.number(20 + Double(row) / 10), row == 2 ? .bad(.stale) : .text("on")])
        }
        try await withDirectory { directory in
            let blob = directory.appending(path: "one.blob")
            let rows = BucketRows(scans: scans, width: 2)
            try Data(BucketCodec.encode(rows, period: .milliseconds(500))).write(to: blob)
            let database = directory.appending(path: "plumbline.sqlite").path
            let made = try await PythonReader.run(["-c", Self.makeDatabase, database, blob.path])
            #expect(made.status == .exited(0) && made.error == "")

            let (status, output, error) = try await PythonReader.decode([database, "--group", "3"])
            #expect(status == .exited(65))
            #expect(error == "bucket 18: the checksum does not fit\n")
            #expect(
                output == """
                    time,sequence,flags,meter.voltage,meter.state
                    2027-01-15T08:00:00.000Z,0,0,20.0,on
                    2027-01-15T08:00:00.500Z,0,0,20.1,on
                    2027-01-15T08:00:01.000Z,0,0,20.2,!stale
                    2027-01-15T08:00:01.500Z,0,0,20.3,on

                    """)
            let one = try await PythonReader.decode([database, "--bucket", "17"])
            #expect(one.status == .exited(0) && one.output == output)
        }
    }

    @Test func theDecoderSaysWhatIsWrong() async throws {
        try await withDirectory { directory in
            let file = directory.appending(path: "x.blob")
            try Data([2, 0, 0, 0, 0]).write(to: file)
            let newer = try await PythonReader.decode([file.path])
            #expect(newer.status == .exited(65))
            #expect(newer.error.contains("a bucket of version 2; this program knows version 1"))
            let missing = try await PythonReader.decode([file.path + "x"])
            #expect(missing.status == .exited(74))
            #expect(try await PythonReader.decode([]).status == .exited(64))
            #expect(try await PythonReader.decode(["--help"]).output.contains("examples:"))
        }
    }

    /// The tables of docs/formats/store.md that the decoder reads; the second bucket is damaged.
    private static let makeDatabase = """
        import sqlite3, sys
        data = open(sys.argv[2], "rb").read()
        with sqlite3.connect(sys.argv[1]) as db:
            db.execute("CREATE TABLE device(number, name)")
            db.execute("CREATE TABLE series(number, device, point)")
            db.execute("CREATE TABLE scan_group(number, columns)")
            db.execute("CREATE TABLE bucket(id, scan_group, start, end, rows, codec, data)")
            db.execute("INSERT INTO device VALUES (1, 'meter')")
            db.execute("INSERT INTO series VALUES (5, 1, 'voltage'), (6, 1, 'state')")
            db.execute("INSERT INTO scan_group VALUES (3, '[5,6]')")
            for bucket, blob in ((17, data), (18, data[:-1] + bytes([data[-1] ^ 1]))):
                db.execute("INSERT INTO bucket VALUES (?, 3, ?, 0, 4, 1, ?)", (bucket, bucket, blob))
        """
}
