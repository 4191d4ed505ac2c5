import DeviceProfiles
import FieldLinks
import Telemetry

/// Meters of DL/T 645 and CJ/T 188 on the bus, whose frames bear their own addresses.
extension BusPoller {
    /// Asks a meter for all items of one group; nil when asked to stop meanwhile.
    func ask(
        _ entry: Int, of binding: MeterBinding, on link: isolated BusLink, isProbe: Bool
    ) async -> PollResult? {
        let unit = targets[entry].unit
        var tally = Tally(isProbe: isProbe)
        var answers: [MeterAnswer] = []
        for request in binding.requests(group: targets[entry].index) {
            if let reason = tally.giveUp {
                answers.append(.bad(reason))
                continue
            }
            if isQuarantined(.item(request.item), of: unit) {
                answers.append(.bad(.exception))
                continue
            }
            await settleCommands(on: link)
            if bell.isStopped { return nil }
            let name = "\(units[unit].device) \(request)"
            let result = await attempt(unit, on: link, attempts: tally.attempts) {
                link throws(BusError) in
                try link.exchange(
                    request.bytes, name: name, timeout: binding.responseTimeout, request.search)
            }
            switch result {
            case .success(let answer):
                tally.hasAnswered = true
                tally.unanswered = 0
                answers.append(answer)
                note(answer, to: request, of: unit)
            case .failure(let error):
                answers.append(.bad(error.badReason))
                tally.note(error)
            }
        }
        return tally.result(binding.decode(group: targets[entry].index, answers: answers))
    }

    private func note(_ answer: MeterAnswer, to request: MeterRequest, of unit: Int) {
        switch answer {
        case .data: units[unit].quarantine[.item(request.item)] = nil
        case .bad(let reason):
            status.update { $0.failures += 1 }
            // An answer of another length may have been damaged on the way; a refusal is one.
            guard reason == .exception else { return }
            quarantine(
                .item(request.item), of: unit,
                cause: "\(request) at \(units[unit].device): the meter refuses it")
        }
    }
}
