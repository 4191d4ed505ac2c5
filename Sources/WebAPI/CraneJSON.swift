import CraneWork
import Telemetry

/// Records of cranes as JSON; units stand in the names.
enum CraneJSON {
    static func write(_ lift: Lift, _ json: inout JSONWriter) {
        json.field("peak_load_t", lift.peakLoad)
        json.field("held_load_t", lift.heldLoad)
        json.field("empty_hook_t", lift.zeroLoad)
        json.field("lifted_load_t", lift.liftedLoad)
        json.field("peak_moment_percent", lift.peakMomentRatio)
        json.field("peak_load_percent", lift.peakLoadRatio)
        travel("radius_m", lift.radius, &json)
        travel("height_m", lift.height, &json)
        json.field("height_above", lift.heightReference.rawValue)
        json.field("slew_start_deg", lift.slewStart)
        json.field("slew_end_deg", lift.slewEnd)
        json.field("slewed_deg", lift.slewed)
        json.field("greatest_wind_m_s", lift.greatestWind)
        json.field("session", lift.session.rawValue)
        json.field("operator", lift.operatorID)
        json.field("operator_changes", lift.operatorChanges)
        json.field("work_status", lift.workStatus)
        json.field("warnings", lift.warnings)
        json.field("seconds_at_warning", lift.timeAtWarning.seconds)
        json.field("overloads", lift.overloads)
        json.field("seconds_at_overload", lift.timeAtOverload.seconds)
        json.key("alarms")
        json.array { list in for word in lift.worstAlarms { list.value(word) } }
        json.field("samples", lift.samples)
        json.field("coverage", lift.coverage)
        json.key("uncertain")
        json.array { list in for word in lift.quality.words { list.value(word) } }
    }

    static func write(
        _ overload: OverloadEpisode, _ json: inout JSONWriter, _ calendar: SiteCalendar
    ) {
        json.field("quantity", overload.quantity.rawValue)
        json.field("level", overload.level.rawValue)
        json.field("peak_percent", overload.peak)
        json.field("seconds_at_warning", overload.timeAtWarning.seconds)
        json.field("seconds_at_overload", overload.timeAtOverload.seconds)
        json.field("samples", overload.samples)
        json.field("lift", overload.lift, calendar)
        json.field("operator", overload.operatorID)
        json.field("truncated", overload.isTruncated)
        evidence(overload.evidence, &json, calendar)
    }

    static func write(_ miss: NearMiss, _ json: inout JSONWriter, _ calendar: SiteCalendar) {
        json.field("kind", miss.kind.rawValue)
        json.field("peak", miss.peak)
        json.field("limit", miss.limit)
        json.field("samples", miss.samples)
        json.field("lift", miss.lift, calendar)
        json.field("operator", miss.operatorID)
        json.field("truncated", miss.isTruncated)
        evidence(miss.evidence, &json, calendar)
    }

    static func write(
        _ summary: LiftSummary, _ json: inout JSONWriter, _ calendar: SiteCalendar
    ) {
        json.field("shift", summary.shift.name)
        json.field("start", summary.shift.start, calendar)
        json.field("end", summary.shift.end, calendar)
        figures(summary.total, &json)
        json.key("cranes")
        json.array { list in
            for (crane, found) in summary.byCrane.sorted(by: { $0.key < $1.key }) {
                list.object {
                    $0.field("crane", crane.text)
                    figures(found, &$0)
                }
            }
        }
        json.key("operators")
        json.array { list in
            for (name, found) in summary.byOperator.sorted(by: { $0.key < $1.key }) {
                list.object {
                    $0.field("operator", name)
                    figures(found, &$0)
                }
            }
        }
    }

    private static func figures(_ figures: LiftFigures, _ json: inout JSONWriter) {
        json.field("lifts", figures.lifts)
        json.field("lifted_load_t", figures.liftedLoad)
        json.field("seconds_lifting", figures.timeLifting.seconds)
        json.field("seconds_working", figures.timeWorking.seconds)
        json.field("lifts_at_warning", figures.liftsAtWarning)
        json.field("lifts_overloaded", figures.liftsOverloaded)
        json.field("lifts_without_session", figures.liftsWithoutSession)
        json.field("truncated_lifts", figures.truncatedLifts)
        json.field("near_misses", figures.nearMisses)
    }

    private static func travel(_ name: String, _ travel: LiftTravel?, _ json: inout JSONWriter) {
        json.key(name)
        guard let travel else { return json.null() }
        json.object {
            $0.field("start", travel.start)
            $0.field("end", travel.end)
            $0.field("least", travel.least)
            $0.field("greatest", travel.greatest)
        }
    }

    private static func evidence(
        _ evidence: CraneEvidence, _ json: inout JSONWriter, _ calendar: SiteCalendar
    ) {
        json.key("evidence")
        json.object {
            $0.field("time", evidence.time, calendar)
            $0.field("load_t", evidence.load)
            $0.field("rated_load_t", evidence.ratedLoad)
            $0.field("load_percent", evidence.loadRatio)
            $0.field("moment_percent", evidence.momentRatio)
            $0.field("height_m", evidence.hookHeight)
            $0.field("radius_m", evidence.radius)
            $0.field("slew_deg", evidence.slewAngle)
            $0.field("wind_m_s", evidence.windSpeed)
            $0.key("alarms")
            $0.array { list in for word in evidence.raisedAlarms.words { list.value(word) } }
            $0.key("warnings")
            $0.array { list in for word in evidence.warnedAlarms.words { list.value(word) } }
        }
    }
}
