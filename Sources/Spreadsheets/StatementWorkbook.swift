import CXlsxWriter
import EnergyAccounting
@preconcurrency import Glibc
import Telemetry

// A statement as an Excel workbook (Office Open XML, made by libxlsxwriter).
//
//     cover       title (1), site (2), period (3), an empty row, the facts: title | value | unit,
//                 the legend of ≈, the notes under a heading, who signs
//     one sheet   1  the table's title
//     per table   2  the columns' titles, their units below in the same cell; frozen, and repeated
//                    on every sheet of paper
//                 3… the rows
//                 …  the legend of ≈ and the reasons of what is missing, by number
//
// A number is a number with the format of its places, `#,##0.00`; where a part of it is estimated,
// it is in italics and its format puts ≈ before it, so that it can still be added up. A number of
// more than 15 significant digits is a text: a double would change its last digits. What nobody
// knows is the text `–` with the number of its reason. Sums are bold. No cell is a formula.
//
// Equal documents of one creation time give equal bytes: the entries of the archive are dated
// 1980-01-01 and the workbook carries no other time than the one that is handed in.

/// Writes a statement as an .xlsx file; the form is drawn above.
package enum StatementWorkbook {
    /// Writes the workbook at `path`, in place of what is there.
    ///
    /// It is written under a temporary name beside it, brought to the disk and renamed, so that a
    /// reader finds the old file or the new one and never half of one. Blocks until then. Where it
    /// fails, the library says so on standard error too; that cannot be turned off.
    ///
    /// - Parameters:
    ///   - created: the workbook's creation date, in whole seconds, from a second after 1970-01-01
    ///     to the end of 9999; what lies outside becomes the nearest of these.
    ///   - path: in a folder that exists.
    package static func write(
        _ document: StatementDocument, language: StatementLanguage, created: Timestamp,
        to path: String
    ) throws(WorkbookError) {
        let temporary = "\(path).\(getpid()).part"
        var isDone = false
        defer { if !isDone { unlink(temporary) } }
        try fill(document, language, created, temporary, path)
        guard flush(temporary), rename(temporary, path) == 0 else {
            throw WorkbookError(step: .rename, path: path, cause: String(cString: strerror(errno)))
        }
        isDone = true
    }

    private static func fill(
        _ document: StatementDocument, _ language: StatementLanguage, _ created: Timestamp,
        _ temporary: String, _ path: String
    ) throws(WorkbookError) {
        guard let book = workbook_new(temporary) else {
            throw WorkbookError(
                step: .fill, path: path, cause: words(of: LXW_ERROR_MEMORY_MALLOC_FAILED))
        }
        var sheets = StatementSheets(book: book, language: language)
        sheets.setProperties(of: document, created: created)
        sheets.addCover(of: document)
        for table in document.tables { sheets.add(table, of: document) }
        // Closing is the only call that frees the workbook; it writes the file too.
        let outcome = workbook_close(book)
        if let refusal = sheets.refusal {
            throw WorkbookError(step: .fill, path: path, cause: refusal)
        }
        guard outcome == LXW_NO_ERROR else {
            throw WorkbookError(step: .write, path: path, cause: words(of: outcome))
        }
    }

    /// What the library calls an error.
    static func words(of error: lxw_error) -> String {
        lxw_strerror(error).map { String(cString: $0) } ?? "error \(error.rawValue)"
    }

    /// Brings a file to the disk: a renamed file whose bytes are still in memory is empty after a
    /// power cut.
    private static func flush(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return fsync(descriptor) == 0
    }
}
