import Telemetry

/// How a figure of a file came to this project, in the words of `status:`.
package enum FigureEvidence: String, Hashable, Sendable, CaseIterable {
    /// Read in the text of the rule itself.
    case verified
    /// Read where somebody quotes the rule.
    case secondary
    /// Remembered and confirmed by nothing.
    case fromMemory = "from-memory"
    /// Set by the project or the site; no rule asks for it.
    case project

    /// The words that stand beside the figure in a statement.
    package var text: LocalizedText {
        switch self {
        case .verified: LocalizedText(en: "read in the rule's own text", zh: "已核对原文")
        case .secondary: LocalizedText(en: "read where it is quoted", zh: "转引自二手资料")
        case .fromMemory: LocalizedText(en: "from memory, not confirmed", zh: "凭记忆，未经核实")
        case .project: LocalizedText(en: "set by the project", zh: "项目自定")
        }
    }

    /// The words that `status:` takes.
    static var words: [(String, FigureEvidence)] { allCases.map { ($0.rawValue, $0) } }
}
