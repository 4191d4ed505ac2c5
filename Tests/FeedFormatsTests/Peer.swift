import Foundation
import Subprocess

@testable import FeedFormats

/// Python's parsers, which know nothing of our writers: `Peers/read_messages.py`.
enum Peer {
    /// Whether there is a Python to ask; tests without one are skipped and say so.
    static let isThere: Bool = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(
            separator: ":")
        return folders.contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/python3")
        }
    }()

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What Python reads in each message.
    static func read(_ messages: [(form: String, body: [UInt8])]) async throws -> [Any] {
        let question = try JSONSerialization.data(
            withJSONObject: messages.map {
                ["form": $0.form, "body": Data($0.body).base64EncodedString()]
            })
        let result = try await run(
            .name("python3"),
            arguments: Arguments([Folder.peers.appending(path: "read_messages.py").path]),
            input: .array(Array(question)), output: .string(limit: 64 << 20),
            error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess,
            let answer = try JSONSerialization.jsonObject(
                with: Data((result.standardOutput).utf8), options: .fragmentsAllowed) as? [Any]
        else { throw Failure(description: "read_messages.py: \(result.standardError)") }
        return answer
    }
}
