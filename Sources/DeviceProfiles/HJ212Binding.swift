import Frames
import Telemetry

/// What became of one packet.
package enum HJ212Decoding: Hashable, Sendable {
    /// - `hasDeviceTime`: `time` is what the station said; false when it is the arrival.
    case scan(time: Timestamp, flags: ScanFlags, readings: [Reading], hasDeviceTime: Bool)
    /// The profile does not ask for packets of this system or command.
    case unselected
    case refused(BadReason, detail: String)
}

/// A profile's HJ 212 interface bound to one station by its MN.
package struct HJ212Binding: Sendable {
    package let interface: HJ212Interface
    /// Series in order of key, personal points left out.
    package let group: ScanGroup
    /// The station's MN.
    package let key: String
    private let points: [Point]

    private struct Point: Sendable {
        var key: PointKey
        var source: HJ212Source
        var invalidTexts: [String]
        var isUnmarkedNormal: Bool
        var bits: ClosedRange<Int>?
        var conversion: PointConversion
    }

    /// - Parameters:
    ///   - key: the station's MN.
    ///   - checksum: what the site says about it; nil takes the profile's.
    package init(
        profile: DeviceProfile, interface name: String, parameters: [String: Double] = [:],
        device: DeviceID, key: String, checksum: HJ212Packet.Checksum? = nil
    ) throws(BindingError) {
        let found = try profile.find(name)
        guard case .hj212(var interface) = found else {
            throw .wrongProtocol(interface: name, is: found.fieldProtocol, wanted: .hj212)
        }
        guard !key.isEmpty, key.utf8.count <= 64,
            key.utf8.allSatisfy({ $0 > 0x20 && ![0x2C, 0x3B, 0x3D, 0x26, 0x23].contains($0) })
        else { throw .badStation(key) }
        let resolved = try profile.resolve(parameters)
        if let checksum { interface.checksum = checksum }
        self.interface = interface
        self.key = key
        let kept = interface.points.filter { !$0.isPersonal }.sorted { $0.key < $1.key }
        group = ScanGroup(
            device: device, interface: name, name: "packets",
            series: kept.map { $0.series(of: device, parameters: resolved) },
            period: interface.every, isPolled: false)
        points = kept.compactMap { point in
            guard case .factor(let source) = point.origin else { return nil }
            return Point(
                key: point.key, source: source, invalidTexts: point.invalidTexts,
                isUnmarkedNormal: source.isUnmarkedNormal ?? interface.isUnmarkedNormal,
                bits: point.bits,
                conversion: PointConversion(point, parameters: resolved))
        }
    }

    /// Whether a packet of this checksum is one for the profile.
    package func accepts(_ checksum: HJ212Packet.Checksum, isUpperCase: Bool) -> Bool {
        checksum == interface.checksum && (isUpperCase || interface.acceptsLowerCase)
    }

    /// Reads one packet of this station.
    ///
    /// - Parameters:
    ///   - isTimeOfDay: whether `arrival` is one; without it no time of a station can be judged, and
    ///     the arrival stands for that of a real-time packet, while history is refused.
    ///   - isClockProven: the station's clock has been right lately, so that what is old was kept.
    /// - Returns: a reading for each series of `group`, or why the packet as a whole is refused:
    ///   a time that the profile does not accept (`absent`, `invalid` or `stale`).
    package func decode(
        _ packet: HJ212Packet, arrival: Timestamp, isTimeOfDay: Bool = true,
        isClockProven: Bool = false
    ) -> HJ212Decoding {
        guard interface.commands.contains(packet.cn),
            interface.systems.isEmpty || interface.systems.contains(packet.st)
        else { return .unselected }
        let isHistory = packet.cn != "2011"
        let readings = points.map { reading($0, in: packet) }
        func arrived(_ reason: BadReason, _ detail: String) -> HJ212Decoding {
            // A mean of the past does not become one of now because its time cannot be read.
            if isHistory || interface.time.refusesBadTime {
                return .refused(reason, detail: detail)
            }
            return .scan(
                time: arrival, flags: .arrivalTime, readings: readings, hasDeviceTime: false)
        }
        let field = interface.timeField
        guard isTimeOfDay else { return arrived(.stale, "there is no time of day to judge it by") }
        let text: String
        switch packet.value(field) {
        case .absent: return arrived(.absent, "\(field) is missing")
        case .ambiguous: return arrived(.invalid, "\(field) stands there twice")
        case .one(let value): text = value
        }
        guard let time = interface.time.parse(Array(text.utf8)[...]) else {
            return arrived(.invalid, "\(field) is '\(text.prefix(64))', which is not a time")
        }
        if let limit = interface.time.maximumSkew {
            let skew = (time - arrival).milliseconds
            // What is old may have been kept while the line was down: the QN tells by when the
            // packet was sent whether the station's clock is right. It may have been kept too, so
            // a clock that other packets have proven is believed. What is to come is wrong.
            let sent = sendingSkew(packet, arrival: arrival)
            let isSentNow = sent.map(isTolerable) ?? isHistory
            let isBelieved =
                skew.magnitude <= limit.milliseconds.magnitude
                || (skew < 0 && (isClockProven || isSentNow))
            if !isBelieved {
                return arrived(
                    .stale, "\(field) is \(time.rfc3339()), further from the arrival than \(limit)")
            }
        }
        return .scan(time: time, flags: [], readings: readings, hasDeviceTime: true)
    }

    /// How far the QN, which is the moment of sending, is ahead of the arrival.
    ///
    /// - Returns: nil when there is none that can be read.
    package func sendingSkew(_ packet: HJ212Packet, arrival: Timestamp) -> Duration? {
        guard case .civil(_, let offset) = interface.time.format, let qn = packet.qn else {
            return nil
        }
        var sent = interface.time
        sent.format = .civil(pattern: Array("yyyyMMddHHmmssSSS".utf8), offset: offset)
        return sent.parse(Array(qn.utf8)[...]).map { $0 - arrival }
    }

    /// Whether a QN this far from the arrival may come from a clock that is right.
    package func isTolerable(_ skew: Duration) -> Bool {
        let limit = interface.time.maximumSkew ?? .seconds(1800)
        return skew.milliseconds.magnitude <= limit.milliseconds.magnitude
    }

    private func reading(_ point: Point, in packet: HJ212Packet) -> Reading {
        for name in point.source.names(in: packet.cn) {
            switch packet.value(name) {
            case .absent: continue
            case .ambiguous: return .bad(.invalid)
            case .one(let text):
                switch packet.value(HJ212Source.markName(of: name)) {
                case .one("N"): return reading(point, text)
                case .absent where point.isUnmarkedNormal: return reading(point, text)
                default: return .bad(.invalid)
                }
            }
        }
        return .bad(.absent)
    }

    private func reading(_ point: Point, _ text: String) -> Reading {
        if text.isEmpty { return .bad(.absent) }
        if point.invalidTexts.contains(text) { return .bad(.invalid) }
        switch point.conversion {
        case .text: return .text(text)
        case .state(let state) where point.bits == nil && state.reading(text: text).isGood:
            return state.reading(text: text)
        default:
            let bytes = Array(text.utf8)[...]
            if let bits = point.bits {
                return DecimalText.pattern(bytes).map { point.conversion.reading(bits, of: $0) }
                    ?? .bad(.invalid)
            }
            return DecimalText.parse(bytes).map(point.conversion.reading) ?? .bad(.invalid)
        }
    }

    /// The packet that a station with these canonical values would send.
    ///
    /// - Parameter time: what `DataTime` says, and the QN.
    package func packet(
        _ values: [PointKey: Value], at time: Timestamp, command: String = "2011"
    ) -> HJ212Packet {
        var items: [[HJ212Packet.Field]] = [
            [.init(interface.timeField, interface.time.render(time))]
        ]
        for point in points {
            guard case .number(let linear) = point.conversion,
                case .number(let canonical)? = values[point.key],
                let name = point.source.names(in: command).first
            else { continue }
            items.append([
                .init(name, "\(linear.raw(of: canonical))"),
                .init(HJ212Source.markName(of: name), "N"),
            ])
        }
        return HJ212Packet(
            qn: stamp(time), st: interface.systems.sorted().first ?? "39", cn: command,
            pw: "123456", mn: key, flag: 5, items: items)
    }

    /// `yyyyMMddHHmmssSSS` in the station's zone.
    package func stamp(_ time: Timestamp) -> String {
        var format = interface.time
        if case .civil(_, let offset) = format.format {
            format.format = .civil(pattern: Array("yyyyMMddHHmmssSSS".utf8), offset: offset)
        }
        return format.render(time)
    }
}
