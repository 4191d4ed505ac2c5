import HTTPTypes
import Hummingbird
import Telemetry

/// Builds the answers of the API: JSON and CSV, never kept by a cache.
enum Answer {
    static func json(
        status: HTTPResponse.Status = .ok, capacity: Int = 1024,
        _ body: (inout JSONWriter) -> Void
    ) -> Response {
        var json = JSONWriter(capacity: capacity)
        json.object(body)
        return bytes(json.bytes, type: "application/json; charset=utf-8", status: status)
    }

    static func csv(_ bytes: [UInt8], name: String) -> Response {
        var response = Self.bytes(bytes, type: "text/csv; charset=utf-8; header=present")
        response.headers[.contentDisposition] = "attachment; filename=\"\(name).csv\""
        return response
    }

    static func bytes(
        _ bytes: [UInt8], type: String, status: HTTPResponse.Status = .ok
    ) -> Response {
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension JSONWriter {
    mutating func field(_ key: String, _ time: Timestamp?, _ calendar: SiteCalendar) {
        field(key, time.map { calendar.rfc3339($0) })
    }

    mutating func field(_ key: String, _ text: LocalizedText) {
        self.key(key)
        object {
            $0.field("en", text.en)
            $0.field("zh", text.zh)
        }
    }

    mutating func field(_ key: String, _ value: Value?) {
        self.key(key)
        self.value(value)
    }

    mutating func value(_ value: Value?) {
        switch value {
        case .number(let number): self.value(number)
        case .text(let text): self.value(text)
        case nil: null()
        }
    }
}

extension Duration {
    /// Seconds with milliseconds, as the API tells lengths of time.
    var seconds: Double { Double(milliseconds) / 1000 }
}
