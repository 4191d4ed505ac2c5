import DeviceProfiles
import FieldLinks
import Telemetry

/// Somebody wants a device switched.
package struct DeviceOrder: Hashable, Sendable {
    /// How an order ended.
    package enum Outcome: Hashable, Sendable, CustomStringConvertible {
        /// The device reads back what was wanted.
        case done
        /// It was not sent; why.
        case refused(String)
        /// It was sent, and the device does not say that it was done.
        case unconfirmed(String)

        package var description: String {
            switch self {
            case .done: "done"
            case .refused(let why): "refused: \(why)"
            case .unconfirmed(let why): "unconfirmed: \(why)"
            }
        }
    }

    package var device: DeviceID
    package var point: PointKey
    /// A word of the command's `values`.
    package var word: String
    /// Who wants it; stands in the audit chain.
    package var actor: String

    package init(device: DeviceID, point: PointKey, word: String, actor: String) {
        self.device = device
        self.point = point
        self.word = word
        self.actor = actor
    }
}

extension DeviceCommand {
    /// What the link must be granted for this command.
    package var grants: [WriteGrant] {
        guard let function = WriteGrant.Function(rawValue: function) else { return [] }
        return [
            WriteGrant(
                unit: unit, function: function, address: address, values: Set(values.values))
        ]
    }

    /// The write for a word; nil for a word that is not the command's.
    func request(for word: String) -> WriteRequest? {
        guard let function = WriteGrant.Function(rawValue: function), let value = values[word]
        else { return nil }
        return WriteRequest(unit: unit, function: function, address: address, values: value)
    }
}
