import DeviceProfiles
import FieldLinks
import Telemetry

extension HJ212Router {
    /// One station that the site knows.
    struct Target: Sendable {
        let binding: HJ212Binding
        let group: ScanGroup
    }

    /// What is asked of every packet.
    struct Rules: Sendable {
        var link: String
        /// nil accepts any password.
        var password: String?
        /// What is older than this when it arrives is history.
        var backfillAfter: Duration
        /// How many marks of committed packets are kept.
        var memory = 4096
    }

    /// What became of one batch.
    struct Outcome: Sendable {
        /// Sent again unless they are acknowledged.
        var awaited = Admission(scans: [])
        /// Sent once.
        var unawaited = Admission(scans: [])
        var devices: [(scan: Scan, device: DeviceID)] = []
        var replies: [HJ212Listener.Reply] = []
        /// What is sent after the commit of `awaited`.
        var acknowledgements: [HJ212Listener.Reply] = []
        var refused: [Refusal] = []
        var events: [AcquisitionEvent] = []
        var packets = 0
        /// What is stored with these admissions, by station.
        var uploads: [(station: String, upload: HJ212Upload)] = []

        /// This, when what is sent once could not be stored.
        var withoutUnawaited: Outcome {
            var rest = self
            rest.unawaited = Admission(scans: [])
            rest.uploads.removeAll { $0.upload.answers.isEmpty }
            return rest
        }
    }

    /// Something that brought no reading.
    struct Refusal: Sendable {
        var reason: RefusalReason
        var device: DeviceID?
        var what: String
        var detail: String
        /// Whether one of the events tells of it, or has told.
        var isTold = false
    }
}
