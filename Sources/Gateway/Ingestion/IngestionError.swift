/// Why an admission was refused.
package enum IngestionError: Error, CustomStringConvertible {
    case unstored
    /// The byte budget is used up, and nothing may be removed: every further commit would exceed it.
    case full
    /// One admission has more readings than a row of the journal can hold.
    case tooLarge(Int)
    /// The file stays damaged however often it is opened; what was reported.
    case damaged(String)

    package var description: String {
        switch self {
        case .unstored:
            "nothing can be stored now; messages are not acknowledged until it can (check the disk)"
        case .full:
            "the byte budget is used up and nothing may be removed (raise data.max_size, or let the"
                + " uplinks deliver what they owe)"
        case .tooLarge(let readings):
            "\(readings) readings at once are more than a row of the journal holds"
        case .damaged(let cause):
            "the store is damaged and opening it anew does not help: \(cause); the next start"
                + " salvages what is readable"
        }
    }
}
