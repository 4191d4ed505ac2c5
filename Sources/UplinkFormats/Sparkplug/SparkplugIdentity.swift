/// Who a Sparkplug edge node is, and the topics that follow from it.
///
///     spBv1.0/<group>/NBIRTH|NDATA|NDEATH|NCMD/<node>
///     spBv1.0/<group>/DBIRTH|DDATA/<node>/<device>
///     spBv1.0/STATE/<host>
///
/// `+`, `#` and `/` may not stand in an id; whatever would, goes out percent-encoded
/// (`TopicLevel`), so that two devices never share a topic.
package struct SparkplugIdentity: Hashable, Sendable {
    /// As they are configured. A group is not called `STATE`: the hosts have that topic.
    package var group: String
    package var node: String
    /// The host without which nothing is said; nil: it is said to whoever listens.
    package var primaryHost: String?

    package init(group: String, node: String, primaryHost: String? = nil) {
        self.group = group
        self.node = node
        self.primaryHost = primaryHost
    }

    /// The node's own messages.
    enum NodeMessage: String { case birth = "NBIRTH", death = "NDEATH", command = "NCMD" }

    /// The messages of a device behind the node.
    enum DeviceMessage: String { case birth = "DBIRTH", data = "DDATA" }

    func topic(_ message: NodeMessage) -> String {
        "spBv1.0/\(TopicLevel.escape(group))/\(message.rawValue)/\(TopicLevel.escape(node))"
    }

    /// - Parameter device: as the gateway calls it.
    func topic(_ message: DeviceMessage, _ device: String) -> String {
        "spBv1.0/\(TopicLevel.escape(group))/\(message.rawValue)/\(TopicLevel.escape(node))"
            + "/\(TopicLevel.escape(device))"
    }

    /// Where the primary host says whether it is there.
    var stateTopic: String? {
        primaryHost.map { "spBv1.0/STATE/\(TopicLevel.escape($0))" }
    }
}
