import Hummingbird

/// `/metrics`: the gateway's figures and the API's own, for a monitoring system.
struct MetricsRoutes {
    let context: WebAPIContext
    let counters: RequestCounters

    func add(to router: Router<BasicRequestContext>) {
        router.get("metrics") { _, _ in
            let samples = await context.metrics() + counters.samples
            return Answer.bytes(
                Array(PrometheusText.render(samples).utf8), type: PrometheusText.contentType)
        }
    }
}
