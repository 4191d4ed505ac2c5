import Testing

/// The proofs of docs/torture.md, as long as CI has time for.
@Suite("The store under power cuts, kills and a failing disk", .serialized)
struct CrashTests {
    @Test("200 crash images: nothing acknowledged is lost, and every image starts")
    func powerCuts() async throws {
        guard let outcome = try await Torture.run("images", "--images", "200") else { return }
        #expect(outcome.isGood, "\(outcome.text)")
        #expect(try outcome.count("images") == 200)
        #expect(try outcome.count("cut_while_recovering") > 50)
        // Images without a write that might be lost would prove nothing.
        #expect(try outcome.count("writes_in_doubt") > 200)
        #expect(try outcome.count("acked") > 2_000)
        #expect(try outcome.count("seals_recorded") > 5)
    }

    @Test("the images can fail: without a sync at each commit, acknowledged batches are lost")
    func contrast() async throws {
        guard
            let outcome = try await Torture.run(
                "images", "--images", "40", "--durability", "process")
        else { return }
        #expect(!outcome.isGood)
        #expect(try outcome.count("lost") > 0)
        // Less durable, and still never a damaged file or one that does not start.
        #expect(try outcome.count("corrupt") == 0)
        #expect(try outcome.count("not_started") == 0)
    }

    @Test("the images can fail: a promise before the commit is found")
    func plantedPromise() async throws {
        guard
            let outcome = try await Torture.run(
                "images", "--images", "40", "--plant", "ack-first")
        else { return }
        #expect(!outcome.isGood)
        #expect(try outcome.count("lost") > 0)
    }

    @Test("the images can fail: a checkpoint apart from its effects is found")
    func plantedCheckpoint() async throws {
        guard
            let outcome = try await Torture.run(
                "images", "--images", "60", "--plant", "checkpoint-apart")
        else { return }
        #expect(!outcome.isGood)
        #expect(try outcome.count("unequal") > 0)
    }

    @Test("50 kills at any instant: nothing acknowledged is lost, nothing is there twice")
    func kills() async throws {
        guard let outcome = try await Torture.run("kills", "--kills", "50") else { return }
        #expect(outcome.isGood, "\(outcome.text)")
        #expect(try outcome.count("kills_while_working") > 15)
        #expect(try outcome.count("batches_acked") > 500)
        #expect(try outcome.count("seals") > 5)
    }

    @Test("a call on the file fails, or is the last one: an error, never a trap, nothing lost")
    func failingCalls() async throws {
        guard let outcome = try await Torture.run("faults", "--stride", "7") else { return }
        #expect(outcome.isGood, "\(outcome.text)")
        #expect(try outcome.count("runs") > 100)
        #expect(try outcome.count("errors_told") > 30)
        #expect(try outcome.count("killed_in_a_call") > 20)
    }

    @Test("stores of earlier versions migrate completely, killed at any statement")
    func migrations() async throws {
        guard let outcome = try await Torture.run("migration", "--stride", "7") else { return }
        #expect(outcome.isGood, "\(outcome.text)")
        #expect(try outcome.count("fixtures") > 0)
        #expect(try outcome.count("killed") > 10)
    }
}
