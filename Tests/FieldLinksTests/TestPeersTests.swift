import TestPeers
import Testing

@Suite("The peers that tests start")
struct TestPeersTests {
    @Test("a broker listens for exactly as long as its scope")
    func brokerScope() async throws {
        let port = try await withBroker { broker in
            try await broker.publish("a/b", "x")
            #expect(isListening(broker.port))
            return broker.port
        }
        #expect(!isListening(port))
    }
}
