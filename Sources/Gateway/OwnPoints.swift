import Acquisition
import Delivery
import FieldLinks
import Logging
import ServiceLifecycle
import Store
import Telemetry

/// What the gateway reports of itself, once a minute, as a device among the others: rules watch it,
/// and what they find is an alarm like any other.
///
///     gateway.disk_used          1        of the file system on which the store lies
///     gateway.journal_backlog    {count}  rows that are stored and not evaluated yet
///     gateway.clock_offset       s        what the machine's clock shows minus the time in use
///     gateway.clock_trusted      no, yes  whether the time of day is confirmed
///     gateway.certificate_left   s        until the first named certificate ends; only if any is
struct OwnPoints: Service {
    let group: ScanGroup
    let certificates: CertificateFiles
    let store: Store
    let counters: GatewayCounters
    let trustedClock: TrustedWallClock
    let ingestion: Ingestion
    let clock: any Clock<Duration> & Sendable
    let logger: Logger

    static let period = Duration.seconds(60)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await report()
                try? await clock.sleep(for: Self.period)
            }
        }
    }

    private func report() async {
        let figures = Figures(
            disk: store.reader.diskShare(), newest: store.reader.newestSequence(),
            evaluated: counters.values.evaluated, clock: trustedClock.status,
            now: trustedClock.read(), certificatesEnd: certificates.firstEnd())
        let readings = figures.readings
        let scan = Scan(
            group: group.id, time: figures.now.wall,
            readings: group.series.map { readings[$0.id.point] ?? .bad(.absent) })
        do {
            _ = try await ingestion.admit(Admission(scans: [scan]))
        } catch {
            logger.debug("the gateway's own points are lost", metadata: ["error": "\(error)"])
        }
    }

    fileprivate enum Point {
        static let disk = PointKey("disk_used")
        static let backlog = PointKey("journal_backlog")
        static let offset = PointKey("clock_offset")
        static let clock = PointKey("clock_trusted")
        static let certificate = PointKey("certificate_left")
    }
}

extension OwnPoints {
    /// What the gateway knows of itself at one instant; what it does not know is nil, and no reading.
    struct Figures: Hashable, Sendable {
        var disk: Double?
        var newest: Int64
        var evaluated: Int64?
        var clock: ClockStatus
        var now: ClockReading
        var certificatesEnd: Timestamp?

        var readings: [PointKey: Reading] {
            var readings: [PointKey: Reading] = [:]
            readings[Point.disk] = disk.map(Reading.number)
            // Read apart, so that more may have been evaluated than was the newest a moment before.
            readings[Point.backlog] = evaluated.map { .number(Double(max(0, newest - $0))) }
            readings[Point.clock] = .text(clock.state == .trusted ? "yes" : "no")
            readings[Point.offset] = clock.offsetSeconds.map(Reading.number)
            // Without a time of day nobody can say how long it is to any day.
            if now.isTrusted, let end = certificatesEnd {
                readings[Point.certificate] = .number(
                    Double((end - now.wall).milliseconds) / 1000)
            }
            return readings
        }
    }
}

/// The certificates that the configuration names.
struct CertificateFiles: Hashable, Sendable {
    var own: Set<String> = []
    var authorities: Set<String> = []

    var isEmpty: Bool { own.isEmpty && authorities.isEmpty }

    /// When the first of them ends; nil when one cannot be read, which is no end.
    func firstEnd() -> Timestamp? {
        let ends =
            own.map { CertificateEnd.first(inFile: $0) }
            + authorities.map { CertificateEnd.last(inFile: $0) }
        return ends.contains(nil) ? nil : ends.compactMap(\.self).min()
    }
}

extension SiteConfiguration {
    /// The certificates by which the gateway is known, and knows others.
    var certificates: CertificateFiles {
        let brokers =
            links.compactMap { link -> Broker? in
                if case .mqtt(let mqtt) = link.transport { mqtt.broker } else { nil }
            }
            + uplinks.compactMap { uplink -> Broker? in
                switch uplink.way {
                case .mqtt(let broker, _, _, _), .sparkplug(let broker, _): broker
                case .http, .hj212, .buildingEnergy: nil
                }
            }
            + feeds.compactMap { feed -> Broker? in
                if case .mqtt(let broker, _, _) = feed.target { broker } else { nil }
            } + [instructions?.broker].compactMap(\.self)
        let addresses = uplinks.compactMap { uplink -> MQTTEndpoint.TLS? in
            switch uplink.way {
            case .mqtt, .sparkplug: nil
            case .http(let address, _): address.tls
            case .hj212(let hj212): hj212.tls
            case .buildingEnergy(let energy): energy.tls
            }
        }
        let secured = brokers.compactMap(\.tls) + addresses
        return CertificateFiles(
            own: Set(secured.compactMap(\.certificate)),
            authorities: Set(secured.compactMap(\.authority)))
    }
}

extension BoundSite {
    static let gatewayDevice = DeviceID("gateway")

    /// The group of the gateway's own points, not yet numbered by a store.
    var ownPoints: ScanGroup {
        func series(_ point: PointKey, _ kind: SeriesKind, _ unit: String) -> Series {
            Series(
                id: SeriesID(device: Self.gatewayDevice, point: point), kind: kind, unit: unit)
        }
        var all = [
            series(OwnPoints.Point.disk, .gauge, "1"),
            series(OwnPoints.Point.backlog, .gauge, "{count}"),
            series(OwnPoints.Point.offset, .gauge, "s"),
            series(OwnPoints.Point.clock, .state, ""),
        ]
        if !configuration.certificates.isEmpty {
            all.append(series(OwnPoints.Point.certificate, .gauge, "s"))
        }
        return ScanGroup(
            device: Self.gatewayDevice, interface: "gateway", name: "own", series: all,
            period: OwnPoints.period, isPolled: false)
    }
}
