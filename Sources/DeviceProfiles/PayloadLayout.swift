/// What an interface wants of a message, compiled: from bytes to records, one for each scan.
///
///     message ─▶ root ($) ─▶ each element (each: …) ─▶ each sample (samples: …)
///                 └ select, device_key ┘                └ points and time
///
/// `$` is the message. `@` is the element of `each`; in points and time it is the innermost one, the
/// sample where there are samples. All bindings of an interface share one layout, so a message
/// is read once for all of its devices.
struct PayloadLayout: Sendable {
    /// What one scan is made of: a token for each place, and the key that the payload gives.
    struct Record: Sendable {
        var key: [UInt8]?
        var tokens: [JSONToken]
    }

    /// Elements and samples of one message, together.
    static let maximumRecords = 10_000

    private let format: PayloadFormat
    private let places: [PayloadPlace]
    /// For each place its scope and its slot in that scope.
    private let origins: [(scope: Scope, slot: Int)]
    private let selections: [JSONSelection]
    private let each: Int?
    private let samples: Int?
    private let samplesScope: Scope
    private let select: [(place: Int, texts: [[UInt8]])]
    private let key: Key

    private enum Scope: Int { case root, element, sample }

    private enum Key: Sendable {
        case topic
        case place(Int)
        case memberName
    }

    /// - Parameter wanted: the places of points, time and agree; their tokens come first, in order.
    init(_ interface: MQTTInterface, wanted: [(place: PayloadPlace, isInner: Bool)]) {
        format = interface.format
        var places = wanted.map(\.place)
        var isInner = wanted.map(\.isInner)
        func add(_ place: PayloadPlace) -> Int {
            places.append(place)
            isInner.append(false)
            return places.count - 1
        }
        select = interface.select.map { (add($0.place), $0.texts.map { Array($0.utf8) }) }
        switch interface.deviceKey {
        case .topic: key = .topic
        case .memberName: key = .memberName
        case .payload(let place): key = .place(add(place))
        }
        self.places = places
        let hasEach = interface.each != nil
        let inner: Scope = interface.samples != nil ? .sample : .element
        let outer: Scope = hasEach ? .element : .sample
        var paths: [[JSONPath]] = [[], [], []]
        var origins: [(scope: Scope, slot: Int)] = []
        for (place, isInner) in zip(places, isInner) {
            guard case .json(let path) = place else { continue }
            let scope = path.isRelative ? (isInner ? inner : outer) : .root
            origins.append((scope, paths[scope.rawValue].count))
            paths[scope.rawValue].append(path)
        }
        var eachIndex: Int?
        if let path = interface.each {
            eachIndex = paths[0].count
            paths[0].append(path)
        }
        var samplesIndex: Int?
        var samplesScope = Scope.root
        if let path = interface.samples {
            samplesScope = path.isRelative ? .element : .root
            samplesIndex = paths[samplesScope.rawValue].count
            paths[samplesScope.rawValue].append(path)
        }
        self.samplesScope = samplesScope
        let compiled = paths.map { JSONSelection($0) }
        selections = compiled
        self.origins = origins.map { ($0.scope, compiled[$0.scope.rawValue].slots[$0.slot]) }
        each = eachIndex.map { compiled[0].slots[$0] }
        samples = samplesIndex.map { compiled[samplesScope.rawValue].slots[$0] }
    }

    /// The records of a payload that `select` lets through, in their order.
    ///
    /// - Throws: why the payload is none of the form.
    func records(_ payload: [UInt8]) throws(JSONFault) -> [Record] {
        guard format == .json else {
            return try PayloadFields.records(payload, format, places)
                .filter { isSelected($0, payload) }
                .map { Record(key: key($0, nil, payload), tokens: $0) }
        }
        let root = try JSONScanner.scan(payload, for: selections[0])
        guard each != nil || samples != nil else {
            let tokens = origins.map { root[$0.slot] }
            guard isSelected(tokens, payload) else { return [] }
            return [Record(key: key(tokens, nil, payload), tokens: tokens)]
        }
        var records: [Record] = []
        for element in try elements(root, payload) {
            let tokens =
                element.start < 0
                ? [] : try JSONScanner.scan(payload, from: element.start, for: selections[1])
            for sample in try self.samples(root, tokens, payload) {
                let inner =
                    sample < 0
                    ? [] : try JSONScanner.scan(payload, from: sample, for: selections[2])
                let all = origins.map { origin in
                    let scope =
                        switch origin.scope {
                        case .root: root
                        case .element: tokens
                        case .sample: inner
                        }
                    return origin.slot < scope.count ? scope[origin.slot] : JSONToken()
                }
                guard isSelected(all, payload) else { continue }
                guard records.count < Self.maximumRecords else {
                    throw JSONFault(
                        message: "more than \(Self.maximumRecords) elements", position: sample)
                }
                records.append(Record(key: key(all, element.name, payload), tokens: all))
            }
        }
        return records
    }

    /// The elements of `each`; without it one that stands for the whole.
    private func elements(
        _ root: [JSONToken], _ payload: [UInt8]
    ) throws(JSONFault) -> [(start: Int, name: [UInt8]?)] {
        guard let each else { return [(-1, nil)] }
        // Nothing there is no mistake: a batch may be empty.
        guard root[each].kind == .container else { return [] }
        return try JSONScanner.elements(
            payload, from: root[each].start, limit: Self.maximumRecords)
    }

    private func samples(
        _ root: [JSONToken], _ element: [JSONToken], _ payload: [UInt8]
    ) throws(JSONFault) -> [Int] {
        guard let samples else { return [-1] }
        let scope = samplesScope == .root ? root : element
        guard samples < scope.count, scope[samples].kind == .container else { return [] }
        return try JSONScanner.elements(
            payload, from: scope[samples].start, limit: Self.maximumRecords
        ).map(\.start)
    }

    private func isSelected(_ tokens: [JSONToken], _ payload: [UInt8]) -> Bool {
        select.allSatisfy { condition in
            guard let said = PayloadPoint.scalar(tokens[condition.place], in: payload) else {
                return false
            }
            return condition.texts.contains { $0.elementsEqual(said) }
        }
    }

    private func key(_ tokens: [JSONToken], _ name: [UInt8]?, _ payload: [UInt8]) -> [UInt8]? {
        switch key {
        case .topic: nil
        case .memberName: name
        case .place(let index): PayloadPoint.scalar(tokens[index], in: payload).map { Array($0) }
        }
    }
}
