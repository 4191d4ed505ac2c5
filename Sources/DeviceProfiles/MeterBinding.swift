import Frames
import Telemetry

/// What came back for one request to a meter.
package enum MeterAnswer: Hashable, Sendable {
    /// The data of the item.
    case data([UInt8])
    case bad(BadReason)
}

/// One question to a meter, as bytes, and how its answer is known.
package struct MeterRequest: Hashable, Sendable, CustomStringConvertible {
    private enum Question: Hashable, Sendable {
        case dlt645(DLT645Request)
        case cjt188(CJT188Request)
    }

    private let question: Question
    /// The exact length of the answer's data; nil takes any.
    private let length: Int?
    /// What is asked for, as the standard prints it.
    package let item: UInt32
    /// The frame to send, wake-up bytes included.
    package let bytes: [UInt8]

    fileprivate init(
        item: UInt32, of address: MeterAddress, in interface: MeterInterface, length: Int?
    ) {
        self.item = item
        self.length = length
        switch address {
        case .dlt645(let meter):
            let request = DLT645Request(.read(item), of: meter)
            question = .dlt645(request)
            bytes = request.bytes(preamble: interface.preamble)
        case .cjt188(let meter, let type, let order):
            let request = CJT188Request(
                .read(UInt16(truncatingIfNeeded: item)), type: type, of: meter, order: order)
            question = .cjt188(request)
            bytes = request.bytes(preamble: interface.preamble)
        }
    }

    /// Looks for the answer in all that has come since the request left; what belongs to others, or
    /// has no good checksum, is passed over.
    ///
    /// An answer of another length than the profile knows is `foreignAnswer`: it has another layout.
    package func search(_ received: [UInt8]) -> FrameSearch<MeterAnswer> {
        switch question {
        case .dlt645(let request):
            switch DLT645Request.search(received, for: request) {
            case .incomplete, .found(.address): return .incomplete
            case .found(.refused): return .found(.bad(.exception))
            // The rest would have to be asked for; a part is not taken for the whole.
            case .found(.data(_, hasMore: true)): return .found(.bad(.foreignAnswer))
            case .found(.data(let data, hasMore: false)): return .found(checked(data))
            }
        case .cjt188(let request):
            switch CJT188Request.search(received, for: request) {
            case .incomplete, .found(.address): return .incomplete
            case .found(.refused): return .found(.bad(.exception))
            case .found(.data(let data)): return .found(checked(data))
            }
        }
    }

    private func checked(_ data: [UInt8]) -> MeterAnswer {
        length == nil || length == data.count ? .data(data) : .bad(.foreignAnswer)
    }

    /// What a meter sends that holds `data` under the item; for simulators.
    package func reply(_ data: [UInt8]) -> [UInt8] {
        switch question {
        case .dlt645(let request):
            request.reply(.data(data, hasMore: false), from: request.address)
        case .cjt188(let request): request.reply(.data(data), from: request.address)
        }
    }

    package var description: String {
        let digits = String(item, radix: 16, uppercase: true)
        let width =
            switch question {
            case .dlt645: 8
            case .cjt188: 4
            }
        return "item " + String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

private enum MeterAddress {
    case dlt645(DLT645Address)
    case cjt188(CJT188Address, type: UInt8, order: CJT188Request.ItemOrder)
}

/// A profile's meter interface bound to one device by the meter's address.
package final class MeterBinding: Sendable {
    package let interface: MeterInterface
    /// One per poll class, in order of name; series in order of key.
    package let groups: [ScanGroup]
    private let plans: [[MeterRequest]]
    private let points: [[MeterPoint]]

    /// The longest wait for an answer.
    package var responseTimeout: Duration { interface.responseTimeout }
    /// The pause between an answer and the next request.
    package var quietTime: Duration { interface.quietTime }

    /// - Parameters:
    ///   - parameters: what the installer said; the profile's defaults fill the rest.
    ///   - key: the meter's address: 12 digits for DL/T 645, 14 for CJ/T 188.
    package init(
        profile: DeviceProfile, interface name: String, parameters: [String: Double] = [:],
        device: DeviceID, key: String
    ) throws(BindingError) {
        let found = try profile.find(name)
        guard case .meter(let interface) = found else {
            throw .wrongProtocol(interface: name, is: found.fieldProtocol, wanted: .dlt645)
        }
        let address: MeterAddress
        switch interface.language {
        case .dlt645:
            guard let meter = DLT645Address(key) else { throw .badAddress(key, digits: 12) }
            address = .dlt645(meter)
        case .cjt188(let type, let order):
            guard let meter = CJT188Address(key) else { throw .badAddress(key, digits: 14) }
            address = .cjt188(meter, type: type, order: order)
        }
        self.interface = interface
        let resolved = try profile.resolve(parameters)
        var groups: [ScanGroup] = []
        var plans: [[MeterRequest]] = []
        var points: [[MeterPoint]] = []
        let kept = interface.points.filter { !$0.isPersonal }.sorted { $0.key < $1.key }
        for (poll, period) in interface.polls.sorted(by: { $0.key < $1.key }) {
            let members = kept.filter { $0.poll == poll }
            guard !members.isEmpty else { continue }
            let sources = members.compactMap(\.meterSource)
            let items = Set(sources.map(\.item)).sorted()
            plans.append(
                items.map { item in
                    // An item that is one value has exactly the length of its format.
                    let single = sources.first { $0.item == item && !$0.isPart }
                    return MeterRequest(
                        item: item, of: address, in: interface,
                        length: interface.lengths[item] ?? single?.bytes.upperBound)
                })
            points.append(
                members.compactMap { point in
                    guard let source = point.meterSource,
                        let answer = items.firstIndex(of: source.item)
                    else { return nil }
                    return MeterPoint(point, source, answer: answer, parameters: resolved)
                })
            groups.append(
                ScanGroup(
                    device: device, interface: name, name: poll,
                    series: members.map { $0.series(of: device, parameters: resolved) },
                    period: period, isPolled: true))
        }
        self.groups = groups
        self.plans = plans
        self.points = points
    }

    /// What is asked for `groups[group]`, one question after the other.
    package func requests(group: Int) -> [MeterRequest] { plans[group] }

    /// One reading for each series of `groups[group]`.
    ///
    /// - Parameter answers: parallel to `requests(group:)`; a missing one makes its points bad as
    ///   `foreignAnswer`.
    package func decode(group: Int, answers: [MeterAnswer]) -> [Reading] {
        points[group].map { $0.decode(answers) }
    }

    /// What a meter with these canonical values answers to `received`; nil when it is not asked, or
    /// does not know the item. For simulators.
    package func reply(to received: [UInt8], _ values: [PointKey: Value]) -> [UInt8]? {
        for (plan, points) in zip(plans, points) {
            for (index, request) in plan.enumerated() where request.bytes == received {
                var data = [UInt8](repeating: 0, count: interface.lengths[request.item] ?? 0)
                for point in points where point.answer == index {
                    guard let value = values[point.key] else { continue }
                    point.encode(value, into: &data)
                }
                return request.reply(data)
            }
        }
        return nil
    }
}

extension ProfilePoint {
    var meterSource: MeterSource? {
        if case .meter(let source) = origin { source } else { nil }
    }
}

/// One point of a meter, tied to its place in the answers of a plan.
final class MeterPoint: Sendable {
    let key: PointKey
    let answer: Int
    private let source: MeterSource
    private let bits: ClosedRange<Int>?
    private let conversion: PointConversion

    init(
        _ point: ProfilePoint, _ source: MeterSource, answer: Int, parameters: [String: Double]
    ) {
        key = point.key
        self.answer = answer
        self.source = source
        bits = point.bits
        conversion = PointConversion(point, parameters: parameters)
    }

    func decode(_ answers: [MeterAnswer]) -> Reading {
        guard answer < answers.count else { return .bad(.foreignAnswer) }
        let data: [UInt8]
        switch answers[answer] {
        case .bad(let reason): return .bad(reason)
        case .data(let bytes): data = bytes
        }
        guard source.bytes.upperBound <= data.count else { return .bad(.absent) }
        let value = data[source.offset..<(source.offset + source.format.bytes)]
        // A meter fills what it does not have with ones.
        if value.allSatisfy({ $0 == 0xFF }) { return .bad(.invalid) }
        if let code = source.unitCode, data[source.bytes.upperBound - 1] != code {
            return .bad(.invalid)
        }
        guard let number = source.format.number(value, hasSignBit: source.hasSignBit) else {
            return .bad(.invalid)
        }
        guard let bits else { return conversion.reading(number) }
        guard let pattern = UInt64(exactly: number.value) else { return .bad(.invalid) }
        return conversion.reading(bits, of: pattern)
    }

    /// Writes the bytes that stand for `value`; those of bit fields are left as they are.
    func encode(_ value: Value, into data: inout [UInt8]) {
        guard bits == nil, case .number(let linear) = conversion,
            case .number(let canonical) = value,
            let bytes = source.format.data(
                nearest: linear.raw(of: canonical), hasSignBit: source.hasSignBit)
        else { return }
        if data.count < source.bytes.upperBound {
            data += Array(repeating: 0, count: source.bytes.upperBound - data.count)
        }
        data.replaceSubrange(source.offset..<(source.offset + bytes.count), with: bytes)
        if let code = source.unitCode { data[source.bytes.upperBound - 1] = code }
    }
}
