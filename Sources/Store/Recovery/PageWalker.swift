/// Walks the trees of a SQLite file that may be damaged, and finds what hangs on no tree any more.
final class PageWalker {
    let image: SQLiteImage
    /// Pages that a walk has met: of trees, of overflow chains, and free ones.
    private var seen: PageSet

    init(_ image: SQLiteImage) {
        self.image = image
        seen = PageSet(count: image.pageCount)
        for page in image.freePages() { seen.insert(page) }
    }

    /// What a walk could not reach.
    struct Gaps {
        /// Rowids of a table behind pages that are lost: above the first, up to the second.
        var spans: [(above: Int64, upTo: Int64)] = []
        /// Pages that should have been of this tree.
        var pages = 0
        var isIntact: Bool { pages == 0 }
    }

    /// Visits every row of a tree, in order of keys.
    ///
    /// - Parameter isTable: what the pages must be: of a table with rowids, or of an index.
    func walk(
        root: Int, isTable: Bool, _ visit: (PageRecord) throws -> Void
    ) rethrows -> Gaps {
        var gaps = Gaps()
        try descend(root, isTable, (.min, .max), depth: 0, &gaps, visit)
        return gaps
    }

    private func descend(
        _ number: Int, _ isTable: Bool, _ bounds: (low: Int64, high: Int64), depth: Int,
        _ gaps: inout Gaps, _ visit: (PageRecord) throws -> Void
    ) rethrows {
        // A tree of SQLite is never deeper than 20.
        guard depth < 32, number >= 1, number == 1 || seen.insert(number),
            let bytes = image.page(number), let page = SQLitePage(number: number, bytes),
            page.isTable == isTable
        else {
            gaps.pages += 1
            gaps.spans.append((bounds.low, bounds.high))
            return
        }
        var low = bounds.low
        for cell in page.cells {
            if !page.isLeaf {
                let child = page.child(cell)
                let high = min(child.highest ?? bounds.high, bounds.high)
                try descend(child.page, isTable, (low, high), depth: depth + 1, &gaps, visit)
                low = max(low, high)
                if isTable { continue }
            }
            if let record = record(page, cell) {
                try visit(record)
            } else {
                gaps.pages += 1
            }
        }
        if !page.isLeaf {
            try descend(
                page.rightmost, isTable, (low, bounds.high), depth: depth + 1, &gaps, visit)
        }
    }

    /// Visits the rows on all pages that no walk has met; call it after the walks.
    ///
    /// - Parameter visit: gets whether the page is of a table with rowids.
    func orphans(_ visit: (PageRecord, _ isTable: Bool) throws -> Void) rethrows {
        for number in stride(from: 1, through: image.pageCount, by: 1)
        where !seen.contains(number) {
            guard let bytes = image.page(number), let page = SQLitePage(number: number, bytes),
                page.isLeaf || !page.isTable
            else { continue }
            for cell in page.cells {
                if let record = record(page, cell) { try visit(record, page.isTable) }
            }
        }
    }

    private func record(_ page: SQLitePage, _ cell: Int) -> PageRecord? {
        page.record(cell) { number in
            seen.insert(number)
            return image.page(number)
        }
    }
}

/// Page numbers as bits: a file of 8 GiB takes 256 KiB.
private struct PageSet {
    private var words: [UInt64]

    init(count: Int) { words = [UInt64](repeating: 0, count: count / 64 + 1) }

    func contains(_ page: Int) -> Bool {
        page >= 0 && page / 64 < words.count && words[page / 64] >> UInt64(page % 64) & 1 == 1
    }

    /// - Returns: whether it was not there before; false for a page beyond the file.
    @discardableResult
    mutating func insert(_ page: Int) -> Bool {
        guard page >= 0, page / 64 < words.count, !contains(page) else { return false }
        words[page / 64] |= 1 << UInt64(page % 64)
        return true
    }
}
