import Telemetry
import Testing

@testable import FeedFormats

@Suite("Every feed format")
struct FormatTests {
    @Test("is found by its name")
    func names() {
        for format in FeedFormat.allCases { #expect(FeedFormat.named(format.rawValue) == format) }
        #expect(FeedFormat.named("fax") == nil)
    }

    @Test("gives every message of every notice a key of its own")
    func keys() throws {
        let templates = try shippedTemplates()
        for format in FeedFormat.allCases {
            let keys = samples.flatMap { sample in
                format.encode(
                    sample.notice, language: .en, calendar: shanghai, templates: templates
                ).map(\.idempotencyKey)
            }
            #expect(Set(keys).count == keys.count)
        }
    }

    @Test("keeps the key over what may change between two attempts")
    func stable() throws {
        var later = samples[1].notice
        later.siteName = "renamed"
        let templates = try shippedTemplates()
        for format in FeedFormat.allCases {
            func keys(_ notice: AlarmNotice, _ language: FeedLanguage) -> [String] {
                format.encode(
                    notice, language: language, calendar: shanghai, templates: templates
                ).map(\.idempotencyKey)
            }
            #expect(keys(samples[1].notice, .zh) == keys(later, .en))
        }
    }

    @Test("speaks the language that is asked for")
    func language() throws {
        let templates = try shippedTemplates()
        for format in [FeedFormat.dingtalk, .wecom, .feishu] {
            func body(_ language: FeedLanguage) -> String {
                text(
                    format.encode(
                        samples[1].notice, language: language, calendar: shanghai,
                        templates: templates)[0].body)
            }
            #expect(body(.zh).contains("限值") && !body(.zh).contains("limit"))
            #expect(body(.en).contains("limit") && !body(.en).contains("限值"))
        }
    }
}
