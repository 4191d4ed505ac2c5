import Foundation
import FoundationNetworking
import Subprocess

/// A real engine of time series that listens on 127.0.0.1 for as long as its `with…` function runs.
package struct Engine: Sendable {
    package let port: Int

    /// What an engine answered.
    package struct Answer: Sendable {
        package let status: Int
        package let headers: [String: String]
        package let body: Data

        package var text: String { String(decoding: body, as: UTF8.self) }

        /// The body as a JSON object.
        package func object() throws -> [String: Any] {
            guard let object = try JSONSerialization.jsonObject(with: body) as? [String: Any] else {
                throw PeerError("no JSON object: \(text.prefix(200))")
            }
            return object
        }
    }

    /// One request. `query` is percent-encoded here.
    package func request(
        _ method: String, _ path: String, query: [(String, String)] = [],
        headers: [String: String] = [:], body: [UInt8]? = nil
    ) async throws -> Answer {
        var address = URLComponents()
        address.scheme = "http"
        address.host = "127.0.0.1"
        address.port = port
        address.path = path
        // What URLComponents leaves as it is, a server may read as a separator or a blank.
        let plain = CharacterSet.alphanumerics
        address.percentEncodedQuery =
            query.isEmpty
            ? nil
            : query.map { name, value in
                [name, value].map {
                    $0.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
                }.joined(separator: "=")
            }.joined(separator: "&")
        guard let url = address.url else { throw PeerError("no address: \(path)") }
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.httpBody = body.map { Data($0) }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw PeerError("no answer") }
        let fields = response.allHeaderFields.map { ("\($0.key)", "\($0.value)") }
        return Answer(
            status: response.statusCode,
            headers: Dictionary(fields, uniquingKeysWith: { first, _ in first }), body: data)
    }
}

/// Runs Prometheus with `body` and ends exactly that process afterwards.
///
/// - Parameters:
///   - outOfOrder: how far behind the newest sample others are accepted, for example `30d`.
///   - receivesWrites: whether it takes remote writes.
package func withPrometheus<R: Sendable>(
    outOfOrder: String?, receivesWrites: Bool = true,
    _ body: @Sendable (Engine) async throws -> R
) async throws -> R {
    try await withTemporaryFolder { folder in
        let port = try freePort()
        var text = "global: {}\n"
        if let outOfOrder {
            text += "storage: { tsdb: { out_of_order_time_window: \(outOfOrder) } }\n"
        }
        try text.write(
            toFile: folder + "/prometheus.yml", atomically: true, encoding: .utf8)
        var arguments = [
            "--config.file=\(folder)/prometheus.yml", "--storage.tsdb.path=\(folder)/data",
            "--web.listen-address=127.0.0.1:\(port)", "--log.level=warn",
        ]
        if receivesWrites { arguments.append("--web.enable-remote-write-receiver") }
        return try await withEngine(
            "/usr/bin/prometheus", arguments, Engine(port: port), readyAt: "/-/ready", body)
    }
}

/// Runs VictoriaMetrics with `body` and ends exactly that process afterwards.
///
/// - Parameters:
///   - port: nil: a free one.
///   - folder: where it keeps its data; nil: a folder that goes with it.
///   - isDeduplicating: whether it keeps one sample of each instant.
package func withVictoriaMetrics<R: Sendable>(
    port: Int? = nil, folder: String? = nil, isDeduplicating: Bool = true,
    _ body: @Sendable (Engine) async throws -> R
) async throws -> R {
    guard let folder else {
        return try await withTemporaryFolder { folder in
            try await withVictoriaMetrics(
                port: port, folder: folder, isDeduplicating: isDeduplicating, body)
        }
    }
    let port = try port ?? freePort()
    var arguments = [
        "-storageDataPath=\(folder)/data", "-retentionPeriod=100y",
        "-httpListenAddr=127.0.0.1:\(port)", "-loggerLevel=ERROR",
    ]
    if isDeduplicating { arguments.append("-dedup.minScrapeInterval=1ms") }
    return try await withEngine(
        "/usr/bin/victoria-metrics", arguments, Engine(port: port), readyAt: "/health", body)
}

/// Runs InfluxDB 1 with `body` and ends exactly that process afterwards.
package func withInfluxDB<R: Sendable>(
    _ body: @Sendable (Engine) async throws -> R
) async throws -> R {
    try await withTemporaryFolder { folder in
        let (port, control) = (try freePort(), try freePort())
        let text = """
            reporting-disabled = true
            bind-address = "127.0.0.1:\(control)"
            [meta]
            dir = "\(folder)/meta"
            [data]
            dir = "\(folder)/data"
            wal-dir = "\(folder)/wal"
            [monitor]
            store-enabled = false
            [http]
            bind-address = "127.0.0.1:\(port)"
            log-enabled = false

            """
        try text.write(toFile: folder + "/influxdb.conf", atomically: true, encoding: .utf8)
        return try await withEngine(
            "/usr/bin/influxd", ["run", "-config", folder + "/influxdb.conf"], Engine(port: port),
            readyAt: "/ping", body)
    }
}

private func withEngine<R: Sendable>(
    _ program: String, _ arguments: [String], _ engine: Engine, readyAt path: String,
    _ body: @Sendable (Engine) async throws -> R
) async throws -> R {
    guard FileManager.default.isExecutableFile(atPath: program) else {
        throw PeerError("\(program) is missing: run scripts/setup")
    }
    let outcome = try await run(
        .path(.init(program)), arguments: Arguments(arguments), platformOptions: endedSoon(),
        input: .none, output: .discarded, error: .string(limit: 256 * 1024)
    ) { execution -> Result<R, any Error> in
        let result: Result<R, any Error>
        do {
            try await eventually("\(program) answers") {
                guard isListening(engine.port) else { return false }
                return try await (200..<300).contains(engine.request("GET", path).status)
            }
            result = .success(try await body(engine))
        } catch {
            result = .failure(error)
        }
        await execution.teardown(
            using: [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))])
        return result
    }
    if case .failure(let error) = outcome.closureResult, error is PeerError {
        throw PeerError("\(error): \(outcome.standardError.suffix(500))")
    }
    return try outcome.takeClosureResult().get()
}
