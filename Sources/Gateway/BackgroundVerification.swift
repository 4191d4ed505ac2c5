import Logging
import Store
import Telemetry

/// Proves the stored file once a week, a page at a time, beside everything that writes it.
package struct BackgroundVerification: Sendable {
    let reader: StoreReader
    let counters: GatewayCounters
    let clock: any Clock<Duration> & Sendable
    let logger: Logger

    /// From the start to the first time: a start has other things to do.
    static let delay = Duration.seconds(3600)
    static let interval = Duration.seconds(7 * 86_400)
    /// Between two pages: polling and commits have the processor and the disk.
    static let pause = Duration.milliseconds(50)
    /// Findings that are logged one by one; `plumbline verify` lists them all.
    static let mostFindings = 50

    /// Returns when the task is cancelled.
    func run() async {
        var rest = Self.delay
        while !Task.isCancelled {
            try? await clock.sleep(for: rest)
            if Task.isCancelled { return }
            rest = Self.interval
            await verify()
        }
    }

    private func verify() async {
        let clock = clock
        do {
            let report = try await StoreVerification(reader).run(
                pause: { try await clock.sleep(for: Self.pause) })
            counters.verified(damagedRows: report.checks.reduce(0) { $0 + $1.damaged })
            tell(report)
        } catch is CancellationError {
            // The gateway stops; the next start begins anew.
        } catch {
            logger.warning("the store cannot be verified", metadata: ["error": "\(error)"])
        }
    }

    private func tell(_ report: VerificationReport) {
        let checked = report.checks.reduce(0) { $0 + $1.checked }
        if report.isSound {
            return logger.info("the store is sound", metadata: ["rows": "\(checked)"])
        }
        logger.error(
            "the store is damaged; 'plumbline verify' lists all of it",
            metadata: [
                "rows": "\(checked)", "damaged": "\(counters.values.damagedRows)",
            ])
        for loss in report.damage.prefix(Self.mostFindings) {
            let range = [loss.from, loss.to].map { bound in
                bound.map { Timestamp(milliseconds: $0).rfc3339(offset: 0) } ?? "?"
            }
            logger.error(
                "stored rows are damaged",
                metadata: [
                    "table": "\(loss.table)", "device": "\(loss.device ?? "-")",
                    "part": "\(loss.part ?? "-")", "from": "\(range[0])", "to": "\(range[1])",
                    "rows": "\(loss.rows)", "cause": "\(loss.cause)",
                ])
        }
    }
}
