import LocatedText
import Telemetry

/// Reads `uplink-template/1`, the grammar of the templates in `Config/uplinks`:
///
///     format: uplink-template/1
///     name: cloud-construction-crane       lower-case letters, digits and -
///     source: "…"                          where the platform's fields are from
///     status: secondary                    verified | secondary | from-memory | project
///     checked: "2026-11-21"                when that was looked at
///     correction: none                     replace | new_record | none
///     topic: "{device}/live"               below the uplink's own; default: nothing
///     batch: 50                            items in one message, with $records only; default: 1
///     unknown: omit                        omit (default) | json_null | { text: "--" }
///     ids: { crane-1: "32010001" }         the platform's ids of our sites and devices
///     body: …                              a shape; TemplateShape+Parsing
///     answer:                              what a body of an answer with 2xx says
///       field: code                        or the keys that lead to it: [result, code]
///       accepted: [0]
///       retry: [500]
///       rejected: [401]
///       else: rejected                     rejected (default) | retry
///       words: message                     where the platform's words are
///       wait: 60 s                         before the next attempt
extension TemplateFormat {
    package static let format = "uplink-template/1"

    /// Reads a template; everything that is wrong with it is told in `faults`.
    ///
    /// - Returns: nil when something was wrong. The units are those of the file until the template
    ///   is `bound` to a vocabulary.
    package static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> TemplateFormat? {
        let known = faults.faults.count
        var reader = MappingReader(node, faults)
        _ = reader.required("format")?.word([(format, ())], faults)
        let name = reader.required("name").flatMap { Self.name($0, faults) }
        let provenance = Provenance(&reader, faults)
        let correction = reader.required("correction")?.word(
            CorrectionForm.allCases.map { ($0.rawValue, $0) }, faults)
        let topicNode = reader.optional("topic")
        let batchNode = reader.optional("batch")
        let unknown = reader.optional("unknown").flatMap { TemplateUnknown($0, faults) } ?? .omit
        let ids = reader.optional("ids").map { Self.ids($0, faults) } ?? [:]
        let bodyNode = reader.required("body")
        let answer = reader.optional("answer").flatMap { TemplateAnswer($0, faults) }
        reader.finish()
        var shapes = TemplateShapeReader(unknown: unknown, faults: faults)
        let body = bodyNode.flatMap { shapes.body($0) }
        let batch = batchNode.flatMap { Self.batch($0, body, faults) } ?? 1
        let topic = topicNode.flatMap { Self.topic($0, batch: batch, faults) } ?? .empty
        guard faults.faults.count == known, let name, let provenance, let correction, let body
        else { return nil }
        return TemplateFormat(
            name: name, provenance: provenance, correction: correction, batchLimit: batch,
            ids: ids, topic: topic, body: body, answer: answer)
    }

    private static func name(_ node: LocatedNode, _ faults: FaultCollector) -> String? {
        guard let text = node.string(faults) else { return nil }
        let isPlain = text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
        }
        if isPlain, (1...60).contains(text.utf8.count) { return text }
        faults.add(
            node.location, "'\(text)' cannot name a template",
            remedy: "lower-case letters, digits and -, at most 60")
        return nil
    }

    private static func ids(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> [String: String] {
        var ids: [String: String] = [:]
        for entry in node.entries(faults) { ids[entry.key] = entry.value.string(faults) }
        return ids
    }

    private static func batch(
        _ node: LocatedNode, _ body: TemplateShape?, _ faults: FaultCollector
    ) -> Int? {
        guard let count = node.int(faults) else { return nil }
        if !(1...500).contains(count) {
            faults.add(node.location, "'batch' lies between 1 and 500")
            return nil
        }
        if count > 1, let body, !body.hasRecords {
            faults.add(
                node.location, "a message without '$records' holds one item",
                remedy: "leave 'batch' out, or put '$records: …' where the list is")
            return nil
        }
        return count
    }

    private static func topic(
        _ node: LocatedNode, batch: Int, _ faults: FaultCollector
    ) -> TemplateText? {
        guard let text = node.string(faults) else { return nil }
        let allowed = batch > 1 ? TemplateText.Place.ofSite : TemplateText.Place.ofTopic
        guard let topic = TemplateText(text), topic.places.isSubset(of: allowed) else {
            let words = allowed.map { "{\($0.rawValue)}" }.sorted().joined(separator: ", ")
            faults.add(
                node.location, "'\(text)' has places that a topic cannot have",
                remedy: "here it may have: \(words)")
            return nil
        }
        let levels = text.split(separator: "/", omittingEmptySubsequences: false)
        let isClean = !text.unicodeScalars.contains {
            $0 == "+" || $0 == "#" || $0.properties.generalCategory == .control
        }
        if isClean, !levels.contains("") { return topic }
        faults.add(
            node.location, "'\(text)' cannot be a topic to publish under",
            remedy: "levels joined by '/', none of them empty, without + and #")
        return nil
    }
}

extension TemplateFormat.Provenance {
    fileprivate init?(_ reader: inout MappingReader, _ faults: FaultCollector) {
        let source = reader.required("source")?.string(faults)
        let status = reader.required("status")?.word(
            HJ212FactorTable.Evidence.allCases.map { ($0.rawValue, $0) }, faults)
        let checked = reader.required("checked")?.string(faults)
        guard let source, let status, let checked else { return nil }
        self.init(source: source, status: status, checked: checked)
    }
}

extension TemplateUnknown {
    /// `omit`, `json_null` or `{ text: … }`.
    init?(_ node: LocatedNode, _ faults: FaultCollector) {
        if case .mapping = node.content {
            var reader = MappingReader(node, faults)
            // An empty text is a text.
            let isEmpty = reader.has("text") && reader.optional("text") == nil
            let text = isEmpty ? "" : reader.required("text")?.string(faults)
            reader.finish()
            guard let text else { return nil }
            self = .text(text)
            return
        }
        let words: [(String, Self)] = [("omit", .omit), ("json_null", .null)]
        guard let word = node.word(words, faults) else { return nil }
        self = word
    }
}

extension TemplateAnswer {
    fileprivate init?(_ node: LocatedNode, _ faults: FaultCollector) {
        var reader = MappingReader(node, faults)
        let field = reader.required("field").flatMap { Self.path($0, faults) }
        let acceptedNode = reader.required("accepted")
        let accepted = acceptedNode.map { Self.values($0, faults) } ?? []
        let retryNode = reader.optional("retry")
        let rejectedNode = reader.optional("rejected")
        let words: [(String, Bool)] = [("rejected", false), ("retry", true)]
        let isRetried = reader.optional("else")?.word(words, faults) ?? false
        let wordsPath = reader.optional("words").flatMap { Self.path($0, faults) }
        let wait = reader.optional("wait")?.duration(faults) ?? .seconds(60)
        reader.finish()
        let retry = retryNode.map { Self.values($0, faults) } ?? []
        let rejected = rejectedNode.map { Self.values($0, faults) } ?? []
        if let acceptedNode, accepted.isEmpty {
            faults.add(
                acceptedNode.location, "no value means that a message was accepted",
                remedy: "name one at least, as 'accepted: [0]'")
        }
        for (node, values) in [(retryNode, retry), (rejectedNode, rejected)] {
            guard let node else { continue }
            let others = node.location == retryNode?.location ? accepted : accepted.union(retry)
            for value in values.intersection(others).sorted() {
                faults.add(node.location, "'\(value)' means two things", remedy: "name it once")
            }
        }
        guard let field else { return nil }
        self.init(
            field: field, accepted: accepted, retry: retry, rejected: rejected,
            isRetriedOtherwise: isRetried, words: wordsPath, wait: wait)
    }

    private static func path(_ node: LocatedNode, _ faults: FaultCollector) -> [String]? {
        if let key = node.scalar { return [key] }
        let keys = node.list(faults).compactMap { $0.string(faults) }
        return keys.isEmpty ? nil : keys
    }

    private static func values(_ node: LocatedNode, _ faults: FaultCollector) -> Set<String> {
        Set(node.list(faults).compactMap { $0.string(faults) })
    }
}
