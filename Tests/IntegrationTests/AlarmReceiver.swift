import Foundation
import FoundationNetworking
import TestPeers

/// What the receiver of `alarm_receiver.py` took.
struct Arrival: Sendable {
    var name: String
    var alarm: String
    var key: String?
    var state: String
    var kind: String
    var from: String?
    var text: String
    var evidence: Double?
}

/// A running `alarm_receiver.py`.
struct Receiver: Sendable {
    let port: Int

    func arrivals(_ name: String) async throws -> [Arrival] {
        let list = try await list("/log")
        return list.compactMap { one in
            guard one["name"] as? String == name, let body = one["body"] as? [String: Any] else {
                return nil
            }
            let alarm = (body["alarms"] as? [[String: Any]])?.first ?? [:]
            return Arrival(
                name: name, alarm: alarm["key"] as? String ?? "", key: one["key"] as? String,
                state: alarm["state"] as? String ?? "",
                kind: body["kind"] as? String ?? "", from: body["from"] as? String,
                text: "\(body)",
                evidence: (alarm["evidence"] as? [String: Any])?["value"] as? Double)
        }
    }

    func refused() async throws -> [[String: Any]] { try await list("/refused") }

    /// How often a robot was asked too often.
    func tooFast() async throws -> [[String: Any]] { try await list("/fast") }

    func answer(_ name: String, _ status: Int) async throws {
        var request = URLRequest(url: try address("/mode"))
        request.httpMethod = "POST"
        request.httpBody = Data("{\"name\":\"\(name)\",\"status\":\(status)}".utf8)
        _ = try await URLSession.shared.data(for: request)
    }

    private func list(_ path: String) async throws -> [[String: Any]] {
        let (data, _) = try await URLSession.shared.data(from: try address(path))
        return try JSONSerialization.jsonObject(with: data) as? [[String: Any]] ?? []
    }

    private func address(_ path: String) throws -> URL {
        guard let url = URL(string: "http://127.0.0.1:\(port)\(path)") else {
            throw PeerError("no address")
        }
        return url
    }
}

extension Daemon {
    /// Posts JSON with a token; the answer's status and body.
    func post(
        _ path: String, _ body: String, token: String?, key: String? = nil
    ) async throws -> (status: Int, body: [String: Any]) {
        guard let url = URL(string: "http://127.0.0.1:\(port)\(path)") else {
            throw PeerError("'\(path)' is no address")
        }
        var request = URLRequest(url: url, timeoutInterval: 15)
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        if let key { request.setValue(key, forHTTPHeaderField: "Idempotency-Key") }
        request.httpBody = Data(body.utf8)
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        return (status, try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:])
    }
}
