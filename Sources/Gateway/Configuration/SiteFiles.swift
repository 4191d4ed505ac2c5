import DeviceProfiles
import Foundation
import LocatedText

/// Reads the files of a site: its configuration, and the library of device profiles.
package enum SiteFiles {
    /// Reads a configuration, what it includes, and the profiles that it names.
    ///
    /// Paths in a configuration are relative to its own folder.
    /// - Parameters:
    ///   - devices: the folder of the profile library.
    ///   - readsAll: also the profiles that no device names. Reading one takes some milliseconds of
    ///     the start, and a mistake in a profile that nobody uses should keep no gateway from it.
    /// - Throws: `Faults` with every mistake of the site at once.
    package static func site(
        at path: String, devices: String, readsAll: Bool = true
    ) throws(Faults) -> (site: BoundSite, library: ProfileLibrary) {
        let faults = FaultCollector()
        let configuration = configuration(at: path, faults)
        let named = configuration.map { Set($0.links.flatMap(\.devices).map(\.profile)) }
        let library = try library(at: devices, only: readsAll ? nil : named)
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
    ///
    /// - Parameter names: the ids of the profiles that are needed; all are read when one of them
    ///   is not there, so that the fault can name the nearest.
    package static func library(
        at directory: String, only names: Set<String>? = nil
    ) throws(Faults) -> ProfileLibrary {
        let vocabulary = try read("\(directory)/vocabulary.yaml")
        // The enumerator does not follow a link that is itself the folder.
        let folder = URL(filePath: directory).resolvingSymlinksInPath().path(percentEncoded: false)
        let all = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []
        var paths = all.filter { $0.hasSuffix(".yaml") && $0.contains("/") }.sorted()
        if let names {
            let needed = paths.filter { names.contains(String($0.dropLast(5))) }
            if needed.count == names.count { paths = needed }
        }
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
