/// A workbook that was not written; nothing is left at its path that was not there before.
package struct WorkbookError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was being done.
    package enum Step: String, Hashable, Sendable {
        /// A cell, a sheet or a property was handed to the library.
        case fill
        /// The library wrote the file under its temporary name.
        case write
        /// The finished file took its name.
        case rename
    }

    package let step: Step
    /// The file that was wanted.
    package let path: String
    /// The words of libxlsxwriter, or of the system for `rename`; with the sheet and the cell where
    /// one was refused.
    package let cause: String

    package var description: String { "the workbook \(path) was not written: \(cause)" }
}
