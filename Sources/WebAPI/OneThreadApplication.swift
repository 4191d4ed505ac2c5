import Hummingbird
import NIOCore
import ServiceLifecycle

/// Answers every request on the thread that reads and writes its connection.
///
/// Each change of threads costs about as much as writing a chart, and one thread for all requests is
/// a bound: however many charts are asked for, polling and storing keep the other cores.
struct OneThreadApplication<Whole: ApplicationProtocol>: Service {
    private let application: Whole
    private let executor: EventLoopTaskExecutor

    /// - Parameter loop: the one on which `application` accepts connections.
    init(_ application: Whole, loop: any EventLoop) {
        self.application = application
        executor = EventLoopTaskExecutor(loop)
    }

    func run() async throws {
        try await withTaskExecutorPreference(executor) { try await application.run() }
    }
}

/// Runs the parts of tasks on an event loop.
private final class EventLoopTaskExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
