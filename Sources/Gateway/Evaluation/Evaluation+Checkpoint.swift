import Foundation
import Store
import Telemetry

extension Evaluation {
    /// The machine's state as it is stored.
    func checkpoint(of machine: EvaluationMachine) -> EvaluationCheckpoint {
        EvaluationCheckpoint(
            version: EvaluationMachine.State.version, cursor: machine.cursor,
            state: machine.state.encoded())
    }

    /// - Throws: `Damage` or `CheckpointError`, or what the JSON of version 2 is wrong in.
    static func state(of checkpoint: EvaluationCheckpoint) throws -> EvaluationMachine.State {
        switch checkpoint.version {
        case EvaluationMachine.State.version:
            return try EvaluationMachine.State(decoding: checkpoint.state)
        case 2:
            let decoder = JSONDecoder()
            decoder.nonConformingFloatDecodingStrategy = .convertFromString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            return try decoder.decode(EvaluationMachine.State.self, from: Data(checkpoint.state))
        default:
            throw CheckpointError.unknownVersion(checkpoint.version)
        }
    }
}

/// Why a checkpoint could not be used.
enum CheckpointError: Error, CustomStringConvertible {
    case unknownVersion(Int)

    var description: String {
        switch self {
        case .unknownVersion(let version): "its format \(version) is not known to this version"
        }
    }
}
