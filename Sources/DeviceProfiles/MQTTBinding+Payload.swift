import Telemetry

/// The other way round: what a device would send. Simulators and tests use it.
extension MQTTBinding {
    /// The message that a device with these canonical values would send at `time`.
    ///
    /// Values of other kinds than the point's, NaN and unknown words are left out. In a format with
    /// lists the message holds one element with one sample.
    package func payload(_ values: [PointKey: Value], at time: Timestamp) -> [UInt8] {
        var leaves: [(place: PayloadPlace, isInner: Bool, leaf: JSONDocument.Leaf)] = []
        if case .payload(let place) = interface.deviceKey {
            leaves.append((place, false, .text(key)))
        }
        for selector in interface.select {
            if let text = selector.texts.first {
                leaves.append((selector.place, false, .text(text)))
            }
        }
        if let agree = interface.agree { leaves.append((agree, false, .text(key))) }
        if let place = interface.time.place {
            let text = interface.time.render(time)
            leaves.append(
                (place, true, interface.time.isNumeric ? .literal(text) : .text(text)))
        }
        for point in points {
            guard let value = values[point.key], let leaf = point.encode(value) else { continue }
            leaves.append((point.place, true, leaf))
        }
        switch interface.format {
        case .json: return document(leaves)
        case .text: return Array((leaves.first?.leaf.plain ?? "").utf8)
        case .pairs(let fields, let value):
            let texts = leaves.map { leaf -> [UInt8] in
                guard case .key(let name) = leaf.place else { return [] }
                return name + [value] + Array(leaf.leaf.plain.utf8)
            }
            return Array(texts.joined(separator: [fields.first ?? 0x2C]))
        case .columns(let separator):
            var columns: [Int: String] = [:]
            for leaf in leaves {
                if case .column(let number) = leaf.place { columns[number] = leaf.leaf.plain }
            }
            let texts = (0...(columns.keys.max() ?? 0)).map { Array((columns[$0] ?? "").utf8) }
            return Array(texts.joined(separator: [separator]))
        case .sparkplug: return []
        }
    }

    private func document(
        _ leaves: [(place: PayloadPlace, isInner: Bool, leaf: JSONDocument.Leaf)]
    ) -> [UInt8] {
        var document = JSONDocument()
        for (place, isInner, leaf) in leaves {
            guard case .json(var path) = place else { continue }
            if path.isRelative {
                if isInner || interface.each == nil, let samples = interface.samples {
                    path = samples.element(path)
                }
                if path.isRelative, let each = interface.each { path = each.element(path) }
            }
            document.set(path, to: leaf)
        }
        return document.bytes
    }
}

extension JSONDocument.Leaf {
    /// The value without quotes.
    fileprivate var plain: String {
        switch self {
        case .text(let text), .literal(let text): text
        case .bits(let pattern, _): "\(pattern)"
        }
    }
}
