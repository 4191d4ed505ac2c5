import ArgumentParser
import Foundation

/// Where the files that come with the program lie: profiles, rules, pages.
struct SharedFolders: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            say(
                "Folder with Devices, Config and Dashboards (default: found beside the program).",
                "含 Devices、Config、Dashboards 的目录（默认：在程序附近查找）。"),
            valueName: "folder"))
    var share: String?

    /// The folder that holds `Devices/vocabulary.yaml`: as told, else `PLUMBLINE_SHARE`, the
    /// working folder, a folder above the program, or `/usr/share/plumbline`.
    func folder() throws -> String {
        let environment = ProcessInfo.processInfo.environment["PLUMBLINE_SHARE"]
        let files = FileManager.default
        var candidates = [share, environment].compactMap(\.self)
        if candidates.isEmpty {
            candidates.append(files.currentDirectoryPath)
            var folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            for _ in 0..<5 {
                folder.deleteLastPathComponent()
                candidates.append(folder.path(percentEncoded: false))
            }
            candidates.append("/usr/share/plumbline")
        }
        for candidate in candidates {
            let path = candidate.hasSuffix("/") ? String(candidate.dropLast()) : candidate
            if files.fileExists(atPath: "\(path)/Devices/vocabulary.yaml") { return path }
        }
        throw Failure.inputOutput(
            say(
                "no folder with Devices/vocabulary.yaml was found; name it with --share",
                "未找到含 Devices/vocabulary.yaml 的目录；请用 --share 指定"))
    }
}

/// How a verb prints.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, csv, json
}
