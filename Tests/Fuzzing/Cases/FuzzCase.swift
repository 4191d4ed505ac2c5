/// One parser of bytes that nobody vouches for, and what must hold of whatever it makes of them.
///
/// A parser may refuse; it may not trap, hang or take memory without bound, and what it accepts must
/// keep the promise of its documentation. `make fuzz` looks for inputs that break that, and
/// `FuzzCorpusTests` replays those that are kept (docs/fuzzing.md).
package struct FuzzCase: Sendable {
    /// The folder of its inputs below `Tests/Fuzzing/Corpus`.
    package let name: String
    /// Throws `Broken` when something that was accepted is not what it should be.
    package let run: @Sendable (_ bytes: [UInt8]) throws -> Void

    /// Every parser, in the order in which `make fuzz` runs them.
    package static let all: [FuzzCase] = [
        FuzzCase(name: "hj212-stream", run: HJ212StreamCase.run),
        FuzzCase(name: "hj212-conversation", run: HJ212ConversationCase.run),
        FuzzCase(name: "energy-stream", run: EnergyStreamCase.run),
        FuzzCase(name: "energy-conversation", run: EnergyConversationCase.run),
        FuzzCase(name: "xml", run: XMLCase.run),
        FuzzCase(name: "meter-frames", run: MeterFrameCase.run),
        FuzzCase(name: "modbus-frames", run: ModbusFrameCase.run),
        FuzzCase(name: "registers", run: RegisterCase.run),
        FuzzCase(name: "mqtt-payload", run: MQTTPayloadCase.run),
        FuzzCase(name: "sparkplug", run: SparkplugCase.run),
        FuzzCase(name: "http-answer", run: HTTPAnswerCase.run),
        FuzzCase(name: "times-and-numbers", run: NumberTextCase.run),
        FuzzCase(name: "device-profile", run: DeviceProfileCase.run),
        FuzzCase(name: "point-list", run: PointListCase.run),
        FuzzCase(name: "tables", run: TableCase.run),
        FuzzCase(name: "bucket", run: BucketCase.run),
        FuzzCase(name: "checkpoint", run: CheckpointCase.run),
        FuzzCase(name: "stored-forms", run: StoredFormCase.run),
    ]
}

/// A promise that an accepted input does not keep.
package struct Broken: Error, CustomStringConvertible {
    package let description: String
}

/// Throws unless the promise is kept.
func promise(_ isKept: Bool, _ what: @autoclosure () -> String) throws {
    if !isKept { throw Broken(description: what()) }
}
