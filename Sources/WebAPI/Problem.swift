import HTTPTypes
import Hummingbird
import Store
import Telemetry

/// An error as the API tells it: a problem document (RFC 9457) with a stable code and a remedy.
///
///     {"type":"about:blank","title":"Unknown series","status":404,"code":"unknown_series",
///      "detail":"…","field":"id","remedy":"did you mean 'dust-north.pm10'?"}
struct Problem: Error, HTTPResponseError {
    var status: HTTPResponse.Status
    /// Stable, for programs; lower case with underscores.
    var code: String
    /// The kind of problem; the same for every occurrence.
    var title: String
    /// What is wrong this time.
    var detail: String
    /// The parameter or header at fault.
    var field: String?
    /// What to do about it.
    var remedy: String
    var headers: HTTPFields = [:]
    /// Further members of the document, each a list of words.
    var lists: [(name: String, words: [String])] = []

    static let contentType = "application/problem+json; charset=utf-8"

    func response(from request: Request, context: some RequestContext) -> Response {
        var json = JSONWriter(capacity: 512)
        json.object {
            $0.field("type", "about:blank")
            $0.field("title", title)
            $0.field("status", status.code)
            $0.field("code", code)
            $0.field("detail", detail)
            if let field { $0.field("field", field) }
            $0.field("remedy", remedy)
            for list in lists {
                $0.key(list.name)
                $0.array { for word in list.words { $0.value(word) } }
            }
        }
        var fields = headers
        fields[.contentType] = Self.contentType
        return Response(
            status: status, headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }
}

extension Problem {
    static func badParameter(_ field: String, _ detail: String, remedy: String) -> Problem {
        Problem(
            status: .badRequest, code: "bad_parameter", title: "A parameter cannot be read",
            detail: detail, field: field, remedy: remedy)
    }

    static let noInstructions = Problem(
        status: .serviceUnavailable, code: "no_instructions",
        title: "Nothing can be changed here", detail: "this gateway takes no instructions",
        remedy: "ask the gateway that runs the site")

    static func badRange(_ detail: String, remedy: String) -> Problem {
        Problem(
            status: .badRequest, code: "bad_range", title: "The range of time is empty",
            detail: detail, field: "from", remedy: remedy)
    }

    static func rangeTooLarge(_ detail: String, remedy: String) -> Problem {
        Problem(
            status: .badRequest, code: "range_too_large", title: "The range of time is too large",
            detail: detail, field: "from", remedy: remedy)
    }

    static func notFound(_ path: String) -> Problem {
        Problem(
            status: .notFound, code: "not_found", title: "Nothing is here",
            detail: "there is nothing at '\(path)'",
            remedy: "the addresses are listed in docs/formats/http-api.md; the page is at /")
    }

    /// A store that is busy or cannot be read now; nothing was changed.
    static func store(_ error: StoreError) -> Problem {
        Problem(
            status: .serviceUnavailable, code: "store_\(error.code.rawValue)",
            title: "The store does not answer", detail: error.description,
            remedy: error.disposition == .stop
                ? "look at the gateway's log; it must be restarted" : "ask again in a few seconds",
            headers: error.disposition == .stop ? [:] : [.retryAfter: "5"])
    }

    /// What an error that is not one of ours is told as: no more than its status.
    static func of(_ error: any Error, path: String) -> Problem {
        if let problem = error as? Problem { return problem }
        if let error = error as? StoreError { return .store(error) }
        if let refusal = error as? InstructionRefusal { return refusal.problem }
        guard let error = error as? any HTTPResponseError else {
            return Problem(
                status: .internalServerError, code: "internal", title: "The gateway made a mistake",
                detail: "the request could not be answered",
                remedy: "look at the gateway's log and report the mistake")
        }
        if error.status == .notFound { return .notFound(path) }
        return Problem(
            status: error.status, code: "refused", title: "The request is refused",
            detail: "'\(path)' cannot be served", remedy: "check the address for '..' and '%'")
    }
}
