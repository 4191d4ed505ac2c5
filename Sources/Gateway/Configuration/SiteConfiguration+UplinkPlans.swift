import DeviceProfiles
import LocatedText
import Telemetry
import UplinkFormats

extension SiteConfiguration {
    /// What each uplink tells of these scan groups, in the order of the uplinks.
    ///
    /// - Parameter units: the vocabulary's, for platforms that want others than the canonical ones.
    package func uplinkPlans(
        of groups: [ScanGroup], units: [String: Unit] = [:]
    ) -> [UplinkPlan] {
        let personal = Set(
            links.flatMap(\.devices).flatMap { device in
                device.personal.map { SeriesID(device: device.id, point: $0) }
            })
        // What the gateway says of itself is no device's reading, and no platform's business; what
        // is personal stays here.
        let groups = groups.filter { !BoundSite.ownDevices.contains($0.device) }
        let members = groups.flatMap { group in
            group.series.filter { !personal.contains($0.id) }.map {
                UplinkPlan.Member(group: group, series: $0)
            }
        }
        return uplinks.map { uplink in
            var plan: UplinkPlan
            switch uplink.way {
            case .mqtt, .http, .sparkplug: plan = self.plan(of: uplink, members, units)
            case .hj212(let hj212): plan = self.plan(of: uplink, hj212, members, units)
            case .buildingEnergy(let energy): plan = self.plan(of: uplink, energy, members, units)
            }
            plan.since = uplink.since
            plan.sendsCorrections =
                uplink.sendsCorrections && uplink.way.correction != CorrectionForm.none
            return plan
        }
    }

    /// Each scan group for itself.
    private func plan(
        of uplink: Uplink, _ members: [UplinkPlan.Member], _ units: [String: Unit]
    ) -> UplinkPlan {
        var subjects: [String: UplinkPlan.Subject] = [:]
        let template = uplink.way.template
        // A message with nothing but fields that are not known is none.
        let told = template.map { template in
            Set(
                members.filter { !template.statistics(of: $0.series).isEmpty }
                    .map(\.group.scope))
        }
        for var member in members where uplink.selection.holds(member.series.id) {
            if told?.contains(member.group.scope) == false { continue }
            member.point = uplink.selection.point(of: member.series, units: units)
            if let template {
                member.point.statistics += template.statistics(of: member.series)
            }
            let scope = member.group.scope
            subjects[
                scope,
                default: UplinkPlan.Subject(scope: scope, device: member.group.device, members: [])
            ].members.append(member)
        }
        return UplinkPlan(
            uplink: uplink.id, site: site.id, subjects: Array(subjects.values),
            kinds: [UplinkItem.kind(uplink.content, uplink.resolution)], hasStations: false)
    }

    /// Stations of HJ 212: the points of their devices that the factor table names.
    private func plan(
        of uplink: Uplink, _ hj212: HJ212Uplink, _ members: [UplinkPlan.Member],
        _ units: [String: Unit]
    ) -> UplinkPlan {
        let subjects = hj212.stations.map { station in
            UplinkPlan.Subject(
                scope: station.identity.scope, device: station.devices.first,
                members: hj212.members(of: station, members, units))
        }
        var kinds: [String] = []
        if let minutes = hj212.minutes {
            kinds.append("2051/\(ItemPeriod.text(.seconds(minutes * 60)))")
        }
        if hj212.hours { kinds.append("2061/1h") }
        if hj212.days { kinds.append("2031/1d") }
        var plan = UplinkPlan(
            uplink: uplink.id, site: site.id, subjects: subjects, kinds: kinds,
            instants: hj212.realtime.map { "2011/\(ItemPeriod.text($0))" }, hasStations: true,
            gather: hj212.gather)
        plan.keepsInstants = hj212.keepsRealtime
        return plan
    }

    /// The building: every meter of the archive.
    private func plan(
        of uplink: Uplink, _ energy: EnergyUplink, _ members: [UplinkPlan.Member],
        _ units: [String: Unit]
    ) -> UplinkPlan {
        let bySeries = Dictionary(
            members.map { ($0.series.id, $0) }, uniquingKeysWith: { first, _ in first })
        return UplinkPlan(
            uplink: uplink.id, site: site.id,
            subjects: [
                UplinkPlan.Subject(
                    scope: energy.scope, device: nil,
                    members: energy.meters.compactMap { meter in
                        guard var member = bySeries[meter.series] else { return nil }
                        member.point.unit = meter.unit.flatMap { units[$0] }
                        member.point.decimals = meter.decimals
                        return member
                    })
            ], kinds: ["report/\(ItemPeriod.text(.seconds(energy.period * 60)))"],
            hasStations: true, gather: energy.gather)
    }
}

extension SiteConfiguration.HJ212Uplink {
    /// The points of a station with the platform's codes for them.
    func members(
        of station: Station, _ all: [UplinkPlan.Member], _ units: [String: Unit]
    ) -> [UplinkPlan.Member] {
        all.compactMap { member in
            var member = member
            guard let point = point(of: member.series.id, in: station, units) else { return nil }
            member.point = point
            return member
        }
    }

    /// How a point is told by a station; nil when it is not.
    func point(of id: SeriesID, in station: Station, _ units: [String: Unit]) -> UplinkPoint? {
        let known = table.point(
            id.point, dialect: dialect, particulates: particulates, unit: { units[$0] })
        if let code = station.codes.filter({ $0.value == id }).keys.min() {
            var point = known ?? .asStored
            point.name = code
            return point
        }
        // A code that is given to a point by name is not given to another one besides.
        guard station.devices.contains(id.device), let known,
            station.codes[known.name ?? ""] == nil
        else { return nil }
        return known
    }
}

extension SiteConfiguration.Uplink.Way {
    /// How what is told there can be corrected.
    var correction: CorrectionForm {
        switch self {
        case .mqtt(_, _, let format, _), .http(_, let format): format.correction
        case .sparkplug: SparkplugNode.correction
        case .hj212(let hj212): hj212.options.corrections
        case .buildingEnergy(let energy): energy.dialect.correction
        }
    }
}

extension SiteConfiguration.Uplink.Way {
    /// What is said there as a file describes it; nil for the other formats.
    var template: TemplateFormat? {
        switch self {
        case .mqtt(_, _, let format, _), .http(_, let format): format as? TemplateFormat
        case .sparkplug, .hj212, .buildingEnergy: nil
        }
    }
}

extension SiteConfiguration {
    /// Gives templates the vocabulary's units, without which no number of theirs is known.
    mutating func bindTemplates(_ vocabulary: Vocabulary, _ faults: FaultCollector) {
        for index in uplinks.indices {
            guard let template = uplinks[index].way.template else { continue }
            let bound = template.bound(
                to: vocabulary.units, quantities: vocabulary.quantityNames, faults)
            switch uplinks[index].way {
            case .mqtt(let broker, let topic, _, let tellsStatus):
                uplinks[index].way = .mqtt(
                    broker, topic: topic, format: bound, tellsStatus: tellsStatus)
            case .http(let address, _): uplinks[index].way = .http(address, format: bound)
            case .sparkplug, .hj212, .buildingEnergy: break
            }
        }
    }
}
