import Foundation
import Subprocess
import TestPeers

/// A workbook as openpyxl reads it; `Tests/Peers/read_workbook.py` says what each part is.
struct ReadWorkbook: Decodable, Equatable {
    struct Cell: Decodable, Equatable {
        var number: Double?
        var text: String?
        var format: String
        var bold: Bool
        var italic: Bool
        var alignment: String?
    }

    struct Sheet: Decodable, Equatable {
        var name: String
        var rows: [[Cell?]]
        var widths: [String: Double]
        var frozen: String?
        var repeated: String?
        var paper: Int
        var turn: String?
        var fit: Fit
        var footer: [String?]

        /// The place by row and column from 0; nil where nothing is.
        subscript(_ row: Int, _ column: Int) -> Cell? {
            rows.indices.contains(row) && rows[row].indices.contains(column)
                ? rows[row][column] : nil
        }
    }

    struct Fit: Decodable, Equatable {
        var width: Int
        var height: Int
        var isOn: Bool
    }

    var created: String
    var title: String?
    var subject: String?
    var entries: [String]
    var times: [[Int]]
    var sheets: [Sheet]

    /// Reads a file; throws with the peer's own words where it cannot.
    init(_ path: String) async throws {
        let python = packageRoot + "/.venv/bin/python"
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw PeerError("\(python) is missing: run scripts/setup")
        }
        let result = try await run(
            .path(.init(python)),
            arguments: [packageRoot + "/Tests/Peers/read_workbook.py", path], input: .none,
            output: .string(limit: 64 << 20), error: .string(limit: 64 * 1024))
        guard result.terminationStatus.isSuccess else {
            throw PeerError("openpyxl refused \(path): \(result.standardError)")
        }
        self = try JSONDecoder().decode(
            ReadWorkbook.self, from: Data(result.standardOutput.utf8))
    }
}
