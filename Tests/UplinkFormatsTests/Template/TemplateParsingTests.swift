import LocatedText
import Testing
import UplinkFormats

@Suite("A template's file")
struct TemplateParsingTests {
    private func faults(_ text: String) throws -> [String] {
        let faults = FaultCollector()
        let template = TemplateFormat.parse(try LocatedNode.parse(text, file: "t.yaml"), faults)
        // What is half understood is not used.
        #expect((template == nil) == !faults.isEmpty)
        if let template {
            _ = template.bound(
                to: try Templates.units(), quantities: try Templates.quantities(), faults)
        }
        return faults.faults.map(\.description)
    }

    @Test("has to say where its fields are from, and what becomes of corrections")
    func required() throws {
        let told = try faults("format: uplink-template/2\nbody: {}")
        for word in ["name", "source", "status", "checked", "correction"] {
            #expect(told.contains("t.yaml:1:1: '\(word)' is missing; add '\(word): …'"), "\(word)")
        }
        #expect(told.contains { $0.contains("'uplink-template/2' is not accepted here") })
    }

    @Test(
        "is refused with the line and what to do",
        arguments: [
            ("a: { $poimt: pm10 }", "did you mean '$point'?"),
            ("a: { $point: pm10, statistics: max }", "did you mean 'statistic'?"),
            ("a: { $point: pm10, statistic: median }", "'median' is no statistic"),
            ("a: { $point: pm10, statistic: exceeded_100 }", "'exceeded_100' is no statistic"),
            ("a: { $point: PM10 }", "'PM10' is no point"),
            ("a: { $point: pm10, $time: start }", "a field holds one thing"),
            ("a: { $point: lod_mass }", "did you mean 'load_mass'?"),
            (
                "a: { $bits: { 0: alarm_wnd }, width: 1, set: [alarm] }",
                "did you mean 'alarm_wind'?"
            ),
            ("a: { $point: \"x*.y\" }", "the vocabulary has no 'x*'"),
            ("a: { $point: pm10, unit: mg }", "the vocabulary has no unit 'mg'"),
            ("a: { $point: pm10, decimals: 10 }", "decimals lie between 0 and 9"),
            ("a: { $point: pm10, decimals: 1, scale: 10 }", "keep 'scale' or 'decimals'"),
            ("a: { $point: pm10, scale: 0 }", "a scale lies between"),
            ("a: { $point: pm10, unknown: nothing }", "one of: omit, json_null"),
            ("a: { $text: \"{driver}\" }", "has a place that is none"),
            ("a: { $text: \"{site\" }", "has a place that is none"),
            ("a: { $time: start, format: yyyyMMdd }", "is no format of a time"),
            ("a: { $time: start, format: yyyyMMddHHmmssX }", "is no format of a time"),
            ("a: { $time: start, as: text }", "this time is a text anyway"),
            ("a: { $bits: { 32: alarm_wind }, width: 32, set: [alarm] }", "no bit of 32"),
            ("a: { $bits: { 0: alarm_wind }, width: 32 }", "'set' is missing"),
            ("a: { $records: { b: 1 } }\n  c: { $point: pm10 }", "nothing can tell of one record"),
            ("a: { $records: { b: 1 } }\n  c: { $text: \"{device}\" }", "write only {site}"),
            ("a: { $records: { b: 1 } }\n  c: { $records: { b: 1 } }", "stands more than once"),
            ("$time: start", "a message is an object or a list"),
        ])
    func shapes(body: String, words: String) throws {
        let told = try faults(Templates.head + "correction: none\nbody:\n  " + body)
        #expect(told.count == 1, "\(told)")
        #expect(told.first?.contains(words) == true, "\(told)")
        #expect(told.first?.hasPrefix("t.yaml:8:") == true || body.contains("\n"), "\(told)")
    }

    @Test(
        "is refused for what would lose a message",
        arguments: [
            ("topic: \"a/+/b\"", "cannot be a topic to publish under"),
            ("topic: \"a//b\"", "cannot be a topic to publish under"),
            ("topic: \"{revision}\"", "places that a topic cannot have"),
            ("batch: 2", "a message without '$records' holds one item"),
            ("batch: 501", "'batch' lies between 1 and 500"),
            ("answer: { field: code, accepted: [] }", "no value means that a message was accepted"),
            ("answer: { field: code, accepted: [0], retry: [\"0\"] }", "'0' means two things"),
            ("answer: { field: code, accepted: [0], retry: [1], rejected: [1] }", "two things"),
            ("answer: { accepted: [0] }", "'field' is missing"),
        ])
    func messages(line: String, words: String) throws {
        let told = try faults(Templates.head + "correction: none\n\(line)\nbody: { a: 1 }")
        #expect(told.count == 1, "\(told)")
        #expect(told.first?.contains(words) == true, "\(told)")
    }

    @Test("that puts several items into one message has a topic that all of them share")
    func sharedTopic() throws {
        let rest = "correction: none\nbatch: 2\nbody: { $records: { a: 1 } }\ntopic: "
        #expect(try faults(Templates.head + rest + "\"{device}\"").count == 1)
        #expect(try faults(Templates.head + rest + "\"{site}\"") == [])
    }
}
