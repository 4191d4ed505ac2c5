import DeviceProfiles
import FieldLinks
import Telemetry

/// Writes: before reads, read back, and taken back.
extension BusPoller {
    /// A device is asked so often whether it has done what it was told.
    private static let confirmations = 3
    private static let confirmationPause = Duration.milliseconds(100)

    /// Carries out the orders that wait, and takes back what has stood long enough.
    func settleCommands(on link: isolated BusLink) async {
        while let work = commands.next(now: clock.elapsed()) {
            let outcome = await carryOut(work, on: link)
            commands.finish(work, outcome, now: clock.elapsed())
            report(work, outcome)
            // A safe state that cannot be reached is tried again later, not in a circle.
            if work.number == nil, outcome != .done { return }
        }
    }

    /// Leaves every device that was switched in its safe state, as well as it can be reached.
    func restoreSafeStates(on link: isolated BusLink) async {
        isRestoring = true
        for work in commands.standingWork() where link.isConnected {
            let outcome = await carryOut(work, on: link)
            commands.finish(work, outcome, now: clock.elapsed())
            report(work, outcome)
        }
    }

    private func carryOut(
        _ work: DeviceCommands.Work, on link: isolated BusLink
    ) async -> DeviceOrder.Outcome {
        let command = work.command
        guard let request = command.request(for: work.word),
            let unit = units.firstIndex(where: { $0.device == command.device })
        else { return .refused("'\(work.word)' is not a word of the command") }
        let timeout = units[unit].binding.responseTimeout
        // One attempt that may have arrived is enough, whatever became of the next.
        var mayHaveArrived = false
        let written = await attempt(unit, on: link, attempts: 2) { link throws(BusError) in
            do throws(BusError) {
                try link.write(request, timeout: timeout)
            } catch {
                mayHaveArrived = mayHaveArrived || error.mayHaveArrived
                throw error
            }
        }
        if case .failure(let error) = written {
            return mayHaveArrived ? .unconfirmed("\(error)") : .refused("\(error)")
        }
        var said = "nothing"
        for number in 0..<Self.confirmations {
            if number > 0 { stillness.wait(Self.confirmationPause) }
            switch await ask(unit, command.confirmation, on: link, attempts: 1) {
            case .success(let answer):
                let word = command.word(in: answer)
                if word == work.word { return .done }
                said = word.map { "'\($0)'" } ?? "no known state"
            case .failure(let error): said = "\(error)"
            }
        }
        return .unconfirmed("the device reads back \(said) instead of '\(work.word)'")
    }

    private func report(_ work: DeviceCommands.Work, _ outcome: DeviceOrder.Outcome) {
        onEvent(
            .commanded(
                link: name,
                order: DeviceOrder(
                    device: work.command.device, point: work.command.key, word: work.word,
                    actor: work.actor), outcome: outcome))
    }
}
