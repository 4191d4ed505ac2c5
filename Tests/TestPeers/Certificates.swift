import Foundation
import Subprocess

/// Keys and certificates for one test, made by openssl in its folder; all are PEM files.
package struct Certificates: Sendable {
    /// Who signs; `other` is somebody else whom nobody trusts.
    package let authority: String
    package let otherAuthority: String
    /// The broker's, for 127.0.0.1 and localhost.
    package let server: Pair
    /// As above, but its last day has passed.
    package let expired: Pair
    /// As above, but for another host.
    package let stranger: Pair
    package let client: Pair

    /// A certificate and its key.
    package struct Pair: Sendable {
        package let certificate: String
        package let key: String
    }

    /// Makes them all; takes about a second.
    package init(in folder: String) async throws {
        authority = try await Self.authority("ca", in: folder)
        otherAuthority = try await Self.authority("other", in: folder)
        server = try await Self.pair("server", "IP:127.0.0.1,DNS:localhost", in: folder)
        expired = try await Self.pair(
            "expired", "IP:127.0.0.1,DNS:localhost", lastDay: "20200102000000Z", in: folder)
        stranger = try await Self.pair("stranger", "DNS:broker.example", in: folder)
        client = try await Self.pair("client", "DNS:gateway", in: folder)
    }

    /// The lines of mosquitto.conf for one more listener with TLS.
    package func listener(
        _ port: Int, _ pair: Pair, asksForCertificates: Bool = false
    ) -> [String] {
        [
            "listener \(port) 127.0.0.1", "cafile \(authority)", "certfile \(pair.certificate)",
            "keyfile \(pair.key)", "require_certificate \(asksForCertificates)",
        ]
    }

    private static func authority(_ name: String, in folder: String) async throws -> String {
        try await openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=\(name)", "-keyout", "\(folder)/\(name).key", "-out",
            "\(folder)/\(name).pem",
        ])
        return "\(folder)/\(name).pem"
    }

    private static func pair(
        _ name: String, _ names: String, lastDay: String? = nil, in folder: String
    ) async throws -> Pair {
        let base = "\(folder)/\(name)"
        try await openssl([
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
            "/CN=\(name)", "-addext", "subjectAltName=\(names)", "-keyout", "\(base).key", "-out",
            "\(base).csr",
        ])
        if let lastDay {
            // `ca` is the only command that takes days of the past.
            try "".write(toFile: "\(folder)/index.txt", atomically: true, encoding: .utf8)
            try """
            [ca]
            default_ca = it
            [it]
            database = \(folder)/index.txt
            rand_serial = yes
            new_certs_dir = \(folder)
            default_md = sha256
            policy = any
            copy_extensions = copy
            [any]
            commonName = supplied
            """.write(toFile: "\(folder)/ca.conf", atomically: true, encoding: .utf8)
            try await openssl([
                "ca", "-batch", "-notext", "-config", "\(folder)/ca.conf", "-cert",
                "\(folder)/ca.pem", "-keyfile", "\(folder)/ca.key", "-startdate",
                "20200101000000Z", "-enddate", lastDay, "-in", "\(base).csr", "-out", "\(base).pem",
            ])
        } else {
            try await openssl([
                "x509", "-req", "-days", "2", "-in", "\(base).csr", "-CA", "\(folder)/ca.pem",
                "-CAkey", "\(folder)/ca.key", "-CAcreateserial", "-copy_extensions", "copyall",
                "-out", "\(base).pem",
            ])
        }
        return Pair(certificate: "\(base).pem", key: "\(base).key")
    }

    private static func openssl(_ arguments: [String]) async throws {
        let result = try await run(
            .name("openssl"), arguments: Arguments(arguments), input: .none, output: .discarded,
            error: .string(limit: 16 * 1024))
        guard result.terminationStatus.isSuccess else {
            throw PeerError("openssl failed: \(result.standardError)")
        }
    }
}

/// Turns a file of `user:password` lines into what mosquitto reads.
package func hashPasswords(_ path: String) async throws {
    let result = try await run(
        .path("/usr/bin/mosquitto_passwd"), arguments: ["-U", path], input: .none,
        output: .discarded, error: .string(limit: 16 * 1024))
    guard result.terminationStatus.isSuccess else {
        throw PeerError("mosquitto_passwd failed: \(result.standardError)")
    }
}
