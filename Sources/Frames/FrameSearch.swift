/// What a search for one answer in the bytes received so far has found.
///
/// A search is made anew after every read, over everything that has come since the request left, so
/// it keeps no state of its own.
package enum FrameSearch<Answer: Sendable>: Sendable {
    /// Nothing yet that answers the request; more bytes may complete it.
    case incomplete
    /// The answer.
    case found(Answer)
}
