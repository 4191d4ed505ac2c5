import Store
import Telemetry

extension Evaluation {
    /// The machine's state as it is stored.
    func checkpoint(of machine: EvaluationMachine) -> EvaluationCheckpoint {
        EvaluationCheckpoint(
            version: EvaluationMachine.State.version, cursor: machine.cursor,
            state: machine.state.encoded())
    }

    /// - Throws: `Damage` or `CheckpointError`.
    static func state(of checkpoint: EvaluationCheckpoint) throws -> EvaluationMachine.State {
        switch checkpoint.version {
        case 3, EvaluationMachine.State.version:
            return try EvaluationMachine.State(
                decoding: checkpoint.state, version: checkpoint.version)
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
