import Foundation
import Glibc
import Store

/// Says one line on standard output, at once: what is read there has been promised.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    var written = 0
    while written < bytes.count {
        let count = bytes[written...].withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
        if count <= 0 { return }
        written += count
    }
}

/// The program that the fault tests start, kill and cut off from its disk.
///
///     StoreExerciser run FOLDER [--batches N] [--durability process] [--effects-every N]
///     StoreExerciser verify FOLDER:ACKED:APPLIED …
///     StoreExerciser open FOLDER
@main
struct StoreExerciser {
    static func main() async {
        // The reader of our lines may be gone first; that is no reason to die of a signal.
        signal(SIGPIPE, SIG_IGN)
        var arguments = Array(CommandLine.arguments.dropFirst())
        let verb = arguments.isEmpty ? "" : arguments.removeFirst()
        switch verb {
        case "run": await run(arguments)
        case "verify": await verify(arguments)
        case "open": open(arguments)
        default: misused("run, verify or open")
        }
    }

    private static func misused(_ text: String) -> Never {
        say("usage: \(text)")
        exit(64)
    }

    private static func run(_ arguments: [String]) async {
        var options = ExerciseOptions()
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--batches": options.batches = rest.popFirst().flatMap { Int64($0) }
            case "--durability":
                options.durability = rest.popFirst().flatMap(Durability.init) ?? .power
            case "--effects-every":
                options.effectsEvery = rest.popFirst().flatMap { Int64($0) } ?? 5
            case "--plant-ack-first": options.acknowledgesFirst = true
            case "--plant-checkpoint-apart": options.checkpointsApart = true
            default: options.folder = word
            }
        }
        if options.folder.isEmpty { misused("run FOLDER") }
        guard var exercise = await Exercise.start(options) else { exit(3) }
        exit(await exercise.run() ? 0 : 3)
    }

    private static func verify(_ arguments: [String]) async {
        let encoder = JSONEncoder()
        for argument in arguments {
            guard let claim = Claim(argument) else { misused("verify FOLDER:ACKED:APPLIED") }
            let examination = await Examination.examine(claim)
            if let line = try? encoder.encode(examination) {
                say(String(decoding: line, as: UTF8.self))
            }
        }
    }

    /// Opens, which migrates, and closes.
    private static func open(_ arguments: [String]) {
        guard let folder = arguments.first else { misused("open FOLDER") }
        do throws(StoreError) {
            let store = try Store.open(StoreOptions(directory: folder), calendar: .utc)
            say("opened")
            try store.close()
            say("closed")
        } catch {
            say("error \(error.code.rawValue) \(error.disposition.rawValue) \(error.description)")
            exit(3)
        }
    }
}
