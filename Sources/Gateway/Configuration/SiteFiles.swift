import DeviceProfiles
import Foundation
import LocatedText

/// Reads the files of a site: its configuration, and the library of device profiles.
package enum SiteFiles {
    /// Reads a configuration, what it includes, and the profiles that it names.
    ///
    /// Paths in a configuration are relative to its own folder.
    /// - Parameter devices: the folder of the profile library.
    /// - Throws: `Faults` with every mistake of the site at once.
    package static func site(
        at path: String, devices: String
    ) throws(Faults) -> (site: BoundSite, library: ProfileLibrary) {
        let library = try library(at: devices)
        let faults = FaultCollector()
        let configuration = configuration(at: path, faults)
        let site = configuration.flatMap { BoundSite($0, library: library, faults: faults) }
        try faults.throwIfAny()
        guard let site else { throw Faults([]) }
        return (site, library)
    }

    /// Reads a configuration alone.
    package static func configuration(at path: String) throws(Faults) -> SiteConfiguration {
        let faults = FaultCollector()
        let configuration = configuration(at: path, faults)
        try faults.throwIfAny()
        guard let configuration else { throw Faults([]) }
        return configuration
    }

    private static func configuration(
        at path: String, _ faults: FaultCollector
    ) -> SiteConfiguration? {
        let folder = URL(filePath: path).deletingLastPathComponent()
        do {
            let text = try read(path)
            return SiteConfiguration.parse(text, file: path, faults: faults) { include in
                let url =
                    include.hasPrefix("/")
                    ? URL(filePath: include) : folder.appending(path: include)
                return try String(contentsOf: url, encoding: .utf8)
            }
        } catch {
            faults.add(error)
            return nil
        }
    }

    /// Reads the vocabulary and every profile below a folder, in order of path.
    package static func library(at directory: String) throws(Faults) -> ProfileLibrary {
        let vocabulary = try read("\(directory)/vocabulary.yaml")
        // The enumerator does not follow a link that is itself the folder.
        let folder = URL(filePath: directory).resolvingSymlinksInPath().path(percentEncoded: false)
        let all = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []
        let paths = all.filter { $0.hasSuffix(".yaml") && $0.contains("/") }.sorted()
        var profiles: [(path: String, text: String)] = []
        for path in paths { profiles.append((path, try read("\(directory)/\(path)"))) }
        return try ProfileLibrary(vocabularyText: vocabulary, profiles: profiles)
    }

    private static func read(_ path: String) throws(Faults) -> String {
        do {
            return try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw Faults([
                Fault(
                    Location(file: path, line: 1, column: 1), "the file cannot be read",
                    remedy: "check the path and its permissions")
            ])
        }
    }
}
