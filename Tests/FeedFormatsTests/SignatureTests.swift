import Foundation
import Telemetry
import Testing

@testable import FeedFormats

/// The expected values were computed with Python's hmac, hashlib, base64 and urllib.parse.
@Suite("Signatures")
struct SignatureTests {
    @Test(
        "DingTalk's are what Python computes",
        arguments: [
            ("SECabc123", 1_795_219_200_000, "vgJj2HGOqcclwiC68ueCUzukkiPj8BKobUcHClQ7e3Y%3D"),
            (
                "密钥 & secret/+", 1_795_219_261_234,
                "5O07M%2BL4Q18dwvPiyM5fLcZtXy6pM6wsIHJ2E6hPuBY%3D"
            ),
        ] as [(String, Int64, String)])
    func dingTalk(secret: String, milliseconds: Int64, sign: String) {
        let query = DingTalkRobot.signedQuery(
            secret: secret, at: Timestamp(milliseconds: milliseconds))
        #expect(query == "timestamp=\(milliseconds)&sign=\(sign)")
    }

    @Test(
        "Feishu's are what Python computes, and stand inside the body",
        arguments: [
            ("demo", 1_599_360_473_999, "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="),
            ("密钥", 1_795_219_261_000, "i655Xyzxl/mIyk54nKgeod8X9Q4YexZ91+OeFPeRTrA="),
        ] as [(String, Int64, String)])
    func feishu(secret: String, milliseconds: Int64, sign: String) throws {
        let body = FeishuRobot.message(samples[1].notice, try words()).body
        let signed = FeishuRobot.signed(
            body, secret: secret, at: Timestamp(milliseconds: milliseconds))
        var object = try #require(
            try JSONSerialization.jsonObject(with: Data(signed)) as? [String: Any])
        #expect(object.removeValue(forKey: "timestamp") as? String == "\(milliseconds / 1000)")
        #expect(object.removeValue(forKey: "sign") as? String == sign)
        let unsigned = try #require(
            try JSONSerialization.jsonObject(with: Data(body)) as? NSDictionary)
        #expect(NSDictionary(dictionary: object) == unsigned)
        #expect(signed.count - body.count < 200)
    }

    @Test(
        "a webhook's are what Python computes",
        arguments: [
            (
                "whsec", 1_795_219_200, "{\"a\":1}",
                "b8cd2641524aeb8ca8e42352ce70e1c67f571546d06e81f85a04761231a567f2"
            ),
            ("", 1, "", "c026d3e9b78f258f71e236d9191954480d6b609fd93524964f0643741eaf81b3"),
            (
                String(repeating: "x", count: 100), 1_795_219_261, "报警",
                "97271118777274212fa116e22c177c2ed5059372de75972c2d78a6f03a387e6b"
            ),
        ] as [(String, Int64, String, String)])
    func webhook(secret: String, seconds: Int64, body: String, digest: String) {
        let time = Timestamp(milliseconds: seconds * 1000 + 999)
        let signature = WebhookSignature.signature(
            of: Array(body.utf8), secret: Array(secret.utf8), at: time)
        #expect(signature == "t=\(seconds),v1=\(digest)")
        #expect(
            WebhookSignature.isValid(
                signature, of: Array(body.utf8), secret: Array(secret.utf8), now: time))
    }

    @Test("a signature is refused for another body, secret or time, and when it is none")
    func refused() {
        let (body, secret) = (Array("{}".utf8), Array("s".utf8))
        let signature = WebhookSignature.signature(of: body, secret: secret, at: morning)
        func isValid(
            _ text: String, _ body: [UInt8] = body, _ secret: [UInt8] = secret,
            now: Timestamp = morning
        ) -> Bool {
            WebhookSignature.isValid(text, of: body, secret: secret, now: now)
        }
        #expect(isValid(signature))
        #expect(!isValid(signature, Array("{ }".utf8)))
        #expect(!isValid(signature, body, Array("t".utf8)))
        #expect(isValid(signature, now: morning + .seconds(300)))
        #expect(!isValid(signature, now: morning + .seconds(301)))
        #expect(!isValid(signature, now: morning - .seconds(301)))
        #expect(!isValid(String(signature.dropLast())))
        #expect(!isValid(signature.replacing("t=1", with: "t=2")))
        for odd in ["", "t=", "v1=ab", "t=1,v1", "t=x,v1=y", "t=\(Int64.max),v1=00", ",,=,"] {
            #expect(!isValid(odd), "\(odd)")
        }
    }

    @Test("the fields go with a message, and its key cannot end a line")
    func fields() {
        let message = FeedMessage(
            contentType: "application/json", body: Array("{}".utf8),
            idempotencyKey: "site|a b|\r\nX: 工")
        let fields = WebhookSignature.fields(for: message, secret: [1], at: morning)
        #expect(fields.map(\.name) == ["X-Plumbline-Signature", "Idempotency-Key"])
        #expect(fields[0].value.hasPrefix("t=1795219200,v1="))
        #expect(fields[1].value == "site|a%20b|%0D%0AX:%20%E5%B7%A5")
    }

    @Test("Base64 is Foundation's for every length")
    func base64() {
        for length in 0...80 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
            #expect(Encodings.base64(bytes) == Data(bytes).base64EncodedString())
        }
    }
}
