import LocatedText
import Telemetry

/// Every profile of `Devices/`, with the vocabulary that gives its words their meaning.
package struct ProfileLibrary: Sendable {
    package let vocabulary: Vocabulary
    private let profiles: [String: DeviceProfile]

    /// - Parameters:
    ///   - vocabularyText: the text of `vocabulary.yaml`.
    ///   - files: each file's path below `Devices/` (`acrel/adl3000.yaml`) and its text.
    /// - Throws: the faults of all files together.
    package init(
        vocabularyText: String, vocabularyPath: String = "vocabulary.yaml",
        profiles files: [(path: String, text: String)]
    ) throws(Faults) {
        vocabulary = try Vocabulary.parse(vocabularyText, file: vocabularyPath)
        let faults = FaultCollector()
        var profiles: [String: DeviceProfile] = [:]
        for (path, text) in files.sorted(by: { $0.path < $1.path }) {
            do {
                let profile = try DeviceProfile.parse(text, file: path, vocabulary: vocabulary)
                if let other = profiles.updateValue(profile, forKey: profile.id) {
                    faults.add(
                        profile.location,
                        "the id '\(profile.id)' is also that of \(other.location.file)")
                }
            } catch {
                faults.add(error)
            }
        }
        try faults.throwIfAny()
        self.profiles = profiles
    }

    /// The profile with this id; nil if there is none.
    package subscript(id: String) -> DeviceProfile? { profiles[id] }

    /// Every id, sorted.
    package var ids: [String] { profiles.keys.sorted() }

    /// The id that somebody meant to write.
    package func nearest(to id: String) -> String? { Spelling.nearest(to: id, among: ids) }

    /// Plays the vectors of every profile with the gateway's own decoder.
    ///
    /// - Returns: each failure with its place; empty when all hold.
    package func selfTest() -> [Fault] { ids.flatMap { profiles[$0]?.selfTest() ?? [] } }
}
