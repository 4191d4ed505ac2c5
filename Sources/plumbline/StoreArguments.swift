import ArgumentParser
import Foundation
import Gateway
import Store
import Telemetry

/// Which store a verb reads: that of a configuration, or the one in a folder.
struct StoreArguments: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            say("The site's configuration.", "站点配置文件。"), valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            say(
                "The data folder itself, instead of a configuration.", "数据目录，可代替配置文件。"),
            valueName: "folder"))
    var data: String?

    @Option(
        help: ArgumentHelp(
            say("Time zone of days and output with --data.", "与 --data 一起使用的时区。"),
            valueName: "zone"))
    var zone: String = "Asia/Shanghai"

    /// The folder that holds the store.
    func directory() throws -> String {
        try place().directory
    }

    /// The configuration; nil where only the data folder is named.
    func configuration() throws -> SiteConfiguration? {
        data == nil ? try SiteFiles.configuration(at: path) : nil
    }

    private var path: String { config ?? "/etc/plumbline/site.yaml" }

    /// Where the data lies, how its days are cut, and the site if its configuration is known.
    struct Place {
        var directory: String
        var calendar: SiteCalendar
        var site: SiteConfiguration?
    }

    func place() throws -> Place {
        if let data {
            return Place(directory: data, calendar: try calendar(zone), site: nil)
        }
        let configuration = try SiteFiles.configuration(at: path)
        return Place(
            directory: configuration.data.directory,
            calendar: try calendar(configuration.site.timezone), site: configuration)
    }

    private func calendar(_ zone: String) throws -> SiteCalendar {
        guard let calendar = SiteCalendar(systemZone: zone) else {
            throw Failure.badInput(
                say("the time zone '\(zone)' is not known here", "本机没有时区 '\(zone)'"))
        }
        return calendar
    }

    /// Opens the store for reading, beside a running gateway or without one.
    func open() throws -> (reader: StoreReader, calendar: SiteCalendar, close: () -> Void) {
        let place = try place()
        let (directory, calendar) = (place.directory, place.calendar)
        do {
            let store = try Store.openReadOnly(directory: directory, calendar: calendar)
            return (store.reader, calendar, { try? store.close() })
        } catch {
            throw Failure.inputOutput(
                say(
                    "the store in '\(directory)' cannot be opened: \(error)",
                    "无法打开 '\(directory)' 中的数据：\(error)"))
        }
    }
}

/// The span of time that a verb covers.
struct SpanArguments: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            say(
                "Begin: time, today or -24h. (default: -30d for alarms, else -24h)",
                "起点：时间、today 或 -24h（默认：报警为 -30d，其余为 -24h）。")))
    var from: String?

    @Option(
        parsing: .unconditional, help: ArgumentHelp(say("End: time or now.", "终点：时间或 now。")))
    var to: String = "now"

    /// - Parameter standard: where it begins unless somebody says.
    func span(
        _ calendar: SiteCalendar, standard: String
    ) throws -> (from: Timestamp, to: Timestamp) {
        let now = SystemClock(believesWall: true).read().wall
        let start = try InstantArgument.parse(from ?? standard, now: now, calendar: calendar)
        let end = try InstantArgument.parse(to, now: now, calendar: calendar)
        guard start < end else {
            throw Failure.badInput(say("--from must lie before --to", "--from 必须早于 --to"))
        }
        return (start, end)
    }
}

/// Reads an instant: RFC 3339, `now`, `today`, or so long ago (`-24h`, `-15min`).
struct InstantArgument {
    static func parse(
        _ text: String, now: Timestamp, calendar: SiteCalendar
    ) throws -> Timestamp {
        if text == "now" { return now }
        if text == "today" { return Bucket(.day, containing: now, calendar: calendar).start }
        if let time = Timestamp(rfc3339: text) { return time }
        if text.hasPrefix("-"), let span = span(String(text.dropFirst())) { return now - span }
        throw Failure.badInput(
            say(
                "'\(text)' is not a time; write 2026-11-21T08:00:00+08:00, now, today or -24h",
                "'\(text)' 不是时间；可写 2026-11-21T08:00:00+08:00、now、today 或 -24h"))
    }

    private static func span(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isNumber }
        let units: [String: Int64] = ["s": 1, "min": 60, "h": 3600, "d": 86_400]
        guard let count = Int64(digits), count < 100_000,
            let unit = units[text[digits.endIndex...].trimmingCharacters(in: .whitespaces)]
        else { return nil }
        return .seconds(count * unit)
    }
}
