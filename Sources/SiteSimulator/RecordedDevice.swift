import DeviceProfiles
import Telemetry

/// A device that says what a real one said once: a recording behind a Modbus TCP server.
package struct RecordedDevice: Sendable {
    private let server: ModbusServer

    /// Begins to listen on 127.0.0.1.
    ///
    /// - Parameter port: 0 takes a free one.
    package init(_ recording: DeviceRecording, port: Int) throws(SimulationError) {
        let image = recording.image
        server = try ModbusServer(
            name: "recording", port: port,
            units: [
                recording.unit: ModbusServer.Unit(
                    device: DeviceID("recording"), readable: Array(recording.read),
                    image: { image })
            ], faults: FaultBoard())
    }

    /// Where it listens.
    package var port: Int { server.port }

    /// Answers until `stop`.
    package func run() async { await server.serve() }

    /// Ends `run`.
    package func stop() { server.stop() }
}
