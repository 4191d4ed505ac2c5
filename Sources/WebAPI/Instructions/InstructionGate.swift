import HTTPTypes
import Hummingbird

/// Who may give an instruction, and what it says at most.
struct InstructionGate {
    let context: WebAPIContext

    /// Bytes of a body.
    static let longestBody = 16 * 1024

    /// The body of an instruction.
    func body(of request: Request) async throws -> [UInt8] {
        let type = request.headers[.contentType]?.lowercased() ?? ""
        guard type.hasPrefix("application/json") else {
            throw Problem(
                status: .unsupportedMediaType, code: "not_json", title: "JSON is expected",
                detail: "the body is '\(type)'", field: "Content-Type",
                remedy: "send 'Content-Type: application/json'")
        }
        do {
            let buffer = try await request.body.collect(upTo: Self.longestBody)
            return Array(buffer.readableBytesView)
        } catch {
            throw Problem(
                status: .contentTooLarge, code: "body_too_large", title: "The body is too large",
                detail: "it has more than \(Self.longestBody) bytes", remedy: "say it shorter",
                headers: [.connection: "close"])
        }
    }

    /// Who asks.
    ///
    /// - Throws: `Problem` 401 without a token that is known, 403 when its role may not.
    func authorise(
        _ request: Request, for role: AccessTokens.Role
    ) throws -> AccessTokens.Holder {
        let field = request.headers[.authorization] ?? ""
        let token = field.hasPrefix("Bearer ") ? String(field.dropFirst("Bearer ".count)) : ""
        guard !token.isEmpty, let holder = context.tokens.holder(of: token) else {
            throw Problem(
                status: .unauthorized, code: token.isEmpty ? "no_token" : "unknown_token",
                title: "Nobody is known by that token",
                detail: token.isEmpty
                    ? "the request carries no bearer token"
                    : "the token is not among those of this site",
                field: "Authorization",
                remedy: context.tokens.isEmpty
                    ? "make one with 'plumbline token' and name its file under 'api: { tokens: … }'"
                    : "send 'Authorization: Bearer plb_…'",
                headers: [.wwwAuthenticate: "Bearer"])
        }
        guard holder.role >= role else {
            throw Problem(
                status: .forbidden, code: "role_too_low", title: "The token's role may not do this",
                detail: "'\(holder.name)' is \(holder.role.rawValue), \(role.rawValue) is needed",
                field: "Authorization", remedy: "ask who administers the gateway")
        }
        return holder
    }
}

extension HTTPField.Name {
    static let idempotencyKey = HTTPField.Name("Idempotency-Key") ?? .contentType
}

extension Problem {
    static func badField(_ mistake: InstructionForm.Mistake) -> Problem {
        Problem(
            status: .badRequest, code: "bad_field", title: "A field of the body cannot be read",
            detail: mistake.what, field: mistake.field, remedy: mistake.remedy)
    }
}
