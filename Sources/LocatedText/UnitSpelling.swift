/// The spelling in which units are compared.
package enum UnitSpelling {
    /// `µ`, `μ`, `³` and `²` as the letters and digits that a keyboard has.
    package static func plain(_ text: String) -> String {
        String(
            text.map { character in
                switch character {
                case "µ", "μ": "u"
                case "³": "3"
                case "²": "2"
                default: character
                }
            })
    }
}
