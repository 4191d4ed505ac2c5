import LocatedText

extension LocatedNode {
    /// What the file holds whose path stands here; nil and its faults when it cannot be read.
    ///
    /// - Parameters:
    ///   - more: what helps besides knowing where paths begin, for example a file that is shipped.
    ///   - parse: makes something of the text; the second argument is the path, for messages.
    func file<T>(
        _ faults: FaultCollector, _ readFile: (String) throws -> String, more: String? = nil,
        _ parse: (String, String) throws -> T?
    ) -> T? {
        guard let path = string(faults) else { return nil }
        do {
            return try parse(try readFile(path), path)
        } catch let mistakes as Faults {
            faults.add(mistakes)
        } catch {
            faults.add(
                location, "'\(path)' cannot be read: \(error)",
                remedy: "paths are relative to this file" + (more.map { "; \($0)" } ?? ""))
        }
        return nil
    }
}
