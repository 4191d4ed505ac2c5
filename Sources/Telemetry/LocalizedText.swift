/// A text in the two languages of the house.
package struct LocalizedText: Hashable, Sendable, Codable {
    package var en: String
    package var zh: String

    package init(en: String, zh: String) {
        self.en = en
        self.zh = zh
    }
}
