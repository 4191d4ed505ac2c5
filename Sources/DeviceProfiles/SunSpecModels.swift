import LocatedText
import Telemetry

/// Where the points of SunSpec models are, relative to the model's first register.
///
/// A device holds the marker "SunS" and then a chain of models; which ones, and in which order, is
/// its own affair:
///
///     base: 0x5375 0x6E53 | ID L data … (L registers) | ID L data … | 0xFFFF 0x0000
///
/// So a profile names model and point, and the addresses are found on the device. Until then, and
/// in vectors, the models lie one behind the other in the order of their numbers (`virtualBase`).
package struct SunSpecModels: Sendable {
    struct Model: Sendable {
        /// Data registers behind ID and L.
        var length: Int
        /// Point to offset from the ID register.
        var points: [String: Int]
    }

    /// Where a model is on a device.
    struct Place: Hashable, Sendable {
        /// The address of its ID register.
        var address: Int
        /// Its data registers; a device may have an older, shorter edition than the vocabulary.
        var length: Int

        /// The address behind its last register.
        var end: Int { address + 2 + length }
    }

    var models: [Int: Model] = [:]

    /// Where the marker may be, in the order of the search.
    package static let bases = [40_000, 50_000, 0]
    static let marker: [UInt16] = [0x5375, 0x6E53]

    /// Where the ID register of `model` lies in the layout of vectors; nil if it is not known.
    package func virtualBase(of model: Int) -> Int? {
        guard models[model] != nil else { return nil }
        return models.filter { $0.key < model }
            .reduce(Self.bases[0] + Self.marker.count) { $0 + 2 + $1.value.length }
    }

    /// The address of `203/W` in the layout of vectors.
    func virtualAddress(model: Int, point: String) -> Int? {
        guard let base = virtualBase(of: model), let offset = models[model]?.points[point] else {
            return nil
        }
        return base + offset
    }

    /// Marker, IDs and lengths of the layout of vectors, for a simulated device.
    package var virtualHeaders: [Int: UInt16] {
        var registers: [Int: UInt16] = [:]
        var next = Self.bases[0]
        func put(_ words: [UInt16]) {
            for word in words {
                registers[next] = word
                next += 1
            }
        }
        put(Self.marker)
        for (id, model) in models.sorted(by: { $0.key < $1.key }) {
            put([UInt16(clamping: id), UInt16(clamping: model.length)])
            next += model.length
        }
        put([0xFFFF, 0])
        return registers
    }

    /// Reads the `sunspec:` part of the vocabulary.
    static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> Self {
        var result = Self()
        for entry in node.entries(faults) {
            guard let id = Int(entry.key), (1...65_534).contains(id) else {
                faults.add(entry.keyLocation, "'\(entry.key)' is not the number of a model")
                continue
            }
            var reader = MappingReader(entry.value, faults)
            var length = reader.required("length")?.int(faults) ?? 0
            if !(1...1000).contains(length) {
                faults.add(entry.keyLocation, "a model has 1 to 1000 registers")
                length = 1000
            }
            var points: [String: Int] = [:]
            for point in reader.required("points")?.entries(faults) ?? [] {
                guard let offset = point.value.int(faults) else { continue }
                if !(2..<(2 + length)).contains(offset) {
                    faults.add(
                        point.value.location,
                        "the offset \(offset) lies outside of the model's \(length) registers",
                        remedy: "offsets count from the ID register, so the first is 2")
                }
                points[point.key] = offset
            }
            reader.finish()
            result.models[id] = Model(length: length, points: points)
        }
        return result
    }
}

/// The search for the models of one device: says what to read next, and is told what came.
struct SunSpecSearch: Sendable {
    /// More models than this are no device but a loop.
    private static let longestChain = 64

    private var bases = SunSpecModels.bases[...]
    /// The next header; nil while the marker is looked for.
    private var header: Int?
    private var hops = 0
    /// A model that occurs twice counts once, as the first.
    private(set) var found: [Int: SunSpecModels.Place] = [:]
    private(set) var isDone = false
    /// Whether the marker was there.
    private(set) var hasMarker = false

    var next: RegisterRequest? {
        if isDone { return nil }
        let address = header ?? bases.first
        return address.map { RegisterRequest(area: .holding, address: $0, count: 2) }
    }

    mutating func take(_ answer: RegisterAnswer) {
        guard case .registers(let words) = answer, words.count == 2 else {
            if header == nil { tryNextBase() } else { isDone = true }
            return
        }
        guard let address = header else {
            guard words == SunSpecModels.marker, let base = bases.first else {
                return tryNextBase()
            }
            hasMarker = true
            header = base + 2
            return
        }
        let (id, length) = (Int(words[0]), Int(words[1]))
        hops += 1
        let end = address + 2 + length
        guard id != 0xFFFF, id != 0, hops <= Self.longestChain, end + 2 <= 65_536 else {
            isDone = true
            return
        }
        if found[id] == nil { found[id] = .init(address: address, length: length) }
        header = end
    }

    private mutating func tryNextBase() {
        bases = bases.dropFirst()
        if bases.isEmpty { isDone = true }
    }
}
