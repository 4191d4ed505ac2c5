import CXML2

/// Reads XML 1.0 from memory with libxml2, and nothing else than memory: no network, no files, no
/// document types, no entities but the five of XML itself.
///
/// Safe on several threads at once; each call has a parser of its own.
package enum XMLReader {
    /// What is read at most.
    package struct Limits: Hashable, Sendable {
        package var bytes: Int
        /// Elements inside one another, the root included.
        package var depth: Int
        /// Elements and attributes together; of one element at most 1000 attributes are read.
        package var nodes: Int

        package init(bytes: Int = 1 << 20, depth: Int = 32, nodes: Int = 50_000) {
            self.bytes = min(max(bytes, 0), 1 << 30)
            self.depth = depth
            self.nodes = nodes
        }
    }

    /// The parser's tables are made once; after that every thread may parse (libxml2, threads).
    private static let isReady: Bool = {
        xmlInitParser()
        return true
    }()

    /// Reads one document; a byte order mark and white space before it, and NULs and white space
    /// behind it, do not count.
    package static func read(
        _ bytes: some Collection<UInt8>, _ limits: Limits = Limits()
    ) throws(XMLRefusal) -> XMLTree {
        guard bytes.count <= limits.bytes else { throw .tooLong(bytes: bytes.count) }
        let text = bare(Array(bytes))
        guard text.first == 0x3C else { throw .notXML }
        guard !hasTooManyAttributes(text) else { throw .tooMany(limit: mostAttributes) }
        let encoding = try XMLEncoding.of(text)
        let builder = XMLTreeBuilder(limits)
        let (isWellFormed, fault) = parse(text, encoding, builder)
        if let refusal = builder.refusal { throw refusal }
        if let fault { throw fault }
        guard isWellFormed, let root = builder.root else {
            throw .malformed(line: 1, detail: "it ends too early")
        }
        return root
    }

    /// The attributes that one element may have: libxml2 compares each with all before it, before
    /// it tells of any, so that a megabyte of them would take it seconds.
    private static let mostAttributes = 1000

    /// Whether a tag could have more than `mostAttributes`.
    ///
    /// Counts `=` from one `<` to the next: an attribute has one, its value has no `<`, and no
    /// encoding that is read here has either as a part of another character.
    private static func hasTooManyAttributes(_ text: ArraySlice<UInt8>) -> Bool {
        var count = 0
        for byte in text {
            if byte == 0x3C { count = 0 }
            if byte == 0x3D { count += 1 }
            if count > mostAttributes { return true }
        }
        return false
    }

    private static func bare(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        var text = bytes[...]
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { text = text.dropFirst(3) }
        text = text.drop(while: isBlank)
        while let last = text.last, last == 0 || isBlank(last) { text.removeLast() }
        return text
    }

    /// Runs the parser; `builder` is told what it finds.
    private static func parse(
        _ text: ArraySlice<UInt8>, _ encoding: XMLEncoding, _ builder: XMLTreeBuilder
    ) -> (isWellFormed: Bool, fault: XMLRefusal?) {
        guard isReady, let context = xmlNewParserCtxt() else {
            return (false, .malformed(line: 0, detail: "libxml2 has no memory"))
        }
        defer { xmlFreeParserCtxt(context) }
        // Without it libxml2 prints what it cannot decode; it holds for this thread.
        xmlSetStructuredErrorFunc(nil) { _, _ in }
        // With every other handler absent, libxml2 builds no document of its own.
        context.pointee.sax.pointee = XMLHandlers.all
        context.pointee._private = Unmanaged.passUnretained(builder).toOpaque()
        let options = [
            XML_PARSE_NONET, XML_PARSE_NOERROR, XML_PARSE_NOWARNING, XML_PARSE_IGNORE_ENC,
        ].reduce(0) { $0 | Int32($1.rawValue) }
        let document = text.withUnsafeBytes {
            xmlCtxtReadMemory(
                context, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count), nil,
                encoding.name, options)
        }
        if let document { xmlFreeDoc(document) }
        withExtendedLifetime(builder) {}
        if context.pointee.wellFormed == 1 { return (true, nil) }
        return (false, fault(of: context))
    }

    private static func fault(of context: xmlParserCtxtPtr) -> XMLRefusal {
        guard let error = xmlCtxtGetLastError(context) else {
            return .malformed(line: 1, detail: "it is not well-formed")
        }
        let detail = error.pointee.message.map { String(cString: $0) } ?? "it is not well-formed"
        // What stands there came from outside: one line, and not a long one.
        let line = detail.unicodeScalars.prefix { $0 != "\n" }.prefix(120)
        return .malformed(line: Int(error.pointee.line), detail: String(line))
    }
}

/// Puts the tree together, and stops the parser at the first thing that is not read.
private final class XMLTreeBuilder {
    private let limits: XMLReader.Limits
    private var open: [XMLTree] = []
    private var nodes = 0
    private(set) var root: XMLTree?
    private(set) var refusal: XMLRefusal?

    init(_ limits: XMLReader.Limits) { self.limits = limits }

    func refuse(_ refusal: XMLRefusal, _ context: xmlParserCtxtPtr) {
        if self.refusal == nil { self.refusal = refusal }
        xmlStopParser(context)
    }

    func start(_ element: XMLTree, _ context: xmlParserCtxtPtr) {
        nodes += 1 + element.attributes.count
        if open.count >= limits.depth { return refuse(.tooDeep(limit: limits.depth), context) }
        if nodes > limits.nodes { return refuse(.tooMany(limit: limits.nodes), context) }
        open.append(element)
    }

    func text(_ text: String) {
        if !open.isEmpty { open[open.count - 1].text += text }
    }

    func end() {
        guard let done = open.popLast() else { return }
        if open.isEmpty {
            root = done
        } else {
            open[open.count - 1].children.append(done)
        }
    }
}

/// What libxml2 calls while it reads (its interface SAX2).
private enum XMLHandlers {
    static var all: xmlSAXHandler {
        var handlers = xmlSAXHandler()
        handlers.initialized = UInt32(XML_SAX2_MAGIC)
        handlers.startElementNs = { context, name, _, _, _, _, count, _, attributes in
            XMLHandlers.start(context, name, Int(count), attributes)
        }
        handlers.endElementNs = { context, _, _, _ in XMLHandlers.builder(context)?.builder.end() }
        handlers.characters = { context, bytes, count in
            XMLHandlers.text(context, bytes, Int(count))
        }
        handlers.ignorableWhitespace = handlers.characters
        handlers.internalSubset = { context, _, _, _ in
            guard let (builder, parser) = XMLHandlers.builder(context) else { return }
            builder.refuse(.documentType, parser)
        }
        handlers.serror = { _, _ in }
        return handlers
    }

    static func builder(
        _ context: UnsafeMutableRawPointer?
    ) -> (builder: XMLTreeBuilder, parser: xmlParserCtxtPtr)? {
        guard let parser = context?.assumingMemoryBound(to: xmlParserCtxt.self),
            let own = parser.pointee._private
        else { return nil }
        return (Unmanaged<XMLTreeBuilder>.fromOpaque(own).takeUnretainedValue(), parser)
    }

    /// An element begins.
    ///
    /// - Parameter attributes: five pointers for each: name, prefix, URI, and the first byte of the
    ///   value and the first behind it.
    static func start(
        _ context: UnsafeMutableRawPointer?, _ name: UnsafePointer<xmlChar>?, _ count: Int,
        _ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
    ) {
        guard let (builder, parser) = builder(context), let name else { return }
        var element = XMLTree(String(cString: name))
        for index in 0..<max(0, count) {
            guard let fields = attributes.map({ $0 + 5 * index }), let key = fields[0],
                let first = fields[3], let end = fields[4], end >= first
            else { continue }
            let value = UnsafeBufferPointer(start: first, count: end - first)
            element.attributes.append(
                XMLTree.Attribute(String(cString: key), String(decoding: value, as: UTF8.self)))
        }
        builder.start(element, parser)
    }

    static func text(
        _ context: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<xmlChar>?, _ count: Int
    ) {
        guard let bytes, count > 0 else { return }
        let text = UnsafeBufferPointer(start: bytes, count: count)
        builder(context)?.builder.text(String(decoding: text, as: UTF8.self))
    }
}
