import CraneWork
import Telemetry
import Testing

@Suite("Who lifts")
struct OperatorTests {
    private func lift(_ logged: [Int: LoggedOperator]) throws -> Lift {
        var instants = loads("0x4 2x8 0x5")
        for (index, one) in logged { instants[index].logged = one }
        return try #require(fold(instants).lifts.first)
    }

    @Test("the one who was logged on when the lift began, also if that was said before")
    func before() throws {
        let lift = try lift([1: .id("17")])
        #expect(lift.session == .open)
        #expect(lift.operatorID == "17")
        #expect(lift.operatorChanges == 0)
    }

    @Test("nobody logged on is a lift without session, and stays one")
    func nobody() throws {
        let lift = try lift([0: .nobody, 9: .id("17")])
        #expect(lift.session == .absent)
        #expect(lift.operatorID == nil)
        #expect(lift.operatorChanges == 1)
    }

    @Test("a crane that never says who is logged on has no lift without session")
    func unknown() throws {
        #expect(try lift([:]).session == .unknown)
        #expect(try lift([7: .id("17")]).operatorID == "17")
    }

    @Test("changes during the lift are counted, the lift stays with the first")
    func changes() throws {
        let lift = try lift([4: .id("17"), 6: .id("18"), 8: .nobody, 9: .nobody, 10: .id("17")])
        #expect(lift.operatorID == "17")
        #expect(lift.operatorChanges == 3)
    }

    @Test("after a long silence nobody is taken to be up there still")
    func silence() {
        var instants = loads("0x2 _x20 0x4 2x8 0x5")
        instants[0].logged = .id("17")
        #expect(fold(instants).lifts.map(\.session) == [.unknown])
    }
}
