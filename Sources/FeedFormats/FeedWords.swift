import Telemetry

/// A notice in words: the templates of one language, filled in for one site.
package struct FeedWords: Sendable {
    package let language: FeedLanguage
    package let calendar: SiteCalendar
    private let templates: FeedTemplates

    package init(language: FeedLanguage, calendar: SiteCalendar, templates: FeedTemplates) {
        self.language = language
        self.calendar = calendar
        self.templates = templates
    }

    /// The title as plain text, for channels that show only a line.
    package func title(_ notice: AlarmNotice) -> String { title(notice, .plain) }

    /// The text below the title, plain, with every alarm that the notice lists.
    package func body(_ notice: AlarmNotice) -> String {
        body(notice, .plain, listed: notice.alarms.count)
    }

    /// The title: one line of at most 200 characters.
    func title(_ notice: AlarmNotice, _ style: TextStyle) -> String {
        let context = TemplateContext(
            language: language, calendar: calendar, style: style, listed: notice.alarms.count)
        return PlainLine.of(
            templates.render(.title, language, with: context.notice(notice)), count: 200)
    }

    /// The text with the first `listed` alarms: no space at the ends of lines, no empty lines at
    /// its ends, and at most one between two others.
    func body(_ notice: AlarmNotice, _ style: TextStyle, listed: Int) -> String {
        let context = TemplateContext(
            language: language, calendar: calendar, style: style, listed: listed)
        var lines: [String] = []
        for line in templates.render(.body, language, with: context.notice(notice))
            .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        {
            var text = line
            while text.last?.isWhitespace == true { text.removeLast() }
            if text.isEmpty, lines.last?.isEmpty ?? true { continue }
            lines.append(String(text))
        }
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}
