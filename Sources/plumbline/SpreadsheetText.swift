import Foundation
@preconcurrency import Glibc

/// The encodings in which Excel saves a table: UTF-8, UTF-16 with a byte order mark, and on a
/// Chinese system GB18030.
enum SpreadsheetText {
    static func decode(_ data: Data) -> (text: String, encoding: String)? {
        if data.starts(with: [0xFF, 0xFE]) || data.starts(with: [0xFE, 0xFF]) {
            return String(data: data, encoding: .utf16).map { ($0, "UTF-16") }
        }
        if let text = String(validating: data, as: UTF8.self) { return (text, "UTF-8") }
        return gb18030(data).map { ($0, "GB18030") }
    }

    /// Foundation on Linux does not know this encoding; the C library does.
    private static func gb18030(_ data: Data) -> String? {
        guard let converter = iconv_open("UTF-8", "GB18030"),
            converter != iconv_t(bitPattern: -1)
        else { return nil }
        defer { iconv_close(converter) }
        var input = data.map { CChar(bitPattern: $0) }
        var output = [CChar](repeating: 0, count: 4 * input.count + 4)
        var left = input.count
        var room = output.count
        let isWhole = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                var from = input.baseAddress
                var to = output.baseAddress
                return iconv(converter, &from, &left, &to, &room) != Int(bitPattern: UInt.max)
            }
        }
        guard isWhole, left == 0 else { return nil }
        let bytes = output.prefix(output.count - room).map { UInt8(bitPattern: $0) }
        return String(validating: bytes, as: UTF8.self)
    }
}
