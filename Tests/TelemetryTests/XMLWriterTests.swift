import Telemetry
import Testing

@Suite("Written XML")
struct XMLWriterTests {
    private func text(_ writer: XMLWriter) -> String {
        String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test("begins with the declaration that is wanted, or without one")
    func declaration() {
        #expect(text(XMLWriter()) == "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        #expect(
            text(XMLWriter(encoding: "utf-8")) == "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n")
        #expect(text(XMLWriter(encoding: nil)).isEmpty)
    }

    @Test("has references for everything but ASCII where it is to be ASCII")
    func ascii() {
        for isASCII in [false, true] {
            var xml = XMLWriter(encoding: nil, isASCII: isASCII)
            xml.leaf("a", "中 & é🏗", ["b": "楼"])
            #expect(
                text(xml)
                    == (isASCII
                        ? "<a b=\"&#27004;\">&#20013; &amp; &#233;&#127959;</a>\n"
                        : "<a b=\"楼\">中 &amp; é🏗</a>\n"))
        }
    }

    @Test("takes attributes that are known only when it is written")
    func attributes() {
        var xml = XMLWriter(encoding: nil)
        let pairs: [(key: String, value: String)] = [("x", "1"), ("y", "<2>")]
        xml.element("a", pairs) {
            $0.leaf("b", "text", pairs)
            $0.leaf("b", nil, pairs)
            $0.empty("c", pairs)
        }
        #expect(
            text(xml) == """
                <a x="1" y="&lt;2&gt;">
                  <b x="1" y="&lt;2&gt;">text</b>
                  <c x="1" y="&lt;2&gt;"/>
                </a>

                """)
    }
}
