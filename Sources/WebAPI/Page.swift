/// One page of a list, and where the next one begins.
struct Page<Item> {
    var items: [Item]
    /// The cursor of the next page; nil at the end of the list.
    var next: String?

    /// Cuts the page that follows the item named by `cursor` out of a list in fixed order.
    ///
    /// - Throws: `Problem` for a cursor that names nothing in the list.
    init(
        of all: [Item], after cursor: String?, limit: Int, name: (Item) -> String
    ) throws(Problem) {
        var start = 0
        if let cursor {
            guard let position = all.firstIndex(where: { name($0) == cursor }) else {
                throw .badCursor(cursor)
            }
            start = position + 1
        }
        items = Array(all[start...].prefix(limit))
        next = start + items.count < all.count ? items.last.map(name) : nil
    }
}

extension Problem {
    static func badCursor(_ cursor: String) -> Problem {
        Problem(
            status: .badRequest, code: "bad_cursor", title: "The cursor is not one of this list",
            detail: "'\(cursor)' is no place in the list", field: "cursor",
            remedy: "begin again without 'cursor', and go on with the 'next' of each answer")
    }
}
