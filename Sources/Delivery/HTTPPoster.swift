import AsyncHTTPClient
import FeedFormats
import FieldLinks
import NIOCore
import NIOHTTP1
import NIOSSL
import Telemetry

/// Posts messages over HTTP: one client for all receivers, so that they share its connections.
package final class HTTPPoster: Sendable {
    /// How long one attempt may take, the connection included.
    private static let limit = TimeAmount.seconds(15)
    /// Bytes of an answer that are looked at.
    private static let answerLimit = 64 * 1024

    private let client: HTTPClient

    /// - Parameter tls: whom to believe, and who we are.
    /// - Throws: what is wrong with its files.
    package convenience init(tls: MQTTEndpoint.TLS) throws {
        self.init(try TLSConfiguration.of(tls))
    }

    /// Posts to whom the system trusts.
    package convenience init() { self.init(nil) }

    private init(_ tls: TLSConfiguration?) {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = tls
        configuration.timeout = .init(connect: .seconds(5), read: .seconds(10))
        // Where a message goes is the owner's decision, not the receiver's.
        configuration.redirectConfiguration = .disallow
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Posts a body.
    ///
    /// - Returns: the answer, or why there is none, in words.
    package func post(
        _ body: [UInt8], to url: String, contentType: String,
        fields: [(name: String, value: String)] = []
    ) async -> Result<HTTPAnswer, Failure> {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: contentType)
        request.headers.add(name: "User-Agent", value: "plumbline")
        for field in fields { request.headers.add(name: field.name, value: field.value) }
        request.body = .bytes(body)
        do {
            let response = try await client.execute(request, timeout: Self.limit)
            var headers: [String: String] = [:]
            for field in response.headers where headers[field.name.lowercased()] == nil {
                headers[field.name.lowercased()] = field.value
            }
            // A receiver that says more than anybody reads has still answered.
            var bytes: [UInt8] = []
            for try await part in response.body {
                bytes += part.readableBytesView
                if bytes.count >= Self.answerLimit { break }
            }
            return .success(
                HTTPAnswer(
                    status: Int(response.status.code), headers: headers,
                    body: Array(bytes.prefix(Self.answerLimit))))
        } catch {
            return .failure(Failure(cause: "\(error)"))
        }
    }

    /// Why there is no answer.
    package struct Failure: Error, Hashable {
        package var cause: String
    }

    /// Lets go of every connection; later posts fail.
    package func shutDown() async { try? await client.shutdown() }
}
