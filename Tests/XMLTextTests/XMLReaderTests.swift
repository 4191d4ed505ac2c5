import Foundation
import TestSeeds
import Testing
import XMLText

@Suite("XML from memory")
struct XMLReaderTests {
    private func read(_ text: String) throws(XMLRefusal) -> XMLTree {
        try XMLReader.read(Array(text.utf8))
    }

    @Test("is a tree of names, attributes and texts")
    func tree() throws {
        let root = try read(
            """
            <?xml version="1.0" encoding="utf-8"?>
            <!-- who cares --><root><a x=" 1 " y='2'>one<![CDATA[<two>]]>&amp;&#x4E2D;</a><b/>\
            <b><c>z</c></b></root>
            """)
        #expect(
            root
                == XMLTree(
                    "root",
                    children: [
                        XMLTree("a", [.init("x", " 1 "), .init("y", "2")], text: "one<two>&中"),
                        XMLTree("b"), XMLTree("b", children: [XMLTree("c", text: "z")]),
                    ]))
        #expect(root.child("a")?.attribute("x") == "1")
        #expect(root.child("a")?.attribute("z") == nil)
        #expect(root.child("d") == nil)
    }

    @Test("may have white space and a mark before it, NULs and line ends behind it")
    func surroundings() throws {
        #expect(try read("\n \u{FEFF}<a/>".replacing("\n \u{FEFF}", with: "\n ")).name == "a")
        #expect(try read("\u{FEFF}<a/>").name == "a")
        #expect(try read("<a> b \r\n</a>\r\n\0\0\0").trimmedText == "b")
        #expect(try read("\n<?xml version='1.0'?><a/>").name == "a")
    }

    @Test("drops prefixes of names")
    func prefixes() throws {
        let root = try read("<s:a xmlns:s='urn:x' s:k='v'><s:b/></s:a>")
        #expect(root.name == "a")
        #expect(root.child("b") != nil)
        #expect(root.attribute("k") == "v")
    }

    @Test(
        "that is none is refused",
        arguments: [
            "", "\0\0\0", "hello", "{}", "<", "<a", "<a>", "<a></b>", "<a/><b/>", "<a x=1/>",
            "<a>&nope;</a>", "<a>\u{1}</a>", "<?xml version='1.0'?>", "<a x='1' x='2'/>",
        ])
    func malformed(text: String) {
        #expect(throws: XMLRefusal.self) { try read(text) }
    }

    @Test("with a DOCTYPE is refused before anything in it counts")
    func documentType() {
        var laughs = "<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY lol0 'lol'>"
        for level in 1...9 {
            let ten = String(repeating: "&lol\(level - 1);", count: 10)
            laughs += "<!ENTITY lol\(level) '\(ten)'>"
        }
        laughs += "]><lolz>&lol9;</lolz>"
        for text in [
            laughs, laughs.replacing("<lolz>&lol9;", with: "<lolz a='&lol9;'>"),
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
            "<!DOCTYPE a PUBLIC 'x' 'http://127.0.0.1:9/x.dtd'><a/>",
            "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1:9/'> %p;]><a/>",
        ] {
            let took = ProcessorTime.of {
                #expect(throws: XMLRefusal.documentType) { try read(text) }
            }
            #expect(took < .seconds(1))
        }
    }

    @Test("is bounded in length, depth and number")
    func limits() throws {
        let limits = XMLReader.Limits(bytes: 1000, depth: 5, nodes: 20)
        func nested(_ depth: Int) -> [UInt8] {
            Array(
                (String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth))
                    .utf8)
        }
        #expect(throws: Never.self) { try XMLReader.read(nested(5), limits) }
        #expect(throws: XMLRefusal.tooDeep(limit: 5)) { try XMLReader.read(nested(6), limits) }
        let many = Array(("<a>" + String(repeating: "<b c=''/>", count: 10) + "</a>").utf8)
        #expect(throws: XMLRefusal.tooMany(limit: 20)) { try XMLReader.read(many, limits) }
        let long = Array(("<a>" + String(repeating: "x", count: 994) + "</a>").utf8)
        #expect(throws: XMLRefusal.tooLong(bytes: 1001)) { try XMLReader.read(long, limits) }
        #expect(throws: XMLRefusal.tooDeep(limit: 32)) { try XMLReader.read(nested(100_000)) }
        // libxml2 compares each attribute of an element with all before it: four seconds for these.
        let attributes = (0..<80_000).map { "a\($0)='>'" }.joined(separator: " ")
        let took = ProcessorTime.of {
            #expect(throws: XMLRefusal.tooMany(limit: 1000)) { try read("<a \(attributes)/>") }
        }
        #expect(took < .seconds(1), "\(took)")
        let few = (0..<1000).map { "a\($0)=''" }.joined(separator: " ")
        #expect(throws: Never.self) { try read("<a \(few)/>") }
    }

    /// 中文 in GB2312 is D6 D0 CE C4.
    private func declared(_ encoding: String, _ content: [UInt8]) -> [UInt8] {
        Array("<?xml version=\"1.0\" encoding=\"\(encoding)\"?><a>".utf8) + content
            + Array("</a>".utf8)
    }

    @Test("is read as its declaration says", arguments: ["gb2312", "GBK", "GB18030", "gb2312 "])
    func gb(encoding: String) throws {
        let name = encoding.replacing(" ", with: "")
        #expect(try XMLReader.read(declared(name, [0xD6, 0xD0, 0xCE, 0xC4])).text == "中文")
    }

    @Test("that declares GB2312 and is UTF-8 is read as UTF-8")
    func declaredGBSentUTF8() throws {
        #expect(try XMLReader.read(declared("GB2312", Array("中文".utf8))).text == "中文")
        #expect(try XMLReader.read(declared("GB2312", Array("ascii".utf8))).text == "ascii")
        // 系 in GB2312 is CF B5, which is valid UTF-8 for a Greek letter.
        #expect(try XMLReader.read(declared("GB2312", [0xCF, 0xB5])).text == "系")
    }

    @Test("that declares UTF-8 and is not is refused, and so is an encoding that nobody reads")
    func wrongEncoding() {
        #expect(throws: XMLRefusal.self) {
            try XMLReader.read(declared("utf-8", [0xD6, 0xD0, 0xCE, 0xC4]))
        }
        #expect(throws: XMLRefusal.encoding("ISO-8859-1")) {
            try XMLReader.read(declared("ISO-8859-1", [0xE4]))
        }
        // The name goes into logs.
        #expect(throws: XMLRefusal.encoding("a?b??c.1")) {
            try XMLReader.read(declared("a\u{0}b\u{1B}\nc.1", [0x61]))
        }
        #expect(throws: XMLRefusal.notXML) {
            try XMLReader.read([0xFF, 0xFE, 0x3C, 0, 0x61, 0, 0x2F, 0, 0x3E, 0])
        }
    }

    @Test("of random bytes never traps, neither do damaged documents")
    func randomBytes() {
        var random = SeededGenerator(71)
        let whole = Array(
            "<?xml version=\"1.0\" encoding=\"gb2312\"?><root a='1'><b>&lt;x</b><!--c--></root>"
                .utf8)
        for _ in 0..<4000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                if random.oneIn(3) {
                    bytes.remove(at: at)
                } else {
                    bytes[at] = UInt8.random(in: 0...255, using: &random)
                }
            }
            _ = try? XMLReader.read(bytes)
            let noise = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            _ = try? XMLReader.read([0x3C] + noise)
        }
    }

    @Test("is read on several threads at once")
    func threads() async throws {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var sum = 0
                    for n in 0..<500 {
                        let text = "<a n='\(n)'>\(task)</a>"
                        sum += Int(try XMLReader.read(Array(text.utf8)).text) ?? -1
                    }
                    return sum
                }
            }
            var sums: [Int] = []
            for try await sum in group { sums.append(sum) }
            #expect(sums.sorted() == (0..<8).map { $0 * 500 })
        }
    }
}
