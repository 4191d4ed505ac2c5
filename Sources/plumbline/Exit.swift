import ArgumentParser
import Foundation
import LocatedText

/// How a verb ends when it fails; the numbers are those of `sysexits.h`.
enum Failure: Error {
    /// 65: the configuration, a profile or an argument's content is wrong.
    case badInput(String)
    /// 69: something that should answer does not.
    case unreachable(String)
    /// 74: a file or the disk.
    case inputOutput(String)

    var code: ExitCode {
        switch self {
        case .badInput: ExitCode(65)
        case .unreachable: ExitCode(69)
        case .inputOutput: ExitCode(74)
        }
    }

    var message: String {
        switch self {
        case .badInput(let text), .unreachable(let text), .inputOutput(let text): text
        }
    }
}

/// Runs a verb's work and turns its failures into a message on standard error and an exit code.
func reportingFailures(_ work: () async throws -> Void) async throws {
    do {
        try await work()
    } catch let faults as Faults {
        complain(faults.description)
        complain(
            say(
                "\(faults.all.count) fault(s); nothing was started", "共 \(faults.all.count) 处错误，未启动"
            ))
        throw ExitCode(65)
    } catch let failure as Failure {
        complain(failure.message)
        throw failure.code
    }
}

/// Writes one line to standard error.
func complain(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
}
