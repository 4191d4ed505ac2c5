import Telemetry
import Testing

@Suite("An answer to a POST")
struct HTTPAnswerTests {
    private func answer(
        _ status: Int, _ headers: [String: String] = [:], _ body: String = ""
    ) -> HTTPAnswer { HTTPAnswer(status: status, headers: headers, body: Array(body.utf8)) }

    @Test(
        "says how long to wait, in seconds or until a date of its own clock",
        arguments: [
            ("7", nil, 7), ("0", nil, 1), ("Sat, 21 Nov 2026 00:01:30 GMT", 0, 90),
            ("Saturday, 21-Nov-26 00:01:30 GMT", 0, 90), ("Sat Nov 21 00:01:30 2026", 0, 90),
            // Their clock stands a day before ours; the wait is the same.
            ("Fri, 20 Nov 2026 00:01:30 GMT", -86_400, 90),
            ("Fri, 20 Nov 2026 23:59:59 GMT", 0, 1), ("Sat, 21 Nov 2037 00:00:00 GMT", 0, 86_400),
            ("Sat, 21 Nov 2026 00:01:30 GMT", nil, nil), ("soon", 0, nil), ("-5", 0, nil),
        ] as [(String, Int?, Int?)])
    func waits(text: String, theirClock: Int?, seconds: Int?) {
        var headers = ["Retry-After": text]
        if let theirClock {
            headers["DATE"] =
                theirClock == 0 ? "Sat, 21 Nov 2026 00:00:00 GMT" : "Fri, 20 Nov 2026 00:00:00 GMT"
        }
        #expect(answer(503, headers).wait == seconds.map { .seconds($0) })
    }

    @Test(
        "has dates in the three forms of HTTP, and no others",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777_000),
            ("Sun Nov  6 08:49:37 1994", 784_111_777_000),
            ("Monday, 06-Nov-28 08:49:37 GMT", 1_857_113_377_000),
            ("Sun, 31 Feb 2027 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 08:49:60 GMT", nil),
            ("Sun, 06 Nov 1994 08:49:37 CET", nil), ("Sun, 06 Nov 1994 08:49 GMT", nil),
            ("2026-11-21T00:00:00Z", nil), ("Sun, 06 nov 1994 08:49:37 GMT", nil), ("", nil),
            ("Sun, +6 Nov 1994 08:49:37 GMT", nil), ("a b c d e f g h", nil),
        ] as [(String, Int64?)])
    func dates(text: String, milliseconds: Int64?) {
        #expect(Timestamp(httpDate: text)?.milliseconds == milliseconds)
    }

    @Test("that is a problem document tells its title and detail in the reason, on one line")
    func problem() {
        let body = #"{"type":"about:blank","title":"No such site","detail":"hz-qt\n0172","code":7}"#
        for type in ["application/problem+json", "Application/Problem+JSON ; charset=utf-8"] {
            #expect(
                answer(422, ["Content-Type": type], body).outcome
                    == .rejected(reason: "HTTP 422: No such site: hz-qt 0172"))
        }
        #expect(
            answer(503, ["Content-Type": "application/problem+json"], #"{"title":"Full"}"#).outcome
                == .retry(after: .seconds(30), reason: "HTTP 503: Full"))
    }

    @Test(
        "that only looks like a problem document says nothing",
        arguments: [
            ("application/json", #"{"title":"x"}"#), ("application/problem+json", "<html>"),
            ("application/problem+json", #"{"title":7,"detail":null}"#),
            ("application/problem+json", #"{"problem":{"title":"x"}}"#),
            ("application/problem+json", #"{"title":" "}"#),
        ])
    func noProblem(type: String, body: String) {
        #expect(answer(400, ["content-type": type], body).problem == nil)
    }

    @Test("tells what stands behind a path of keys, but nothing of lists")
    func fields() throws {
        let body = #"{"a":{"b":{"c":"x"},"n":-1.5e3},"list":[{"a":1}],"t":true,"a b":null}"#
        let fields = try #require(AnswerFields(Array(body.utf8)))
        #expect(fields.scalar(["a", "b", "c"]) == "x")
        #expect(fields.scalar(["a", "n"]) == "-1.5e3")
        #expect(fields.scalar(["t"]) == "true")
        #expect(fields.scalar(["a b"]) == "null")
        #expect(fields.scalar(["a", "b"]) == nil)
        #expect(fields.scalar(["list"]) == nil)
        #expect(fields.scalar(["list", "a"]) == nil)
        #expect(fields.scalar(["c"]) == nil)
    }
}
