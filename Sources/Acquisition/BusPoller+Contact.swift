import FieldLinks
import Telemetry

/// The connection of the link: made, kept quiet, given up.
extension BusPoller {
    /// So many requests in a row without an answer make a connection doubtful.
    private static let doubtfulSilence = 3

    func connect(_ link: isolated BusLink, pause: Duration) throws(BusError) {
        // A serial server that calls again knows that its old connection is dead.
        if link.isReplaced { link.close() }
        if link.isConnected { return }
        if let downUntil = contact.downUntil, clock.elapsed() < downUntil {
            throw BusError(
                code: .disconnected, request: "\(link.place)", cause: "the link is down")
        }
        do throws(BusError) {
            try link.connect()
        } catch {
            fail(error)
            throw error
        }
        contact.downUntil = nil
        contact.backoff.reset()
        contact.silence = 0
        contact.lastAnswer = clock.elapsed()
        status.update { $0.isConnected = true }
        if contact.isReportedUp != true {
            contact.isReportedUp = true
            onEvent(.linkUp(link: name, detail: "\(link.place)"))
        }
        if pause > .zero { bell.wait(pause) }
        // What a device was switched to before the link was lost is not left to chance.
        commands.linkReturned(at: clock.elapsed())
    }

    /// Leaves the line the silence that the device, and the line itself, want between two frames.
    func rest(_ quietTime: Duration, _ link: isolated BusLink) {
        var silence = quietTime
        if case .serial(let line) = link.place { silence = max(silence, line.frameGap) }
        guard silence > .zero, let lastEnd = contact.lastEnd else { return }
        let left = silence - (clock.elapsed() - lastEnd)
        if left > .zero { stillness.wait(left) }
    }

    /// Somebody on the link has answered.
    func heard() {
        contact.silence = 0
        contact.lastAnswer = clock.elapsed()
    }

    /// Nobody has answered; a network connection on which this lasts is closed.
    func unheard(_ link: isolated BusLink) {
        contact.silence += 1
        guard contact.silence >= Self.doubtfulSilence, let last = contact.lastAnswer,
            clock.elapsed() - last >= longestDoubt
        else { return }
        if case .serial = link.place { return }
        link.close()
    }

    func fail(_ error: BusError) {
        status.update { $0.isConnected = false }
        commands.linkLost()
        if let downUntil = contact.downUntil, clock.elapsed() < downUntil { return }
        contact.downUntil = clock.elapsed() + contact.backoff.next()
        if contact.isReportedUp != false {
            contact.isReportedUp = false
            onEvent(.linkDown(link: name, cause: "\(error)"))
        }
    }
}
