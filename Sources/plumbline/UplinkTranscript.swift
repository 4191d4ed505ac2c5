import Delivery
import Foundation
import Gateway
import Synchronization
import Telemetry
import UplinkFormats

/// `plumbline check --uplink`: the conversation with one platform as it goes, and what came of it.
enum UplinkTranscript {
    /// - Throws: `Failure.unreachable` when the platform does not take what it is told.
    static func run(_ name: String, _ site: BoundSite) async throws {
        let start = ContinuousClock.now
        let lines = Mutex(0)
        let trial = UplinkTrial(
            of: name, in: site, clock: ContinuousClock(),
            // Nothing is told here that a wrong time would falsify.
            wallClock: SystemClock(believesWall: true)
        ) { event in
            // One line after the other, from whichever thread.
            lines.withLock { count in
                count += 1
                write(event, after: ContinuousClock.now - start)
            }
        }
        guard let trial else {
            let names = site.configuration.uplinks.map(\.id).joined(separator: ", ")
            throw Failure.badInput(
                say(
                    "'\(name)' is no uplink of this site; there are: \(names)",
                    "本站没有上报平台 '\(name)'；现有：\(names)"))
        }
        if let uplink = site.configuration.uplinkDescriptions.first(where: { $0.id == name }) {
            print("\(uplink.id)  \(uplink.format)  \(uplink.address)")
        }
        try tell(try await trial.run())
    }

    private static func tell(_ trial: Trial) throws {
        switch trial {
        case .item(.accepted):
            print(say("the platform took the test item", "平台已接收测试项"))
        case .item(.retry(_, let reason)), .item(.rejected(let reason)),
            .item(.expired(let reason)):
            throw Failure.unreachable(
                say("the test item was not taken: \(reason)", "测试项未被接收：\(reason)"))
        case .greeting:
            print(
                say(
                    "the platform answers; the protocol has no test item, so none was sent",
                    "平台有应答；协议没有测试项，未发送数据"))
        case .open:
            print(
                say(
                    "the way stands, but nothing came back, and the protocol has no test item: "
                        + "the first real one will tell",
                    "通道已建立但未收到应答，且协议没有测试项：以首条真实数据为准"))
        case .closed(let reason):
            throw Failure.unreachable(
                say("the platform cannot be told anything: \(reason)", "无法上报：\(reason)"))
        }
    }

    private static func write(_ event: UplinkEvent, after elapsed: Duration) {
        let time = String(format: "%6.2f", Double(elapsed.milliseconds) / 1000)
        let (mark, text) =
            switch event {
            case .connected: ("·", say("connected", "已连接"))
            case .disconnected(let reason): ("·", say("not connected: ", "未连接：") + reason)
            case .note(let note):
                (note.direction == .sent ? "→" : note.direction == .received ? "←" : "·", note.text)
            }
        for (index, line) in text.split(whereSeparator: \.isNewline).enumerated() {
            print(index == 0 ? "\(time) \(mark) \(line)" : "         \(line)")
        }
    }
}
