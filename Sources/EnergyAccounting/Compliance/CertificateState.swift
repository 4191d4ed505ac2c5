import Telemetry

/// How the calibration of a meter stands on a day.
package enum CertificateState: Hashable, Sendable {
    /// Nobody has written a certificate down.
    case none
    case valid
    /// Due within the days that the rules call soon.
    case dueSoon(days: Int)
    /// The due day has passed.
    case expired(days: Int)

    /// - Parameter soon: in days; nil where no rules say what is soon.
    package init(_ certificate: EnergyEntries.Certificate?, on day: CivilDate, soon: Int?) {
        guard let certificate else {
            self = .none
            return
        }
        let left = certificate.due.dayNumber - day.dayNumber
        if left < 0 {
            self = .expired(days: -left)
        } else if let soon, left <= soon {
            self = .dueSoon(days: left)
        } else {
            self = .valid
        }
    }

    package var text: LocalizedText {
        switch self {
        case .none: LocalizedText(en: "none written down", zh: "未登记")
        case .valid: LocalizedText(en: "valid", zh: "有效")
        case .dueSoon(let days):
            LocalizedText(en: "due in \(days) d", zh: "\(days) 天后到期")
        case .expired(let days):
            LocalizedText(en: "expired \(days) d ago", zh: "已过期 \(days) 天")
        }
    }
}

extension EnergyEntries {
    /// The certificate by which a meter is judged on a day: of those issued by then the one that is
    /// due last.
    package func certificate(of meter: String, on day: CivilDate) -> Certificate? {
        certificates.filter { $0.meter == meter && $0.issued <= day }
            .max { ($0.due, $0.issued, $0.number) < ($1.due, $1.issued, $1.number) }
    }

    /// The work on meters that falls into a span of time, in order.
    package func repairs(from start: Timestamp, to end: Timestamp) -> [Repair] {
        repairs.filter { $0.from < end && ($0.to.map { start < $0 } ?? true) }
            .sorted { ($0.from, $0.meter) < ($1.from, $1.meter) }
    }
}
