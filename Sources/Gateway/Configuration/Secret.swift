import Foundation
import LocatedText

/// Where a password is; never the password.
package enum Secret: Hashable, Sendable {
    /// A credential that systemd hands to the service (`LoadCredential=`), by name.
    case credential(String)
    /// A file that holds nothing else, as a path.
    case file(String)

    /// Reads `{credential: name}` or `{file: path}`.
    ///
    /// What stands there instead may be a password, so no message repeats it.
    static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> Secret? {
        guard case .mapping = node.content else {
            faults.add(
                node.location, "a password does not stand in this file",
                remedy: "put it into a file that only the gateway may read and write "
                    + "'password: { file: /etc/plumbline/NAME }', or '{ credential: NAME }' with "
                    + "LoadCredential=NAME:… in the unit")
            return nil
        }
        var reader = MappingReader(node, faults)
        let credential = reader.optional("credential")
        let file = reader.optional("file")
        reader.finish()
        switch (credential, file) {
        case (let node?, nil):
            guard let name = node.string(faults) else { return nil }
            if name.isEmpty || name.contains("/") {
                faults.add(node.location, "'\(name)' is not the name of a credential")
                return nil
            }
            return .credential(name)
        case (nil, let node?): return node.path(faults).map(Secret.file)
        default:
            faults.add(
                node.location, "a password is in one place",
                remedy: "either '{ credential: NAME }' or '{ file: PATH }'")
            return nil
        }
    }

    /// The secret itself, without a final line end.
    ///
    /// - Parameter location: where the configuration names it.
    /// - Throws: `Faults` that say which file cannot be read, and why.
    func read(
        _ location: Location,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(Faults) -> String {
        let path: String
        switch self {
        case .file(let file): path = file
        case .credential(let name):
            guard let folder = environment["CREDENTIALS_DIRECTORY"] else {
                throw Faults([
                    Fault(
                        location,
                        "there are no credentials: the service was not started by systemd "
                            + "with one",
                        remedy: "add LoadCredential=\(name):… to the unit, or use '{ file: PATH }'")
                ])
            }
            path = folder + "/" + name
        }
        do {
            let text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
            let line = text.hasSuffix("\n") ? String(text.dropLast()) : text
            if !line.isEmpty, !line.contains("\n") { return line }
        } catch {
            throw Faults([
                Fault(
                    location, "the password cannot be read from \(path)",
                    remedy: "check that the file exists and that the gateway's user may read it")
            ])
        }
        throw Faults([
            Fault(
                location, "\(path) does not hold one line with a password",
                remedy: "write the password into it and nothing else")
        ])
    }
}

extension LocatedNode {
    /// A path; relative ones begin at the folder of the file in which they stand.
    func path(_ faults: FaultCollector) -> String? {
        guard let text = string(faults) else { return nil }
        if text.isEmpty {
            faults.add(location, "a path is expected")
            return nil
        }
        if text.hasPrefix("/") { return text }
        let folder = location.file.split(separator: "/", omittingEmptySubsequences: false)
            .dropLast().joined(separator: "/")
        return folder.isEmpty ? text : folder + "/" + text
    }
}
