import DeviceProfiles
import FieldLinks
import Telemetry

/// How one group of one device is read, and what its faults cost.
extension BusPoller {
    /// A request that a device refuses is asked again after this time.
    static let quarantineTime = Duration.seconds(3600)
    /// A busy device is asked once more after this time, in the same slot.
    static let busyPause = Duration.milliseconds(150)
    /// Asks a device for all blocks of one group; nil when asked to stop meanwhile.
    ///
    /// - Parameter isProbe: the device was silent: it is asked for little, once, and for the rest
    ///   only if it answers.
    func ask(
        _ entry: Int, on link: isolated BusLink, isProbe: Bool
    ) async -> PollResult? {
        let unit = targets[entry].unit
        if let result = await introduce(unit, on: link, isProbe: isProbe) { return result }
        if bell.isStopped { return nil }
        if case .meter(let binding) = units[unit].binding {
            return await ask(entry, of: binding, on: link, isProbe: isProbe)
        }
        let blocks = targets[entry].blocks
        var answers = [BlockAnswer?](repeating: nil, count: blocks.count)
        var tally = Tally(isProbe: isProbe)
        let order =
            isProbe
            ? blocks.indices.sorted { blocks[$0].request.count < blocks[$1].request.count }
            : Array(blocks.indices)
        for number in order {
            guard let answer = await read(number, of: entry, on: link, &tally) else { return nil }
            answers[number] = answer
        }
        let readings = units[unit].binding.modbus?.readings(
            group: targets[entry].index, answers.compactMap(\.self))
        return tally.result(readings)
    }

    /// What has happened within one poll so far.
    struct Tally {
        /// A poll is given up after so many requests in a row without an answer.
        static let longestSilence = 2

        let isProbe: Bool
        var hasAnswered = false
        var unanswered = 0
        /// The rest of the poll is not asked for, for this reason.
        var giveUp: BadReason?
        var isLinkDown = false
        var cause = ""

        init(isProbe: Bool) { self.isProbe = isProbe }

        var attempts: Int { isProbe && !hasAnswered ? 1 : 2 }

        /// What a failed request means for the rest of the poll.
        mutating func note(_ error: BusError) {
            cause = "\(error)"
            switch error.code {
            case .exception(10), .exception(11):
                // A gateway speaks for its silent unit, after its own time-out.
                if !hasAnswered { giveUp = error.badReason }
            case .exception, .invalidRequest, .notGranted: hasAnswered = true
            case .disconnected, .connectFailed, .descriptors:
                giveUp = error.badReason
                isLinkDown = true
            case .timeout, .foreignAnswer:
                unanswered += 1
                // A unit that has said nothing yet would cost a time-out for each block.
                if !hasAnswered || unanswered >= Self.longestSilence { giveUp = error.badReason }
            }
        }

        func result(_ readings: [Reading]?) -> PollResult {
            var result = PollResult(readings: readings, ending: .answered, cause: cause)
            if isLinkDown {
                result.ending = nil
            } else if let reason = giveUp, !hasAnswered {
                result.ending = .silent(reason)
            }
            return result
        }
    }

    /// Reads one block, in parts where it was split; nil when asked to stop.
    private func read(
        _ number: Int, of entry: Int, on link: isolated BusLink, _ tally: inout Tally
    ) async -> BlockAnswer? {
        let unit = targets[entry].unit
        var answers: [RegisterAnswer] = []
        while answers.count < targets[entry].blocks[number].parts.count {
            if let reason = tally.giveUp {
                answers.append(.bad(reason))
                continue
            }
            await settleCommands(on: link)
            if bell.isStopped { return nil }
            let request = targets[entry].blocks[number].parts[answers.count]
            if isQuarantined(.registers(request), of: unit) {
                answers.append(.bad(.exception))
                continue
            }
            switch await ask(unit, request, on: link, attempts: tally.attempts) {
            case .success(let registers):
                units[unit].quarantine[.registers(request)] = nil
                tally.hasAnswered = true
                tally.unanswered = 0
                answers.append(registers)
            case .failure(let error):
                if error.code == .exception(2), targets[entry].blocks[number].split() {
                    onEvent(
                        .blockSplit(
                            link: name, device: units[unit].device, request: error.request))
                    answers = []
                    tally.hasAnswered = true
                    continue
                }
                answers.append(.bad(error.badReason))
                if error.isRefusal {
                    quarantine(.registers(request), of: unit, cause: "\(error)")
                }
                tally.note(error)
            }
        }
        return BlockAnswer(targets[entry].blocks[number], answers)
    }

    func isQuarantined(_ question: PollUnit.Question, of unit: Int) -> Bool {
        units[unit].quarantine[question].map { clock.elapsed() < $0 } ?? false
    }

    /// What is refused is told once and left alone for a while.
    func quarantine(
        _ question: PollUnit.Question, of unit: Int, cause: @autoclosure () -> String
    ) {
        let until = clock.elapsed() + Self.quarantineTime
        if units[unit].quarantine.updateValue(until, forKey: question) == nil {
            onEvent(.requestRefused(link: name, device: units[unit].device, cause: cause()))
        }
    }

    /// Makes one request, with its retries; commands that wait go first.
    func ask(
        _ unit: Int, _ request: RegisterRequest, on link: isolated BusLink, attempts: Int
    ) async -> Result<RegisterAnswer, BusError> {
        let number = units[unit].number
        let timeout = units[unit].binding.responseTimeout
        return await attempt(unit, on: link, attempts: attempts) {
            link throws(BusError) in try link.read(request, unit: number, timeout: timeout)
        }
    }

    /// Does `body` on a link that is connected and at rest, again where that may help.
    func attempt<R>(
        _ unit: Int, on link: isolated BusLink, attempts: Int,
        _ body: (isolated BusLink) throws(BusError) -> R
    ) async -> Result<R, BusError> {
        var left = attempts
        var wasBusy = false
        var mayReconnect = link.isConnected
        while true {
            do throws(BusError) {
                try connect(link, pause: units[unit].binding.afterConnect)
                rest(units[unit].binding.quietTime, link)
                untold += 1
                defer { contact.lastEnd = clock.elapsed() }
                let result = try body(link)
                heard()
                return .success(result)
            } catch {
                tell()
                status.update { status in
                    status.failures += 1
                    status.lastError = "\(error)"
                }
                switch error.code {
                case .disconnected where mayReconnect && !isOver:
                    // Many devices close an idle connection; only a new one that fails is news.
                    mayReconnect = false
                case .timeout, .foreignAnswer:
                    left -= 1
                    unheard(link)
                    if left <= 0 || isOver { return .failure(error) }
                case .exception where error.disposition == .retrySoon && !wasBusy:
                    heard()
                    wasBusy = true
                    stillness.wait(Self.busyPause)
                case .disconnected:
                    fail(error)
                    return .failure(error)
                case .exception:
                    heard()
                    return .failure(error)
                default: return .failure(error)
                }
            }
        }
    }
}

extension BusLink {
    /// Reads one request of a plan.
    package func read(
        _ request: RegisterRequest, unit: UInt8, timeout: Duration
    ) throws(BusError) -> RegisterAnswer {
        let (address, count) = (request.address, request.count)
        switch request.area {
        case .holding, .input:
            return .registers(
                try readRegisters(
                    unit: unit, function: request.area == .holding ? .holding : .input,
                    address: address, count: count, timeout: timeout))
        case .coil, .discrete:
            return .bits(
                try readBits(
                    unit: unit, function: request.area == .coil ? .coil : .discrete,
                    address: address, count: count, timeout: timeout))
        }
    }
}

extension BusError {
    /// Whether asking the same again would be refused again.
    var isRefusal: Bool {
        switch code {
        case .exception(1), .exception(2), .exception(3), .invalidRequest, .notGranted: true
        default: false
        }
    }

    /// Whether the device may have done what it was told, though it did not say so.
    var mayHaveArrived: Bool {
        switch code {
        case .timeout, .foreignAnswer, .disconnected: true
        // Failed on the way, taken for later, or not answered to the gateway in front of it.
        case .exception(4), .exception(5), .exception(11): true
        case .exception, .invalidRequest, .notGranted, .connectFailed, .descriptors: false
        }
    }

    /// The quality of the readings that this error leaves without a value.
    package var badReason: BadReason {
        switch code {
        case .timeout: .timeout
        case .exception, .invalidRequest, .notGranted: .exception
        case .foreignAnswer: .foreignAnswer
        case .disconnected, .connectFailed, .descriptors: .disconnected
        }
    }
}
