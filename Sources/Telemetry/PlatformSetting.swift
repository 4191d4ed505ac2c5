/// Something that the platform has set and that outlives the connection.
package struct PlatformSetting: Hashable, Sendable {
    /// For whom, as in `UplinkItem.scope`; empty: for the whole uplink.
    package var scope: String
    package var name: String
    package var value: String

    package init(scope: String = "", name: String, value: String) {
        self.scope = scope
        self.name = name
        self.value = value
    }
}
