import Foundation
import Telemetry
import TestSeeds
import Testing

@Suite("JSON text")
struct JSONWriterTests {

    private func parsed(_ json: JSONWriter) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(json.bytes), options: .fragmentsAllowed)
    }

    @Test("has commas between values and nowhere else, and keys in the order of the calls")
    func structure() {
        var json = JSONWriter()
        json.object {
            $0.field("z", 1)
            $0.key("list")
            $0.array {
                $0.array { _ in }
                $0.object { _ in }
                $0.value("a")
                $0.null()
                $0.value(true)
                $0.fragment("[1]".utf8)
            }
            $0.field("a", Double?.none)
            $0.key("empty")
            $0.object { _ in }
            $0.field("t", "x")
        }
        #expect(
            json.text == #"{"z":1,"list":[[],{},"a",null,true,[1]],"a":null,"empty":{},"t":"x"}"#)
    }

    @Test(
        "writes numbers with the fewest digits",
        arguments: [
            (140, "140"), (0.1, "0.1"), (-0.5, "-0.5"), (1e21, "1e+21"),
            (.leastNonzeroMagnitude, "5e-324"),
            (.nan, "null"), (.infinity, "null"), (-.infinity, "null"),
        ] as [(Double, String)])
    func numbers(value: Double, text: String) {
        var json = JSONWriter()
        json.value(value)
        #expect(json.text == text)
    }

    @Test("reads back as the same numbers and texts", arguments: [1, 2, 3] as [UInt64])
    func roundTrip(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let number = Double(bitPattern: random.next())
            let text = String(
                String.UnicodeScalarView(
                    (0..<Int.random(in: 0...12, using: &random)).compactMap { _ in
                        let wide = Bool.random(using: &random)
                        return Unicode.Scalar(
                            UInt32.random(in: 0...(wide ? 0x10FFFF : 0x9F), using: &random))
                    }))
            var json = JSONWriter()
            json.object { $0.field(text, text) }
            let object = try #require(try parsed(json) as? [String: Any], "seed \(seed)")
            let bytes = (object[text] as? String).map { Array($0.utf8) }
            #expect(bytes == Array(text.utf8), "seed \(seed)")
            // JSONSerialization itself misses the nearest double by some digits; the decoder does not.
            var list = JSONWriter()
            list.array { $0.value(number) }
            let numbers = try JSONDecoder().decode([Double?].self, from: Data(list.bytes))
            #expect(numbers == [number.isFinite ? number : nil], "seed \(seed)")
        }
    }
}
