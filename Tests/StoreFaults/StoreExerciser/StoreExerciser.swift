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
///     StoreExerciser verify [--recover] FOLDER:ACKED:APPLIED[:LIVES] …
///     StoreExerciser open FOLDER          opens, which migrates, and closes
///     StoreExerciser tell FOLDER [--seal]  tells all that it holds, one line for each thing
///     StoreExerciser fixture FOLDER       makes the store of Tests/Fixtures/stores
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
        case "open", "tell", "fixture": await look(verb, arguments)
        default: misused("run, verify, open, tell or fixture")
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
        for argument in arguments where argument != "--recover" {
            guard let claim = Claim(argument) else {
                misused("verify FOLDER:ACKED:APPLIED[:LIVES]")
            }
            let examination = await Examination.examine(
                claim, recovers: arguments.contains("--recover"))
            if let line = try? encoder.encode(examination) {
                say(String(decoding: line, as: UTF8.self))
            }
        }
    }

    /// Ends with 3 and the error's words when the store refuses.
    private static func look(_ verb: String, _ arguments: [String]) async {
        do {
            switch verb {
            case "open": try open(arguments)
            case "tell": try await tell(arguments)
            default: try await fixture(arguments)
            }
        } catch {
            say("error \(error)")
            exit(3)
        }
    }

    /// Opens, which migrates, and closes.
    private static func open(_ arguments: [String]) throws {
        guard let folder = arguments.first else { misused("open FOLDER") }
        let store = try Store.open(
            StoreOptions(directory: folder), calendar: FixtureContent.shanghai)
        say("opened")
        try store.close()
    }

    private static func tell(_ arguments: [String]) async throws {
        guard let folder = arguments.first else { misused("tell FOLDER [--seal]") }
        let lines = try await StoreText.lines(
            ofStoreIn: folder, calendar: FixtureContent.shanghai,
            seals: arguments.contains("--seal"))
        say(lines.joined(separator: "\n"))
    }

    private static func fixture(_ arguments: [String]) async throws {
        guard let folder = arguments.first else { misused("fixture FOLDER") }
        try await FixtureContent.write(to: folder)
    }
}
