/// One platform, as people are told of it.
package struct UplinkDescription: Hashable, Sendable {
    package var id: String
    /// Where it is, without secrets.
    package var address: String
    /// What it is told in.
    package var format: String

    package init(id: String, address: String = "", format: String = "") {
        self.id = id
        self.address = address
        self.format = format
    }
}
