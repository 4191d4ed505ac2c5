import Foundation
import FoundationXML
import Telemetry
import Testing

@testable import FeedFormats

/// The order and the number of elements that CAP-v1.2.xsd prescribes, and its patterns; written
/// here a second time, so that the encoder is not held against itself.
private enum Schema {
    static let alert = [
        "identifier": 1...1, "sender": 1...1, "sent": 1...1, "status": 1...1, "msgType": 1...1,
        "source": 0...1, "scope": 1...1, "restriction": 0...1, "addresses": 0...1, "code": 0...99,
        "note": 0...1, "references": 0...1, "incidents": 0...1, "info": 0...99,
    ]
    static let alertOrder = [
        "identifier", "sender", "sent", "status", "msgType", "source", "scope", "restriction",
        "addresses", "code", "note", "references", "incidents", "info",
    ]
    static let infoOrder = [
        "language", "category", "event", "responseType", "urgency", "severity", "certainty",
        "audience", "eventCode", "effective", "onset", "expires", "senderName", "headline",
        "description", "instruction", "web", "contact", "parameter", "resource", "area",
    ]
    static let info = [
        "language": 0...1, "category": 1...99, "event": 1...1, "responseType": 0...99,
        "urgency": 1...1, "severity": 1...1, "certainty": 1...1, "effective": 0...1,
        "onset": 0...1, "expires": 0...1, "senderName": 0...1, "headline": 0...1,
        "description": 0...1, "instruction": 0...1, "parameter": 0...99, "area": 0...99,
    ]
    static let words: [String: Set<String>] = [
        "status": ["Actual", "Exercise", "System", "Test", "Draft"],
        "msgType": ["Alert", "Update", "Cancel", "Ack", "Error"],
        "scope": ["Public", "Restricted", "Private"],
        "category": [
            "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport",
            "Infra", "CBRNE", "Other",
        ],
        "responseType": [
            "Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear",
            "None",
        ],
        "urgency": ["Immediate", "Expected", "Future", "Past", "Unknown"],
        "severity": ["Extreme", "Severe", "Moderate", "Minor", "Unknown"],
        "certainty": ["Observed", "Likely", "Possible", "Unlikely", "Unknown"],
    ]
    static func isDateTime(_ text: String) -> Bool {
        text.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d/#) != nil
    }
}

private struct Breach: Error, CustomStringConvertible {
    let description: String
}

/// The element's children, after they were held against the schema.
private func check(
    _ element: XMLElement, _ order: [String], _ counts: [String: ClosedRange<Int>]
) throws -> [XMLElement] {
    let children = (element.children ?? []).compactMap { $0 as? XMLElement }
    let names = children.map { $0.name ?? "" }
    let places = try names.map { name in
        guard let place = order.firstIndex(of: name) else {
            throw Breach(description: "<\(name)> does not belong into <\(element.name ?? "")>")
        }
        return place
    }
    guard places == places.sorted() else { throw Breach(description: "order: \(names)") }
    for (name, range) in counts {
        let count = names.count { $0 == name }
        guard range.contains(count) else { throw Breach(description: "\(count) × <\(name)>") }
    }
    for child in children {
        let (name, value) = (child.name ?? "", child.stringValue ?? "")
        if let words = Schema.words[name], !words.contains(value) {
            throw Breach(description: "<\(name)> is '\(value)'")
        }
        if ["sent", "effective", "onset", "expires"].contains(name),
            !Schema.isDateTime(value)
        {
            throw Breach(description: "<\(name)> is '\(value)'")
        }
        if ["identifier", "sender"].contains(name),
            value.isEmpty || value.contains(where: { " ,<&".contains($0) })
        {
            throw Breach(description: "<\(name)> is '\(value)'")
        }
    }
    return children
}

/// What one message says, after it was held against the schema.
private func validated(_ body: [UInt8]) throws -> [String: String] {
    let document = try XMLDocument(data: Data(body))
    guard let alert = document.rootElement(), alert.name == "alert",
        alert.uri == "urn:oasis:names:tc:emergency:cap:1.2"
            || alert.namespaces?.first?.stringValue == "urn:oasis:names:tc:emergency:cap:1.2"
    else { throw Breach(description: "no alert") }
    var values: [String: String] = [:]
    for child in try check(alert, Schema.alertOrder, Schema.alert) {
        let name = child.name ?? ""
        if name != "info" { values[name] = child.stringValue ?? "" }
    }
    let restriction = values["scope"] == "Restricted" ? values["restriction"] : "none"
    let addresses = values["scope"] == "Private" ? values["addresses"] : "none"
    guard restriction != nil, addresses != nil else { throw Breach(description: "scope alone") }
    let infos = alert.elements(forName: "info")
    guard infos.count == 2 else { throw Breach(description: "\(infos.count) infos") }
    for info in infos.reversed() {
        for child in try check(info, Schema.infoOrder, Schema.info) {
            switch child.name ?? "" {
            case "parameter":
                _ = try check(child, ["valueName", "value"], ["valueName": 1...1, "value": 1...1])
                let pair = (child.children ?? []).map { $0.stringValue ?? "" }
                values["parameter.\(pair[0])"] = pair[1]
            case "area":
                _ = try check(child, ["areaDesc"], ["areaDesc": 1...1])
                values["areaDesc"] = child.stringValue ?? ""
            case let name: values["info.\(name)"] = child.stringValue ?? ""
            }
        }
    }
    return values
}

@Suite("CAP 1.2")
struct CAPTests {
    private func encode(
        _ notice: AlarmNotice, _ settings: CAPSettings = CAPSettings(),
        calendar: SiteCalendar = shanghai
    ) throws -> [[String: String]] {
        try FeedFormat.cap.encode(
            notice, language: .en, calendar: calendar, templates: shippedTemplates(),
            settings: FeedSettings(cap: settings)
        ).map { try validated($0.body) }
    }

    @Test("the checker finds what breaks the schema")
    func checker() throws {
        let body = try FeedFormat.cap.encode(
            samples[1].notice, language: .en, calendar: shanghai, templates: shippedTemplates())[0]
            .body
        let good = text(body)
        for (old, new) in [
            ("<urgency>Expected</urgency>", ""), ("<scope>Restricted</scope>", ""),
            ("+08:00</sent>", "Z</sent>"), ("<status>Actual<", "<status>Real<"),
            ("<event>", "<web>w</web><event>"), ("cap:1.2", "cap:1.1"),
            ("<valueName>unit</valueName>", ""), ("</sender>", " x</sender>"),
        ] {
            let bad = good.replacing(new.isEmpty ? old : old, with: new)
            #expect(bad != good, "\(old) is not in it")
            #expect(throws: (any Error).self, "\(old)") { try validated(Array(bad.utf8)) }
        }
    }

    @Test(
        "every kind of notice is valid, one message for each alarm", arguments: samples.map(\.name))
    func valid(name: String) throws {
        let notice = try #require(samples.first { $0.name == name }).notice
        let messages = try encode(notice)
        #expect(messages.count == notice.alarms.count)
        #expect(Set(messages.map { $0["identifier"] }).count == messages.count)
    }

    @Test("says what it is about, as text and as parameters")
    func content() throws {
        let message = try encode(samples[1].notice)[0]
        #expect(message["sender"] == "plumbline@hz-qt-0172.plumbline.local")
        #expect(
            message["identifier"]
                == "hz-qt-0172/pm10_15min|dust-north.pm10|1795218300000/1795219200000")
        #expect(message["sent"] == "2026-11-21T08:00:00+08:00")
        #expect(message["info.onset"] == "2026-11-21T07:45:00+08:00")
        #expect(message["info.expires"] == "2026-11-22T08:00:00+08:00")
        #expect(message["info.language"] == "en")
        #expect(message["info.category"] == "Env")
        #expect(message["info.severity"] == "Moderate")
        #expect(message["info.certainty"] == "Observed")
        #expect(message["parameter.value"] == "163.285714")
        #expect(message["parameter.series"] == "hz-qt-0172/dust-north/pm10")
        #expect(message["parameter.unit"] == "ug/m3")
        #expect(message["parameter.coverage"] == "0.978")
        #expect(message["areaDesc"] == "钱塘1号工地, North gate & road <A>, Dust monitor north")
        #expect(message["info.description"]?.contains("Spraying: off since 07:20\n") == true)
    }

    @Test(
        "a change is an alert, an update or a cancellation",
        arguments: [
            (.normal, .activeUnacknowledged, "Alert"), (.pending, .activeUnacknowledged, "Alert"),
            (nil, .activeUnacknowledged, "Alert"),
            (.activeUnacknowledged, .activeAcknowledged, "Update"),
            (.activeUnacknowledged, .returnedUnacknowledged, "Cancel"),
            (.activeAcknowledged, .normal, "Cancel"), (.latched, .normal, "Cancel"),
            (.activeAcknowledged, .latched, "Update"), (.activeUnacknowledged, .shelved, "Update"),
            (.shelved, .activeUnacknowledged, "Update"),
            (.returnedUnacknowledged, .normal, "Cancel"),
            (.normal, .pending, nil), (.pending, .normal, nil), (.pending, .suppressed, nil),
            (.normal, .outOfService, nil),
        ] as [(AlarmState?, AlarmState, String?)])
    func change(from: AlarmState?, to: AlarmState, type: String?) throws {
        let alarm = dustAlarm(state: to, changed: morning + minutes(9))
        let messages = try encode(
            notice(.change, [alarm], at: morning + minutes(9), from: from))
        #expect(messages.first?["msgType"] == type)
        let raising =
            "plumbline@hz-qt-0172.plumbline.local,"
            + "hz-qt-0172/pm10_15min|dust-north.pm10|1795218300000/1795219200000,"
            + "2026-11-21T08:00:00+08:00"
        #expect(
            messages.first?["references"] == (type == "Alert" ? nil : type.map { _ in raising }))
    }

    @Test("what was raised can be named by what comes later")
    func references() throws {
        let raised = try encode(samples[1].notice)[0]
        let returned = try encode(samples[2].notice)[0]
        let named = [raised["sender"], raised["identifier"], raised["sent"]].map { $0 ?? "" }
        #expect(returned["references"] == named.joined(separator: ","))
        #expect(returned["msgType"] == "Cancel")
        #expect(returned["info.urgency"] == "Past")
        #expect(returned["info.responseType"] == "AllClear")
    }

    @Test("the caller's memory of earlier messages goes before the rule")
    func earlier() throws {
        let key = dustAlarm().key
        var settings = CAPSettings()
        settings.earlier[key] = [
            CAPReference(sender: "a b", identifier: "x,<1>", sent: morning),
            CAPReference(sender: "a", identifier: "2", sent: morning + .seconds(1)),
        ]
        let message = try encode(samples[2].notice, settings)[0]
        #expect(
            message["references"]
                == "a%20b,x%2C%3C1%3E,2026-11-21T08:00:00+08:00 a,2,2026-11-21T08:00:01+08:00")
        settings.earlier[key] = []
        let first = try encode(samples[2].notice, settings)[0]
        #expect(first["msgType"] == "Alert" && first["references"] == nil)
    }

    @Test("scope, status and sender are the receiver's")
    func settings() throws {
        let message = try encode(
            samples[1].notice,
            CAPSettings(
                sender: "gw 1,<x>", status: .exercise, scope: .addressed(["a@b.cn", "Team 1"]),
                validity: .seconds(3600)))[0]
        #expect(message["scope"] == "Private")
        #expect(message["addresses"] == "a@b.cn \"Team 1\"")
        #expect(message["status"] == "Exercise")
        #expect(message["sender"] == "gw%201%2C%3Cx%3E")
        #expect(message["info.expires"] == "2026-11-21T09:00:00+08:00")
    }

    @Test("UTC is -00:00 and parts of a second are dropped")
    func utc() throws {
        var odd = samples[1].notice
        odd.alarms[0].raised = morning + .milliseconds(987)
        #expect(try encode(odd, calendar: .utc)[0]["sent"] == "2026-11-21T00:00:00-00:00")
    }

    @Test("of a storm each message names the notice, and the states decide in a digest")
    func groups() throws {
        let storm = try encode(samples[6].notice)
        #expect(storm.allSatisfy { $0["incidents"]?.hasSuffix(samples[6].notice.id) == true })
        #expect(storm.allSatisfy { $0["msgType"] == "Alert" })
        let digest = try encode(samples[7].notice)
        #expect(digest.map { $0["msgType"] } == ["Alert", "Cancel"])
        var old = samples[7].notice
        old.since = morning
        #expect(try encode(old).map { $0["msgType"] } == ["Update", "Cancel"])
    }
}
