import Telemetry
import UplinkFormats

extension EncodedMessage {
    /// The body before it is compressed, shortened; how long it is where it is no text.
    var readable: String { Readable.text(payload) }
}

extension HTTPAnswer {
    /// Status and body, shortened.
    var readable: String { "HTTP \(status)" + (body.isEmpty ? "" : "\n" + Readable.text(body)) }
}

extension Outcome {
    /// What came back.
    ///
    /// - Parameter acknowledgement: the protocol's word for having taken it.
    func words(_ acknowledgement: String) -> String {
        switch self {
        case .accepted: acknowledgement
        case .retry(_, let reason), .rejected(let reason), .expired(let reason): reason
        }
    }
}

/// Bytes for people.
private enum Readable {
    private static let longest = 4000

    static func text(_ bytes: [UInt8]) -> String {
        let isPlain = bytes.allSatisfy { $0 >= 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        guard isPlain, let text = String(validating: bytes, as: UTF8.self) else {
            return "(\(bytes.count) bytes)"
        }
        return text.count > longest
            ? "\(text.prefix(longest))… (\(bytes.count) bytes)" : text
    }
}
