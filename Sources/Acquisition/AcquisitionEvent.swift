import Telemetry

/// What an operator should hear about the southbound side, each event named once.
package enum AcquisitionEvent: Hashable, Sendable {
    /// The link is connected; `detail` in words.
    case linkUp(link: String, detail: String)
    /// The link has gone, or never was there; silent retries follow.
    case linkDown(link: String, cause: String)
    /// The device stopped answering.
    case deviceSilent(link: String, device: DeviceID, cause: String)
    /// The device answers again.
    case deviceAnswers(link: String, device: DeviceID)
    /// A block is refused as a whole and is read in two halves from now on.
    case blockSplit(link: String, device: DeviceID, request: String)
    /// The device refuses what the profile asks for.
    case requestRefused(link: String, device: DeviceID, cause: String)
    /// The device is not what its profile describes; its values are bad until it is.
    case notIdentified(link: String, device: DeviceID, cause: String)
    /// The device has told its ratios, or told others than before.
    case ratiosRead(link: String, device: DeviceID, ratios: [String: Double])
    /// A device was switched, or was not; by an order, or back to its safe state.
    case commanded(link: String, order: DeviceOrder, outcome: DeviceOrder.Outcome)
    /// A message brought no reading; at most once a minute for each (reason, device), the rest are
    /// only counted.
    case messageRefused(
        link: String, device: DeviceID?, topic: String, reason: RefusalReason, detail: String)
    /// A message was committed before; it came again because its acknowledgement got lost.
    case duplicateRefused(link: String, topic: String)
    /// The broker does not allow this subscription.
    case subscriptionRefused(link: String, filter: String, reason: String)
    /// The broker came back without the session; everything was subscribed again.
    case sessionLost(link: String)
    /// The connection stood, but nothing came through it; everything was subscribed again.
    case subscriptionLost(link: String, silentFor: Duration)
    /// A Sparkplug node cannot be read further without a new birth; whether it was asked for one.
    case birthMissing(link: String, node: String, reason: String, isAsked: Bool)
    /// The broker does not let the link watch its own subscriptions.
    case probeOff(link: String, reason: String)
    /// A station calls that no device of the link is for; once for each name. `name` is what it says
    /// of itself, with nothing in it that a log could stumble over.
    case stationUnknown(link: String, peer: String, name: String)
    /// Two stations call with the same name at the same time.
    case stationTwice(link: String, device: DeviceID, peers: [String])
}

/// Why a message brought no reading. The word is used in metrics.
package enum RefusalReason: String, Hashable, Sendable, CaseIterable, Codable {
    case unknownTopic = "unknown_topic"
    /// The payload names a device that the link does not have.
    case unknownDevice = "unknown_device"
    case malformed
    case oversized
    /// Kept by the broker for newcomers, without a time of its own.
    case retained
    case duplicate
    /// A packet with a wrong checksum, or with one that the profile does not take.
    case badChecksum = "bad_checksum"
    /// No device of the link has this name.
    case unknownStation = "unknown_station"
    case wrongPassword = "wrong_password"
    /// The profile refused it for another reason.
    case refused
}
