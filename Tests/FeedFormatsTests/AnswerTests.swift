import Telemetry
import Testing

@testable import FeedFormats

@Suite("Answers")
struct AnswerTests {
    private func outcome(
        _ format: FeedFormat, _ status: Int, _ body: String, _ headers: [String: String] = [:]
    ) -> Outcome {
        format.outcome(of: HTTPAnswer(status: status, headers: headers, body: Array(body.utf8)))
    }

    private func name(_ outcome: Outcome) -> String {
        switch outcome {
        case .accepted: "accepted"
        case .retry(let after, _): "retry \(after.milliseconds / 1000)"
        case .rejected: "rejected"
        case .expired: "expired"
        }
    }

    @Test(
        "of a webhook",
        arguments: [
            (200, nil, "accepted"), (204, nil, "accepted"), (299, nil, "accepted"),
            (408, nil, "retry 10"), (425, nil, "retry 10"), (429, nil, "retry 60"),
            (429, "7", "retry 7"), (429, " 7 ", "retry 7"), (503, "120", "retry 120"),
            (503, "0", "retry 1"), (503, "99999999", "retry 86400"), (503, "-5", "retry 30"),
            (503, "Fri, 31 Dec 2027 23:59:59 GMT", "retry 30"), (500, nil, "retry 30"),
            (599, nil, "retry 30"), (302, nil, "retry 300"), (307, nil, "retry 300"),
            (301, nil, "rejected"), (308, nil, "rejected"), (400, nil, "rejected"),
            (401, "9", "rejected"), (404, nil, "rejected"), (410, nil, "rejected"),
            (413, nil, "rejected"), (101, nil, "rejected"), (600, nil, "rejected"),
        ] as [(Int, String?, String)])
    func webhook(status: Int, retryAfter: String?, expected: String) {
        for format in [FeedFormat.json, .cap] {
            let headers = retryAfter.map { ["Retry-After": $0] } ?? [:]
            #expect(name(outcome(format, status, "whatever", headers)) == expected)
        }
    }

    @Test(
        "of a robot",
        arguments: [
            (.dingtalk, 200, #"{"errcode":0,"errmsg":"ok"}"#, "accepted"),
            (.dingtalk, 200, #"{"errmsg":"ok","errcode" : 0 , "x":[1,{"errcode":5}]}"#, "accepted"),
            (
                .dingtalk, 200,
                #"{"status":1111,"wait":5,"source":"x5","punish":"deny","errcode":130101}"#,
                "retry 60"
            ),
            (.dingtalk, 200, #"{"errcode":410100,"errmsg":"slow"}"#, "retry 60"),
            (.dingtalk, 200, #"{"errcode":-1,"errmsg":"busy"}"#, "retry 30"),
            (.dingtalk, 200, #"{"errcode":310000,"errmsg":"sign not match"}"#, "rejected"),
            (.dingtalk, 200, #"{"errcode":460101,"errmsg":"message too long"}"#, "rejected"),
            (.dingtalk, 500, #"{"errcode":0}"#, "retry 30"),
            (.dingtalk, 502, #"{"errcode":77}"#, "retry 30"),
            (.dingtalk, 200, "<html>log in</html>", "retry 60"),
            (.dingtalk, 200, "", "retry 60"), (.dingtalk, 200, "{}", "retry 60"),
            (.dingtalk, 200, #"{"errcode":"0"}"#, "retry 60"),
            (.dingtalk, 200, #"{"errcode":0"#, "retry 60"),
            (.dingtalk, 404, "", "rejected"), (.dingtalk, 503, "", "retry 30"),
            (.wecom, 200, #"{"errcode":0,"errmsg":"ok"}"#, "accepted"),
            (.wecom, 200, #"{"errcode":45009,"errmsg":"api freq out of limit"}"#, "retry 60"),
            (.wecom, 200, #"{"errcode":-1,"errmsg":"system busy"}"#, "retry 30"),
            (.wecom, 200, #"{"errcode":93000,"errmsg":"invalid webhook url"}"#, "rejected"),
            (.wecom, 200, #"{"errcode":40058,"errmsg":"exceed max length"}"#, "rejected"),
            (.wecom, 200, #"{"errcode":130101}"#, "rejected"),
            (.feishu, 200, #"{"code":0,"msg":"success","data":{}}"#, "accepted"),
            (.feishu, 200, #"{"StatusCode":0,"code":0,"Extra":null}"#, "accepted"),
            (.feishu, 200, #"{"code":11232,"msg":"limit"}"#, "retry 60"),
            (.feishu, 400, #"{"code":99991400,"msg":"frequency limit"}"#, "retry 60"),
            (.feishu, 400, #"{"code":9499,"msg":"Bad Request","data":{}}"#, "rejected"),
            (.feishu, 400, #"{"code":9499,"msg":"too many request"}"#, "retry 60"),
            (.feishu, 200, #"{"code":19021,"msg":"sign match fail"}"#, "rejected"),
            (.feishu, 200, #"{"code":19024,"msg":"Key Words Not Found"}"#, "rejected"),
            (.feishu, 200, #"{"errcode":0}"#, "retry 60"),
        ] as [(FeedFormat, Int, String, String)])
    func robots(format: FeedFormat, status: Int, body: String, expected: String) {
        #expect(name(outcome(format, status, body)) == expected)
    }

    @Test("a robot's gateway says how long to wait")
    func wait() {
        let limited = outcome(
            .feishu, 429, #"{"code":99991400,"msg":"m"}"#, ["X-OGW-RateLimit-Reset": "52"])
        #expect(limited == .retry(after: .seconds(52), reason: "Feishu 99991400: m"))
    }

    @Test("a reason is one short line, whatever the answer holds")
    func reason() {
        let long = String(repeating: "a\\n\\u0007", count: 1000)
        let refused = outcome(.wecom, 200, "{\"errcode\":1,\"errmsg\":\"\(long)\"}")
        guard case .rejected(let reason) = refused else {
            Issue.record("\(refused)")
            return
        }
        #expect(reason.count < 230)
        #expect(!reason.unicodeScalars.contains { $0.value < 0x20 })
        #expect(
            outcome(.wecom, 200, #"{"errcode":1,"errmsg":"\u62a5\ud83d\ude00\"\/x"}"#)
                == .rejected(reason: "WeCom 1: 报😀\"/x"))
    }

    @Test("no answer exhausts the stack or is read past its end")
    func hostile() {
        for opening in ["[", "{\"a\":", "{\"errcode\":["] {
            let body = String(repeating: opening, count: 100_000)
            #expect(name(outcome(.wecom, 200, body)) == "retry 60")
        }
        let deep = "{\"a\":" + String(repeating: "[", count: 1_000_000)
        #expect(name(outcome(.wecom, 200, deep)) == "retry 60")
        for body in [#"{"errcode":0}x"#, #"{"errcode":0,}"#, #"{"errcode":nul}"#, #"{"a\u12":0}"#] {
            #expect(name(outcome(.wecom, 200, body)) == "retry 60", "\(body)")
        }
    }

    @Test("of sendmail", arguments: [(0, "accepted"), (75, "retry 60"), (67, "rejected")])
    func sendmail(status: Int, expected: String) {
        #expect(name(MailMessage.outcome(exitStatus: status)) == expected)
    }
}
