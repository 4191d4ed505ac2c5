import Alarms
import CraneWork
import DeviceProfiles
import EnergyAccounting
import FeedFormats
import LocatedText
import Telemetry
import UplinkFormats
import XMLText

/// XML as a platform sends it, and the message in it.
enum XMLCase {
    @Sendable static func run(_ bytes: [UInt8]) throws {
        let limits = XMLReader.Limits(bytes: 1 << 16, depth: 32, nodes: 2000)
        if let tree = try? XMLReader.read(bytes, limits) {
            try promise(depth(tree) <= limits.depth, "deeper than the limit")
            try promise(nodes(tree) <= limits.nodes, "more nodes than the limit")
        }
        guard let document = try? EnergyDocument.read(bytes, longest: limits.bytes) else { return }
        _ = EnergyMessage(document)
        try promise(
            document.line.utf8.count <= 16_004, "a line of \(document.line.utf8.count) bytes")
        // Its line is one, whatever the text says.
        try promise(!document.line.utf8.contains { $0 < 0x20 }, "a line with control characters")
        guard isPlain(document.element),
            let again = try? EnergyDocument.read(document.bytes(encoding: "utf-8"))
        else { return }
        try promise(
            again.building == document.building && again.gateway == document.gateway
                && again.type == document.type, "written again it says: \(again.line)")
    }

    private static func depth(_ tree: XMLTree) -> Int {
        1 + (tree.children.map(depth).max() ?? 0)
    }

    private static func nodes(_ tree: XMLTree) -> Int {
        tree.children.reduce(1 + tree.attributes.count) { $0 + nodes($1) }
    }

    /// Whether it is not one that stands below the root itself.
    private static func isPlain(_ tree: XMLTree) -> Bool {
        tree.name != "root" && tree.name != "common"
    }
}

/// The answer of a platform or a robot to a POST.
///
///     first byte   the status, in steps of 3 from 100   first line: Retry-After   rest: the body
enum HTTPAnswerCase {
    @Sendable static func run(_ bytes: [UInt8]) throws {
        var input = FuzzBytes(bytes)
        let status = 100 + 3 * Int(input.byte())
        let rest = input.remainder()
        let field = rest.prefix { $0 != 0x0A }
        let answer = HTTPAnswer(
            status: status, headers: ["Retry-After": text(field)],
            body: Array(rest.dropFirst(field.count + 1)))
        for outcome in FeedFormat.allCases.map({ $0.outcome(of: answer) })
            + UplinkFormats.all.map({ $0.outcome(of: answer) })
        {
            switch outcome {
            case .accepted: try promise(status / 100 == 2, "HTTP \(status) is taken for a yes")
            case .retry(let wait, let reason):
                try promise(
                    wait >= .seconds(1) && wait <= .seconds(86_400), "a wait of \(wait)")
                try promise(reason.utf8.count < 2000, "a long reason")
            case .rejected(let reason), .expired(let reason):
                try promise(reason.utf8.count < 2000, "a long reason")
            }
        }
    }
}

/// Times and numbers as texts.
enum NumberTextCase {
    @Sendable static func run(_ bytes: [UInt8]) throws {
        let text = text(bytes)
        if let time = Timestamp(rfc3339: text) {
            let again = time.rfc3339()
            try promise(Timestamp(rfc3339: again) == time, "\(text) becomes \(again)")
            for offset in [shanghai.offset(at: time), -12_600] {
                let local = time.rfc3339(offset: offset)
                // Not where the offset leads out of the years 1 to 9999.
                let isInCalendar = (-62_135_500_000_000...253_402_200_000_000)
                    .contains(time.milliseconds)
                try promise(
                    !isInCalendar || Timestamp(rfc3339: local) == time, "\(text) becomes \(local)")
            }
        }
        var numbers = Double(text).map { [$0] } ?? []
        var input = FuzzBytes(bytes)
        let bits = (0..<4).reduce(UInt64(0)) { sum, _ in sum << 16 | UInt64(input.word()) }
        numbers.append(Double(bitPattern: bits))
        for number in numbers {
            if let shortest = DecimalText.shortest(number) {
                try promise(Double(shortest) == number, "\(number) becomes \(shortest)")
            }
            for places in [0, 3, 9] {
                guard let fixed = DecimalText.fixed(number, places: places) else { continue }
                let half = [0.500_001, 0.000_500_1, 0.000_000_000_501][
                    places / 3 == 3 ? 2 : places / 3]
                try promise(
                    ((Double(fixed) ?? .infinity) - number).magnitude
                        <= half + number.magnitude * 1e-15, "\(number) becomes \(fixed)")
            }
            if let exact = ScaledInteger(exactly: number) {
                try promise(exact.double == number, "\(number) becomes \(exact)")
            }
            _ = ScaledInteger(rounding: number)
        }
    }
}

/// A device profile, its lint and its own tests.
enum DeviceProfileCase {
    @Sendable static func run(_ bytes: [UInt8]) throws {
        do {
            let profile = try DeviceProfile.parse(
                text(bytes), file: "test/device.yaml", vocabulary: Shipped.vocabulary)
            _ = profile.selfTest()
        } catch {
            try promise(!error.all.isEmpty, "refused without a reason")
        }
    }
}

/// A table of registers as a maker sends it.
enum PointListCase {
    @Sendable static func run(_ bytes: [UInt8]) throws {
        do {
            _ = try PointList.read(
                text(bytes), file: "points.csv", vocabulary: Shipped.vocabulary,
                options: PointList.Options(id: "acme/m1", day: "2026-11-21"),
                skipsFaultyRows: (bytes.first ?? 0) & 1 == 0)
        } catch {
            try promise(!error.all.isEmpty, "refused without a reason")
        }
    }
}

/// The YAML files of a site, by their first line: `format: …` as each begins.
enum TableCase {
    @Sendable static func run(_ bytes: [UInt8]) throws {
        let text = text(bytes)
        let format = text.prefix { $0 != "\n" }
        do {
            switch format.dropFirst("format: ".count) {
            case "alarm-rules/1": _ = try AlarmRuleFile.parse(text, file: "f")
            case "crane-work/1": _ = try CraneWorkFile.parse(text, file: "f")
            case "factors/1": _ = try FactorFile.parse(text, file: "f")
            case "quotas/1": _ = try QuotaFile.parse(text, file: "f")
            case "tariff/1": _ = try TariffFile.parse(text, file: "f")
            case "energy-entries/1": _ = try EnergyEntries.parse(text, file: "f")
            case "baseline/1":
                let baseline = try FrozenBaseline.parse(text, file: "f")
                let again = try FrozenBaseline.parse(baseline.canonicalText, file: "f")
                try promise(again == baseline, "written again it is another baseline")
            case "device-recording/1":
                let recording = try DeviceRecording.parse(text, file: "f")
                _ = try DeviceRecording.parse(recording.text, file: "f")
            case "hj212-factors/1":
                let faults = FaultCollector()
                _ = HJ212FactorTable.parse(try LocatedNode.parse(text, file: "f"), faults)
            default:
                let node = try LocatedNode.parse(text, file: "f")
                let faults = FaultCollector()
                _ = (node.duration(faults), node.quantity(faults), node.byteCount(faults))
                _ = (node.int(faults), node.double(faults), node.bool(faults))
            }
        } catch let faults as Faults {
            try promise(!faults.all.isEmpty, "refused without a reason")
        }
    }
}
