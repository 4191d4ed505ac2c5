import DeviceProfiles
import FieldLinks
import Telemetry

/// Getting to know a device before its numbers are believed.
extension BusPoller {
    /// A device that is not what its profile describes is looked at again after this time.
    private static let secondLook = Duration.seconds(60)
    /// Ratios are read again after this time: somebody may have changed a transformer.
    private static let ratioInterval = Duration.seconds(900)

    /// Asks a stranger who it is; nil when the device is known and can be polled.
    func introduce(
        _ unit: Int, on link: isolated BusLink, isProbe: Bool
    ) async -> PollResult? {
        guard case .modbus(let described) = units[unit].described else { return nil }
        let isRefresh: Bool
        switch units[unit].acquaintance {
        case .known:
            guard let due = units[unit].refreshAt, clock.elapsed() >= due else { return nil }
            isRefresh = true
        case .different(let until) where clock.elapsed() < until:
            return PollResult(ending: .answered, refusal: .notIdentified)
        case .stranger, .different: isRefresh = false
        }
        var preparation = DevicePreparation(
            isRefresh ? units[unit].binding.modbus ?? described : described,
            isRefresh: isRefresh)
        while let request = preparation.next {
            if bell.isStopped { return nil }
            switch await ask(unit, request, on: link, attempts: isProbe ? 1 : 2) {
            case .success(let answer): preparation.take(answer)
            case .failure(let error):
                switch error.code {
                case .exception(1), .exception(2), .exception(3):
                    preparation.take(.bad(.exception))
                case .disconnected, .connectFailed, .descriptors:
                    return PollResult(ending: nil, refusal: error.badReason)
                case .exception(10), .exception(11), .timeout, .foreignAnswer:
                    return PollResult(
                        ending: .silent(error.badReason), refusal: error.badReason,
                        cause: "\(error)")
                default:
                    // Busy, or in trouble of its own: the next slot may be better.
                    return PollResult(ending: .answered, refusal: error.badReason)
                }
            }
        }
        return settle(preparation, of: unit)
    }

    private func settle(_ preparation: DevicePreparation, of unit: Int) -> PollResult? {
        switch preparation.outcome {
        case .ready(let binding):
            if binding.ratios != units[unit].binding.modbus?.ratios {
                onEvent(
                    .ratiosRead(link: name, device: units[unit].device, ratios: binding.ratios))
            }
            units[unit].binding = .modbus(binding)
            units[unit].acquaintance = .known
            if binding.readsRatios { units[unit].refreshAt = clock.elapsed() + Self.ratioInterval }
            for index in targets.indices where targets[index].unit == unit {
                targets[index] = PollTarget(
                    unit: unit, binding: .modbus(binding), index: targets[index].index,
                    group: targets[index].group)
            }
            return nil
        case .different(let why):
            if case .different = units[unit].acquaintance {
            } else {
                onEvent(.notIdentified(link: name, device: units[unit].device, cause: why))
            }
            units[unit].acquaintance = .different(until: clock.elapsed() + Self.secondLook)
            return PollResult(ending: .answered, refusal: .notIdentified)
        case nil: return nil
        }
    }
}
