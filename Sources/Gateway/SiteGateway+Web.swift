import Alarms
import CraneWork
import DeviceProfiles
import EnergyAccounting
import Store
import Telemetry
import WebAPI

extension SiteGateway {
    /// What the API tells about this site.
    func webContext() -> WebAPIContext {
        let configuration = site.configuration
        let uplinks = configuration.uplinks.map(\.id)
        let metrics = GatewayMetrics(
            counters: counters, status: status, reader: store.reader,
            receivers: uplinks + configuration.feeds.map { NoticeRecord.receiver($0.id) },
            clock: trustedClock)
        var context = WebAPIContext(
            site: SiteDescription(
                id: configuration.site.id, name: configuration.site.name,
                timezone: configuration.site.timezone, phase: configuration.site.phase,
                floorAreaSquareMetres: configuration.site.floorArea),
            calendar: site.calendar, wallClock: surroundings.wallClock,
            clock: surroundings.clock, store: store.reader, devices: devices(),
            pointTitles: pointTitles(), energy: configuration.energy,
            limitLines: limitLines(),
            alarmTitles: Dictionary(
                configuration.alarms.map {
                    ($0.name, LocalizedText(en: $0.title.en, zh: $0.title.zh))
                }, uniquingKeysWith: { $1 }),
            uplinks: configuration.uplinkDescriptions, readiness: readiness,
            metrics: { await metrics.samples() },
            dashboards: surroundings.dashboards)
        let texts = alarmTexts()
        let facts = alarmFacts()
        let outlooks = alarmOutlooks
        context.outlook = { await outlooks.ahead(at: $0) }
        context.brief = { texts.brief($0, facts: await facts.facts(of: $0)) }
        let instructions = instructions
        context.instruct = { try await instructions.give($0) }
        context.say = { try await instructions.say($0, $1, by: $2) }
        let (store, wallClock) = (store, surroundings.wallClock)
        context.close = { period, actor in
            guard let kind = EnergyStatement.closing(period) else {
                throw StoreError(
                    .invalid, "close \(period.label)", cause: "it is no month and no year",
                    disposition: .skip)
            }
            let now = wallClock.read().wall
            let accounts = try await store.reader.energyAccounts(
                of: configuration.energy, for: kind.periods(for: period), now: now,
                isBilled: kind.isBilled)
            return try await store.writer.close(
                kind.document(of: period, accounts: accounts, site: configuration.site.name),
                actor: actor, at: now)
        }
        let (groups, units, calendar) = (groups, site.units, site.calendar)
        context.resend = { uplink, from, to, kinds, actor in
            let plans = configuration.uplinkPlans(of: groups, units: units)
            guard let plan = plans.first(where: { $0.uplink == uplink }) else { return 0 }
            return try await Resend(store: store, plan: plan, calendar: calendar).run(
                from: from, to: to, kinds: kinds, at: wallClock.read().wall, actor: actor)
        }
        context.feeds = configuration.feeds.map { ($0.id, NoticeRecord.receiver($0.id)) }
        context.tokens = configuration.tokens
        if let cranes = configuration.cranes {
            context.shifts = try? ShiftPlan(cranes.shifts, calendar: site.calendar)
        }
        context.clockStatus = { [trustedClock] in trustedClock.status }
        return context
    }

    /// Takes what people say.
    package var instructions: AlarmInstructions {
        AlarmInstructions(
            store: store, ingestion: ingestion, groups: groups,
            rules: Set(site.configuration.alarms.map(\.name)),
            circumstances: site.configuration.circumstances, clock: surroundings.clock,
            wallClock: surroundings.wallClock)
    }

    func devices() -> [DeviceDescription] {
        site.configuration.links.flatMap { link in
            link.devices.map { device in
                let profile = library[device.profile]
                return DeviceDescription(
                    id: device.id, titleEn: device.name?.en ?? profile?.title.en ?? device.id.text,
                    titleZh: device.name?.zh ?? profile?.title.zh ?? device.id.text,
                    kind: profile?.kind ?? "", link: link.id,
                    groups: groups.filter { $0.device == device.id })
            }
        }
    }

    func pointTitles() -> [PointKey: LocalizedText] {
        var titles: [PointKey: LocalizedText] = [:]
        for point in groups.flatMap(\.series).map(\.id.point) where titles[point] == nil {
            guard let chinese = library.vocabulary.describe(point)?.zh else { continue }
            titles[point] = LocalizedText(
                en: point.text.replacing("_", with: " ").replacing(".", with: " "), zh: chinese)
        }
        return titles
    }

    /// The rules on this site, as they look without having seen anything.
    private var freshAlarms: AlarmMachine {
        AlarmMachine(rules: site.configuration.alarms, site: site.alarmSite(groups: groups))
    }

    /// What will be exceeded.
    var alarmOutlooks: AlarmOutlooks {
        AlarmOutlooks(machine: freshAlarms, reader: store.reader, calendar: site.calendar)
    }

    private func limitLines() -> [SeriesID: [WebAPI.LimitLine]] {
        let machine = freshAlarms
        var lines: [SeriesID: [WebAPI.LimitLine]] = [:]
        for series in groups.flatMap(\.series) {
            let found = machine.limitLines(for: series.id).compactMap { line in
                line.above.map {
                    WebAPI.LimitLine(
                        rule: line.rule,
                        title: LocalizedText(en: line.title.en, zh: line.title.zh), above: $0,
                        unit: line.unit)
                }
            }
            if !found.isEmpty { lines[series.id] = found }
        }
        return lines
    }
}
