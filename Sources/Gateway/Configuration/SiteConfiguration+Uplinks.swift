import EnergyAccounting
import FieldLinks
import LocatedText
import Telemetry
import UplinkFormats

//  uplinks:
//    - id: city
//      mqtt: mqtts://broker.example:8883     or http: https://HOST/PATH, hj212: …, building_energy: …
//      topic: city/hz-qt-0172                below it, the format's own levels
//      status: true                          a retained <topic>/status with a last will; JSON only
//      sparkplug: { group: hz, node: gw-1, primary_host: scada }   instead of topic and format
//      format: plumbline-json/1              what the way can carry; a template: { template: FILE }
//      batch: 50                             plumbline-json/1: so many items in one message
//      device_prefix: hz-                    thingsboard: before each device's name there
//      ids: { dust-north: YC-07 }            template: the platform's ids of site and devices
//      labels: { city: hangzhou }            of every series, remote-write/1; 'tags' in influx-line/1
//      figures: { floor_area_m2: 12400 }     numbers of the site that go with them, remote-write/1
//      overwrites: true                      remote-write/1: the engine takes a later sample instead
//      resolution: 15min                     1min, 15min (default), 1h, 1d, or raw
//      points: ["*.active_energy.*", "dust-*.pm10"]   default: all
//      except: ["*.frequency"]
//      statistics: [mean, max]               default: what the format tells
//      units: { ug/m3: mg/m3 }               the vocabulary's unit → theirs
//      names: { dust-north.pm10: PM10 }
//      corrections: true                     false: what was told stays told
//      correction_spacing: 15 min
//      since: 2026-12-01T00:00:00+08:00
//      in_flight: 16                         messages under way at once
//      rate: { most: 10, per: 1 s }
//      budget: { bytes: 30 MiB, per: month }
//      tries: 5                              or never; then an item is set aside
//      expires: 30 d                         default: never
//    - include: uplinks/fleet.yaml           a list like this one

extension SiteConfiguration {
    /// One platform that is reported to.
    package struct Uplink: Sendable {
        /// How a platform is reached, and what it reads.
        package enum Way: Sendable {
            case mqtt(Broker, topic: String, format: any UplinkFormat, tellsStatus: Bool)
            case sparkplug(Broker, SparkplugIdentity)
            case http(HTTPAddress, format: any UplinkFormat)
            case hj212(HJ212Uplink)
            case buildingEnergy(EnergyUplink)
        }

        package var id: String
        package var way: Way
        package var selection: UplinkSelection
        /// How hard it is tried.
        package var pace: UplinkPace
        package var content: UplinkItem.Content
        package var resolution: Resolution
        /// The least time between two messages for the same item.
        package var correctionSpacing: Duration
        package var sendsCorrections: Bool
        /// What begins before is none of the platform's business; nil is all that is evaluated.
        package var since: Timestamp?
        package var location: Location
    }

    /// Where to post, and what goes with each request.
    package struct HTTPAddress: Hashable, Sendable {
        package var url: String
        /// nil: the system's authorities, and no certificate of our own.
        package var tls: MQTTEndpoint.TLS?
        package var token: Secret?
        package var signingSecret: Secret?
        package var compresses: Bool
        package var keyField: String?
        package var location: Location
    }

    /// Which points a platform is told of, and in what words.
    package struct UplinkSelection: Hashable, Sendable {
        /// nil: all.
        package var points: [PointPattern]?
        package var except: [PointPattern] = []
        package var statistics: [Statistic] = []
        /// The vocabulary's unit → the platform's, by their symbols.
        package var units: [String: String] = [:]
        /// `device.point` → the platform's word.
        package var names: [String: String] = [:]
        /// Where units and names stand, by what they are about.
        package var locations: [String: Location] = [:]
    }

    /// How hard a platform is tried, as far as its owner decides.
    package struct UplinkPace: Hashable, Sendable {
        package var inFlight: Int?
        package var rate: Rate?
        package var budget: Budget?
        /// nil: the usual; 0: for ever.
        package var tries: Int?
        package var expires: Duration?

        /// So many messages in such a time.
        package struct Rate: Hashable, Sendable {
            package var most: Int
            package var per: Duration
        }

        /// So many bytes a day or a month.
        package struct Budget: Hashable, Sendable {
            package var bytes: Int64
            package var isMonthly: Bool
        }
    }
}

/// `device.point`, in which `*` stands for any characters.
package struct PointPattern: Hashable, Sendable {
    package var text: String
    package var location: Location

    /// Whether it stands for a series.
    package func matches(_ series: SeriesID) -> Bool {
        Wildcard.matches(series.description, text)
    }
}
