import Telemetry

/// Under which meter, function and code a series is reported.
package struct EnergyMeterPoint: Hashable, Sendable {
    /// The meter's index in the archive that was agreed with the platform; not its bus address.
    package var meter: String
    /// The function's index within the meter.
    package var function: String
    /// The code of the energy item, as a rule 15 characters (`EnergyItemCodes`).
    package var coding: String

    package init(meter: String, function: String = "01", coding: String) {
        self.meter = meter
        self.function = function
        self.coding = coding
    }
}

/// Where platforms of the building energy upload differ, each with what most of them do.
package struct EnergyDialect: Hashable, Sendable {
    /// In which order the MD5 of the log-in takes its two parts.
    package enum DigestOrder: String, Hashable, Sendable, CaseIterable {
        case sequenceSecret = "sequence_secret"
        case secretSequence = "secret_sequence"
    }

    /// The word in the declaration of our XML, which is ASCII either way.
    package enum Encoding: String, Hashable, Sendable, CaseIterable {
        case utf8 = "utf-8"
        case gb2312 = "GB2312"
        /// No declaration.
        case none
    }

    /// Which messages are not encrypted; the platform's answers to them need not be either.
    package enum PlainMessages: String, Hashable, Sendable, CaseIterable {
        case none
        /// The first one of a connection.
        case request
        /// All until the log-in is through.
        case login
    }

    /// What stands in `<type>`.
    package enum TypeWord: String, Hashable, Sendable, CaseIterable {
        case operation
        /// The name of the element, for example `id_validate`.
        case element
    }

    /// The four bytes before the body of an answer.
    package enum SequenceBytes: String, Hashable, Sendable, CaseIterable {
        /// Those of the message that is answered.
        case echo
        /// Always `00 01 00 00`.
        case fixed
    }

    /// What a value is; the frame does not say.
    package enum Amount: String, Hashable, Sendable, CaseIterable {
        /// What the meter shows at the end of the period.
        case register
        /// What was used within the period.
        case interval
    }

    /// Which end of the period stands in `<time>`.
    package enum PeriodTime: String, Hashable, Sendable, CaseIterable {
        case start, end
    }

    package var marks = EnergyFrame.Marks.guideline
    package var digestOrder = DigestOrder.sequenceSecret
    package var encoding = Encoding.utf8
    package var plainMessages = PlainMessages.none
    package var typeWord = TypeWord.operation
    package var sequenceBytes = SequenceBytes.echo
    package var amount = Amount.register
    package var time = PeriodTime.end
    /// `error=` of a good value.
    package var goodMark = ""
    /// `error=` of a value that is bad or missing; never empty.
    package var faultMark = "1"
    /// Whether the gateway describes itself after each log-in without being asked.
    package var announcesDevice = false
    /// Whether messages for another building or gateway are passed over.
    package var checksAddress = true
    /// What a second message for the same period does; nothing that was read says so.
    package var correction = CorrectionForm.none

    package init() {}
}

/// How long the building energy upload waits. No text that was read gives these figures.
package struct EnergyPatience: Hashable, Sendable {
    /// For the log-in to be through.
    package var login = Duration.seconds(30)
    /// From one heartbeat to the next.
    package var heartbeat = Duration.seconds(60)
    /// For the acknowledgement of a report.
    package var acknowledgement = Duration.seconds(30)
    /// Until a report without acknowledgement is tried again.
    package var retry = Duration.seconds(30)
    /// Until a report that the platform refused is tried again.
    package var refusal = Duration.seconds(300)
    /// For any sign of life; nil: without end.
    package var silence: Duration? = .seconds(300)

    package init() {}
}

/// One uplink to a platform of the building energy upload.
package struct BuildingEnergyOptions: Hashable, Sendable, CustomStringConvertible {
    /// One line of what the gateway tells of itself: `factory`, `software`, `build_name` …
    package struct DeviceField: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// As a rule 10 characters, `330302D110`.
    package var building: String
    /// As a rule two digits.
    package var gateway: String
    /// The secret of the log-in.
    package var secret: String
    package var cipher: EnergyCipher
    /// What is reported; a series that is not in it is not.
    package var meters: [SeriesID: EnergyMeterPoint]
    /// The kind and the scope of the items, as in `UplinkItem`, for what the platform asks for.
    package var kind: String
    package var scope: String
    /// Minutes from one report to the next, as long as the platform sets nothing else.
    package var period: Int
    package var dialect = EnergyDialect()
    package var patience = EnergyPatience()
    /// Reports that may wait for an acknowledgement at once.
    package var window = 1
    /// The largest frame that is read, in bytes.
    package var longestFrame = 1 << 20
    /// Which demands of the platform are obeyed; a restart never is.
    package var obeys: Set<EnergyDemand.Kind> = []
    /// What the gateway tells of itself, in this order.
    package var device: [DeviceField] = []

    package init(
        building: String, gateway: String, secret: String, cipher: EnergyCipher,
        meters: [SeriesID: EnergyMeterPoint], kind: String, scope: String, period: Int = 15
    ) {
        self.building = building
        self.gateway = gateway
        self.secret = secret
        self.cipher = cipher
        self.meters = meters
        self.kind = kind
        self.scope = scope
        self.period = period
    }

    /// Without secrets.
    package var description: String { "building \(building), gateway \(gateway)" }
}
