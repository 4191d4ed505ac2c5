import DeviceProfiles
import FieldLinks
import Telemetry

/// One scan group of one device, as the loop of a link sees it.
struct PollTarget: Sendable {
    let unit: UInt8
    let binding: ModbusBinding
    /// The group's place in the binding.
    let index: Int
    let group: ScanGroup
    var blocks: [RegisterBlock]
    /// Refusals are reported once for each block.
    var reported: Set<RegisterRequest> = []

    init(unit: UInt8, binding: ModbusBinding, index: Int, group: ScanGroup) {
        self.unit = unit
        self.binding = binding
        self.index = index
        self.group = group
        blocks = RegisterBlock.blocks(of: binding, group: index)
    }

    var period: Duration {
        group.period ?? binding.groups[index].period ?? .seconds(60)
    }
}

/// What is known about the connection of a link.
struct LinkContact: Sendable {
    var backoff: Backoff
    /// No attempt to connect before this time of the link's clock.
    var downUntil: Duration?
    /// What was reported last; nil before the first word.
    var isReportedUp: Bool?
    /// When the last answer or time-out ended, by the link's clock.
    var lastEnd: Duration?

    init(_ backoff: Backoff) { self.backoff = backoff }
}

/// What one poll brought.
struct PollResult: Sendable {
    var answers: [BlockAnswer]
    /// What the schedule is told; nil when the link itself was down.
    var ending: PollSchedule.Ending?
    var cause = ""
}

extension ModbusAcquisition {
    /// Asks a device for all blocks of one group; nil when asked to stop meanwhile.
    func ask(
        _ target: inout PollTarget, on link: isolated ModbusLink, _ contact: inout LinkContact,
        isKnownSilent: Bool
    ) async -> PollResult? {
        var result = PollResult(answers: [], ending: .answered)
        var hasAnswered = false
        var giveUp: BadReason?
        for number in target.blocks.indices {
            var answers: [RegisterAnswer] = []
            var part = 0
            while part < target.blocks[number].parts.count {
                if let giveUp {
                    answers.append(.bad(giveUp))
                    part += 1
                    continue
                }
                if signal.isStopped { return nil }
                let request = target.blocks[number].parts[part]
                let answer = await read(
                    request, of: target, on: link, &contact,
                    attempts: hasAnswered || isKnownSilent ? 1 : 2)
                switch answer {
                case .success(let registers):
                    hasAnswered = true
                    answers.append(registers)
                case .failure(let error):
                    result.cause = "\(error)"
                    if error.code == .exception(2), target.blocks[number].split() {
                        onEvent(
                            .blockSplit(
                                link: name, device: target.group.device, request: error.request))
                        answers = []
                        part = 0
                        hasAnswered = true
                        continue
                    }
                    let reason = error.badReason
                    answers.append(.bad(reason))
                    switch error.code {
                    case .exception(10), .exception(11):
                        // A gateway speaks for its silent unit, after its own time-out.
                        if !hasAnswered { giveUp = reason }
                    case .exception, .invalidRequest:
                        hasAnswered = true
                        if target.reported.insert(request).inserted {
                            onEvent(
                                .requestRefused(
                                    link: name, device: target.group.device, cause: "\(error)"))
                        }
                    case .disconnected, .connectFailed, .descriptors:
                        giveUp = reason
                        result.ending = nil
                    case .timeout, .foreignAnswer:
                        // A unit that has said nothing yet would cost a time-out for each block.
                        if !hasAnswered { giveUp = reason }
                    }
                }
                part += 1
            }
            result.answers.append(BlockAnswer(target.blocks[number], answers))
        }
        if let giveUp, result.ending != nil { result.ending = .silent(giveUp) }
        return result
    }

    private func read(
        _ request: RegisterRequest, of target: PollTarget, on link: isolated ModbusLink,
        _ contact: inout LinkContact, attempts: Int
    ) async -> Result<RegisterAnswer, ModbusError> {
        var left = attempts
        var mayReconnect = link.isConnected
        while true {
            do throws(ModbusError) {
                try await connect(link, &contact, pause: target.binding.afterConnect)
                if let lastEnd = contact.lastEnd, target.binding.quietTime > .zero {
                    let rest = target.binding.quietTime - (clock.elapsed() - lastEnd)
                    if rest > .zero { await signal.wait(rest, on: clock) }
                }
                status.update(link: name) { $0.requests += 1 }
                defer { contact.lastEnd = clock.elapsed() }
                return .success(try link.read(request, unit: target.unit))
            } catch {
                status.update(link: name) { status in
                    status.failures += 1
                    status.lastError = "\(error)"
                }
                switch error.code {
                case .disconnected where mayReconnect && !signal.isStopped:
                    // Many devices close an idle connection; only a new one that fails is news.
                    mayReconnect = false
                case .timeout, .foreignAnswer:
                    left -= 1
                    if left <= 0 || signal.isStopped { return .failure(error) }
                case .disconnected:
                    fail(&contact, error)
                    return .failure(error)
                default: return .failure(error)
                }
            }
        }
    }

    private func connect(
        _ link: isolated ModbusLink, _ contact: inout LinkContact, pause: Duration
    ) async throws(ModbusError) {
        if link.isConnected { return }
        if let downUntil = contact.downUntil, clock.elapsed() < downUntil {
            throw ModbusError(
                code: .disconnected, request: "\(link.host):\(link.port)",
                cause: "the link is down")
        }
        do throws(ModbusError) {
            try link.connect()
        } catch {
            fail(&contact, error)
            throw error
        }
        contact.downUntil = nil
        contact.backoff.reset()
        status.update(link: name) { $0.isConnected = true }
        if contact.isReportedUp != true {
            contact.isReportedUp = true
            onEvent(.linkUp(link: name, detail: "\(link.host):\(link.port)"))
        }
        if pause > .zero { await signal.wait(pause, on: clock) }
    }

    private func fail(_ contact: inout LinkContact, _ error: ModbusError) {
        status.update(link: name) { $0.isConnected = false }
        if let downUntil = contact.downUntil, clock.elapsed() < downUntil { return }
        contact.downUntil = clock.elapsed() + contact.backoff.next()
        if contact.isReportedUp != false {
            contact.isReportedUp = false
            onEvent(.linkDown(link: name, cause: "\(error)"))
        }
    }
}

extension ModbusLink {
    /// Reads one request of a plan.
    fileprivate func read(
        _ request: RegisterRequest, unit: UInt8
    ) throws(ModbusError) -> RegisterAnswer {
        let (address, count) = (request.address, request.count)
        switch request.area {
        case .holding:
            return .registers(
                try readRegisters(unit: unit, function: .holding, address: address, count: count))
        case .input:
            return .registers(
                try readRegisters(unit: unit, function: .input, address: address, count: count))
        case .coil:
            return .bits(
                try readBits(unit: unit, function: .coil, address: address, count: count))
        case .discrete:
            return .bits(
                try readBits(unit: unit, function: .discrete, address: address, count: count))
        }
    }
}

extension ModbusError {
    /// The quality of the readings that this error leaves without a value.
    fileprivate var badReason: BadReason {
        switch code {
        case .timeout: .timeout
        case .exception, .invalidRequest: .exception
        case .foreignAnswer: .foreignAnswer
        case .disconnected, .connectFailed, .descriptors: .disconnected
        }
    }
}
