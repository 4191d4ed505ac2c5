import HTTPTypes
import Hummingbird

/// Turns every error into a problem document, counts the request and adds the security headers.
struct AnswerMiddleware: RouterMiddleware {
    typealias Context = BasicRequestContext
    let counters: RequestCounters

    func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            let problem = Problem.of(error, path: request.uri.path)
            if problem.status == .internalServerError {
                context.logger.error(
                    "request failed",
                    metadata: ["http.path": "\(request.uri.path)", "error": "\(error)"])
            }
            response = problem.response(from: request, context: context)
            if request.method == .head { response = response.createHeadResponse() }
        }
        // The template, not the address: a counter for each address would grow without bound.
        counters.count(
            route: context.endpointPath ?? "unmatched", status: response.status.code)
        for (name, value) in Self.security { response.headers[name] = value }
        return response
    }

    private static let security: [(HTTPField.Name, String)] = {
        // Charts set styles on their elements from script, which 'self' alone permits; style
        // attributes in markup stay forbidden.
        var list: [(HTTPField.Name, String)] = [
            (
                .contentSecurityPolicy,
                "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
                    + "form-action 'none'; frame-ancestors 'none'"
            ),
            (.xContentTypeOptions, "nosniff"),
        ]
        for (name, value) in [
            ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Resource-Policy", "same-origin"),
        ] {
            if let name = HTTPField.Name(name) { list.append((name, value)) }
        }
        return list
    }()
}

/// Refuses what an API on the machine's own address has no business with.
struct LocalMiddleware: RouterMiddleware {
    typealias Context = BasicRequestContext

    /// Where instructions are given.
    private static let instructed = [
        "/api/v1/alarms/", "/api/v1/circumstances/", "/api/v1/energy/close", "/api/v1/uplinks/",
    ]

    func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        // A page elsewhere may point its own name at 127.0.0.1 (DNS rebinding); then the browser
        // sends that name here, and it is not ours.
        guard let authority = request.head.authority, Loopback.isOwn(authority: authority) else {
            throw Problem(
                status: .misdirectedRequest, code: "foreign_host",
                title: "The request was meant for another host",
                detail: "'\(request.head.authority ?? "")' is not a name of this machine",
                field: "Host", remedy: "use 127.0.0.1, [::1] or localhost")
        }
        // Only what people do takes a body, and only with a token of theirs.
        if request.method == .post, Self.instructed.contains(where: request.uri.path.hasPrefix) {
            return try await next(request, context)
        }
        guard request.method == .get || request.method == .head else {
            throw Problem(
                status: .methodNotAllowed, code: "read_only",
                title: "This address only answers questions",
                detail: "\(request.method.rawValue) is not possible here",
                remedy: "use GET or HEAD", headers: [.allow: "GET, HEAD"])
        }
        let length = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard length == 0, request.headers[.transferEncoding] == nil else {
            throw Problem(
                status: .contentTooLarge, code: "body_refused", title: "A body is not accepted",
                detail: "the request carries a body",
                remedy: "put what you ask for into the address",
                headers: [.connection: "close"])
        }
        return try await next(request, context)
    }
}
