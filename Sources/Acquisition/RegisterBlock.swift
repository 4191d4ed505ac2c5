import DeviceProfiles
import Telemetry

/// One request of a read plan, and what the device has taught about it.
///
/// Some devices refuse a block that crosses an undeclared register (exception 2) although each
/// value alone is readable. Such a block is split once, at its holes, or into its values when it
/// has none; no value is ever cut in two.
struct RegisterBlock: Sendable {
    let request: RegisterRequest
    /// What is asked on the wire; one part until the block was split.
    private(set) var parts: [RegisterRequest]
    private let sources: [RegisterRequest]
    private(set) var isSplit = false

    /// - Parameter sources: the values that the block holds, each as a request of its own.
    init(_ request: RegisterRequest, sources: [RegisterRequest]) {
        self.request = request
        self.sources = sources
        parts = [request]
    }

    /// The blocks of one group of a bound profile. Blocks that a profile prescribes stay whole.
    static func blocks(of binding: ModbusBinding, group: Int) -> [RegisterBlock] {
        let isPrescribed = !binding.interface.blocks.isEmpty
        let keys = Set(binding.groups[group].series.map(\.id.point))
        let sources = binding.interface.points.filter { keys.contains($0.key) }
            .flatMap(\.registerSources)
            .map { RegisterRequest(area: $0.area, address: $0.address, count: $0.count) }
        return binding.requests(group: group).map { request in
            let held = sources.filter {
                $0.area == request.area && request.addresses.contains($0.address)
            }
            return RegisterBlock(request, sources: isPrescribed ? [] : held)
        }
    }

    /// Splits the block, once.
    ///
    /// - Returns: whether there is now something else to ask.
    mutating func split() -> Bool {
        guard !isSplit else { return false }
        isSplit = true
        let values = Set(sources).sorted { ($0.address, $0.count) < ($1.address, $1.count) }
        guard values.count > 1 else { return false }
        let runs = Self.joined(values)
        parts = runs.count > 1 ? runs : Self.disjoint(values)
        return parts.count > 1
    }

    /// Joins what touches or overlaps.
    private static func joined(_ values: [RegisterRequest]) -> [RegisterRequest] {
        var runs: [RegisterRequest] = []
        for value in values {
            if let last = runs.last, value.address <= last.addresses.upperBound {
                runs[runs.count - 1].count =
                    max(last.addresses.upperBound, value.addresses.upperBound) - last.address
            } else {
                runs.append(value)
            }
        }
        return runs
    }

    /// Joins only what overlaps: two points may read the same register.
    private static func disjoint(_ values: [RegisterRequest]) -> [RegisterRequest] {
        var runs: [RegisterRequest] = []
        for value in values {
            if let last = runs.last, value.address < last.addresses.upperBound {
                runs[runs.count - 1].count =
                    max(last.addresses.upperBound, value.addresses.upperBound) - last.address
            } else {
                runs.append(value)
            }
        }
        return runs
    }
}

/// What came back for one block.
struct BlockAnswer: Sendable {
    /// As if the block had been read at once; holes that nobody asked for are zero.
    var answer: RegisterAnswer
    /// The parts that failed, when others did not.
    var failures: [(part: RegisterRequest, reason: BadReason)] = []

    /// Puts the parts of a block together.
    init(_ block: RegisterBlock, _ answers: [RegisterAnswer]) {
        if block.parts.count == 1, let only = answers.first {
            answer = only
            return
        }
        var words = [UInt16](repeating: 0, count: block.request.count)
        for (part, answer) in zip(block.parts, answers) {
            let offset = part.address - block.request.address
            switch answer {
            case .registers(let registers) where registers.count == part.count:
                for (index, word) in registers.enumerated() { words[offset + index] = word }
            case .bits(let bits) where bits.count >= part.count:
                for index in 0..<part.count { words[offset + index] = bits[index] ? 1 : 0 }
            case .bad(let reason): failures.append((part, reason))
            default: failures.append((part, .foreignAnswer))
            }
        }
        answer = block.request.area.isBits ? .bits(words.map { $0 != 0 }) : .registers(words)
    }
}

extension ModbusBinding {
    /// One reading for each series of `groups[group]`; a point that touches a failed part is bad.
    func readings(group: Int, _ answers: [BlockAnswer]) -> [Reading] {
        var readings = decode(group: group, answers: answers.map(\.answer))
        let failures = answers.flatMap(\.failures)
        guard !failures.isEmpty else { return readings }
        for (index, series) in groups[group].series.enumerated() {
            let sources = interface.points.first { $0.key == series.id.point }?.registerSources
            let failure = failures.first { failure in
                sources?.contains {
                    $0.area == failure.part.area
                        && failure.part.addresses.contains($0.address)
                } ?? false
            }
            if let failure { readings[index] = .bad(failure.reason) }
        }
        return readings
    }
}
