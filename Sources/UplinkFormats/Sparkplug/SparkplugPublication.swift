/// One message as an edge node wants it said.
package struct SparkplugPublication: Hashable, Sendable {
    package var topic: String
    package var payload: [UInt8]
    /// 0 for everything but deaths.
    package var qos: Int

    package init(topic: String, payload: [UInt8], qos: Int = 0) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
    }
}
