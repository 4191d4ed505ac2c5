import Hummingbird

/// All routes of the API and the page, without a server: tests send requests straight to it.
package func makeRouter(_ context: WebAPIContext) -> Router<BasicRequestContext> {
    let router = Router(
        context: BasicRequestContext.self, options: [.autoGenerateHeadEndpoints])
    let counters = RequestCounters()
    let index = SeriesIndex(context.devices)
    router.add(middleware: AnswerMiddleware(counters: counters))
    router.add(middleware: LocalMiddleware())
    if let directory = context.dashboards.directory {
        // Addresses that no route knows are looked for among the page's files.
        router.add(
            middleware: FileMiddleware(
                directory,
                cacheControl: CacheControl([(MediaType(type: .any), [.noCache])]),
                searchForIndexHtml: true))
    }
    HealthRoutes(context: context).add(to: router)
    MetricsRoutes(context: context, counters: counters).add(to: router)
    SiteRoutes(context: context).add(to: router)
    DeviceRoutes(context: context).add(to: router)
    SeriesRoutes(context: context, index: index).add(to: router)
    HistoryRoutes(context: context, index: index).add(to: router)
    AlarmRoutes(context: context, index: index).add(to: router)
    OutlookRoutes(context: context, index: index).add(to: router)
    InstructionRoutes(context: context, index: index).add(to: router)
    AtomRoutes(context: context).add(to: router)
    CraneRoutes(context: context).add(to: router)
    EnergyRoutes(context: context, index: index).add(to: router)
    StatementRoutes(context: context).add(to: router)
    ComplianceRoutes(context: context).add(to: router)
    UplinkRoutes(context: context).add(to: router)
    EventRoutes(context: context, index: index, counters: counters).add(to: router)
    VendorRoutes(files: context.dashboards).add(to: router)
    return router
}
