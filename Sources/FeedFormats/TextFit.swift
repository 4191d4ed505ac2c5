/// Texts that fit into the limit of a channel.
enum TextFit {
    /// The fullest text that `measure` finds within `limit`.
    ///
    /// Alarms go first, from the end: `render` is given how many of `alarms` to list, and says how
    /// many it leaves out. When one alarm alone is too long, its text is cut between two characters
    /// and ends with `…`.
    static func fullest(
        alarms: Int, limit: Int, render: (_ listed: Int) -> String, measure: (String) -> Int
    ) -> String {
        var text = ""
        for listed in stride(from: alarms, through: min(1, alarms), by: -1) {
            text = render(listed)
            if measure(text) <= limit { return text }
        }
        let characters = Array(text)
        var (low, high) = (0, characters.count)
        while low < high {
            let middle = (low + high + 1) / 2
            if measure(cut(characters, middle)) <= limit { low = middle } else { high = middle - 1 }
        }
        return cut(characters, low)
    }

    private static func cut(_ characters: [Character], _ count: Int) -> String {
        var kept = characters[..<count]
        while kept.last?.isWhitespace == true { kept.removeLast() }
        // An odd number of backslashes at the end is an escape without what it was to escape.
        let backslashes = kept.reversed().prefix { $0 == "\\" }.count
        return String(kept.dropLast(backslashes % 2)) + "…"
    }
}
