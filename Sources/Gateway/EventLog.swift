import Acquisition
import Delivery
import FieldLinks
import Logging
import Store

/// Turns what happens on links into one log line each; state changes are `info` or worse.
struct EventLog: Sendable {
    let logger: Logger

    /// A serial server called that no link expects.
    func turnedAway(port: String, said: String) {
        logger.warning(
            "a serial server calls that no link expects",
            metadata: ["port": "\(port)", "registration": "\(said)"])
    }

    func acquisition(_ event: AcquisitionEvent) {
        switch event {
        case .linkUp(let link, let detail):
            logger.info("link up", metadata: ["link": "\(link)", "detail": "\(detail)"])
        case .linkDown(let link, let cause):
            logger.warning("link down", metadata: ["link": "\(link)", "cause": "\(cause)"])
        case .deviceSilent(let link, let device, let cause):
            logger.warning(
                "device silent",
                metadata: ["link": "\(link)", "device": "\(device)", "cause": "\(cause)"])
        case .deviceAnswers(let link, let device):
            logger.info("device answers", metadata: ["link": "\(link)", "device": "\(device)"])
        case .blockSplit(let link, let device, let request):
            logger.notice(
                "block split",
                metadata: ["link": "\(link)", "device": "\(device)", "request": "\(request)"])
        case .requestRefused(let link, let device, let cause):
            logger.warning(
                "request refused by the device",
                metadata: ["link": "\(link)", "device": "\(device)", "cause": "\(cause)"])
        case .notIdentified(let link, let device, let cause):
            logger.error(
                "the device is not what its profile describes",
                metadata: ["link": "\(link)", "device": "\(device)", "cause": "\(cause)"])
        case .ratiosRead(let link, let device, let ratios):
            let words = ratios.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            logger.notice(
                "ratios read from the device",
                metadata: [
                    "link": "\(link)", "device": "\(device)",
                    "ratios": "\(words.joined(separator: " "))",
                ])
        case .commanded(let link, let order, let outcome):
            logger.notice(
                "device commanded",
                metadata: [
                    "link": "\(link)", "device": "\(order.device)", "point": "\(order.point)",
                    "word": "\(order.word)", "by": "\(order.actor)", "outcome": "\(outcome)",
                ])
        case .messageRefused(let link, let device, let topic, let reason, let detail):
            logger.warning(
                "message refused",
                metadata: [
                    "link": "\(link)", "device": "\(device?.text ?? "-")", "topic": "\(topic)",
                    "reason": "\(reason.rawValue)", "detail": "\(detail)",
                ])
        case .duplicateRefused(let link, let topic):
            logger.debug("repetition refused", metadata: ["link": "\(link)", "topic": "\(topic)"])
        case .stationUnknown(let link, let peer, let name):
            logger.warning(
                "a station calls that is not configured; its packets are not answered",
                metadata: [
                    "link": "\(link)", "station": "\(name)", "peer": "\(peer)",
                    "add":
                        "- { id: dust-1, profile: generic/hj212-dust-2017, interface: hj212-ug, key: \"\(name)\" }",
                ])
        case .stationTwice(let link, let device, let peers):
            logger.error(
                "two stations call with the same MN: give each its own",
                metadata: [
                    "link": "\(link)", "device": "\(device)",
                    "peers": "\(peers.joined(separator: ", "))",
                ])
        case .subscriptionRefused(let link, let filter, let reason):
            logger.error(
                "the broker refuses the subscription",
                metadata: ["link": "\(link)", "filter": "\(filter)", "reason": "\(reason)"])
        case .sessionLost(let link):
            logger.warning(
                "the broker lost the session; subscribed again", metadata: ["link": "\(link)"])
        case .subscriptionLost(let link, let silence):
            logger.warning(
                "the broker lost the subscription; subscribed again",
                metadata: ["link": "\(link)", "silent": "\(silence)"])
        case .birthMissing(let link, let node, let reason, let isAsked):
            logger.warning(
                "Sparkplug birth missing",
                metadata: [
                    "link": "\(link)", "node": "\(node)", "reason": "\(reason)",
                    "asked": "\(isAsked ? "yes" : "no, the link does not say 'rebirth: true'")",
                ])
        case .probeOff(let link, let reason):
            logger.notice(
                "subscription not watched", metadata: ["link": "\(link)", "reason": "\(reason)"])
        }
    }

    func uplink(_ uplink: String, _ event: UplinkEvent) {
        switch event {
        case .connected: logger.info("uplink up", metadata: ["uplink": "\(uplink)"])
        case .disconnected(let reason):
            logger.warning("uplink down", metadata: ["uplink": "\(uplink)", "cause": "\(reason)"])
        case .note(let note):
            logger.debug(
                "uplink \(note.direction.rawValue)",
                metadata: ["uplink": "\(uplink)", "text": "\(note.text)"])
        }
    }

    func uplink(_ uplink: String, _ event: MQTTLinkEvent) {
        if let event = UplinkEvent(event) { self.uplink(uplink, event) }
    }

    /// A damaged store was moved aside: one line for the whole, one for each loss.
    func recovery(_ report: RecoveryReport) {
        logger.error(
            "the store was damaged; what is readable was salvaged",
            metadata: [
                "cause": "\(report.cause)", "damagedFile": "\(report.damagedFile)",
                "kept": "\(report.salvage?.kept ?? 0)", "lost": "\(report.salvage?.lost ?? 0)",
                "failure": "\(report.salvageFailure ?? "-")",
            ])
        for loss in report.salvage?.losses.prefix(Self.mostLosses) ?? [] {
            logger.error("readings are lost", metadata: ["loss": "\(loss)"])
        }
    }

    /// Losses that are logged one by one: as many as the audit entry lists.
    private static let mostLosses = 50
}
