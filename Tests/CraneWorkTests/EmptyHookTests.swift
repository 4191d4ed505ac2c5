import CraneWork
import Telemetry
import Testing

@Suite("The empty hook")
struct EmptyHookTests {
    /// `level` at each second from `start`, with the hook moving or not.
    private func stretch(
        _ level: (Double) -> Double, from start: Double, lasting length: Double,
        isMoving: Bool = true, every step: Double = 5
    ) -> [CraneInstant] {
        stride(from: start, to: start + length, by: step).map { time in
            CraneInstant(
                time: at(time), load: level(time),
                hookHeight: isMoving ? 20 + 10 * ((time - start) / 60) : 20, radius: 20,
                slewAngle: 90)
        }
    }

    @Test("a zero that drifts slowly is no lift, and lifts are weighed above it")
    func drift() throws {
        // 0.6 t in two days: twice the start threshold.
        var instants = stretch({ 0.6 * $0 / 172_800 }, from: 0, lasting: 172_800)
        instants += stretch({ _ in 2.6 }, from: 172_800, lasting: 60)
        instants += stretch({ _ in 0.6 }, from: 172_860, lasting: 60)
        let lifts = fold(instants).lifts
        let lift = try #require(lifts.first)
        #expect(lifts.count == 1)
        #expect(abs(lift.zeroLoad - 0.6) < 0.01)
        #expect(abs(lift.liftedLoad - 2) < 0.01)
        #expect(lift.end == at(172_860))
    }

    @Test("a zero that has drifted below is followed as well")
    func downwardDrift() {
        var instants = stretch({ -0.6 * $0 / 172_800 }, from: 0, lasting: 172_800)
        instants += stretch({ _ in -0.25 }, from: 172_800, lasting: 60)
        instants += stretch({ _ in -0.6 }, from: 172_860, lasting: 60)
        #expect(fold(instants).lifts.map(\.start) == [at(172_800)])
    }

    @Test("a step of the zero while the hook rests is a new zero, not a load")
    func tare() {
        var instants = stretch({ _ in 0 }, from: 0, lasting: 60)
        instants += stretch({ _ in 0.5 }, from: 60, lasting: 1300, isMoving: false)
        instants += stretch({ _ in 0.5 }, from: 1360, lasting: 120)
        instants += stretch({ _ in 2.5 }, from: 1480, lasting: 60)
        instants += stretch({ _ in 0.5 }, from: 1540, lasting: 60)
        let lifts = fold(instants).lifts
        #expect(lifts.map(\.start) == [at(1480)])
        #expect(lifts.map(\.end) == [at(1540)])
        #expect(lifts.map(\.liftedLoad) == [2])
    }

    @Test("a block that rested on the ground all night is no lift when it is picked up")
    func restingBlock() {
        var instants = stretch({ _ in 0 }, from: 0, lasting: 60)
        instants += stretch({ _ in -0.4 }, from: 60, lasting: 30_000, isMoving: false)
        instants += stretch({ _ in 0 }, from: 30_060, lasting: 300)
        instants += stretch({ _ in 2 }, from: 30_360, lasting: 60)
        instants += stretch({ _ in 0 }, from: 30_420, lasting: 60)
        let lifts = fold(instants).lifts
        #expect(lifts.map(\.start) == [at(30_360)])
        #expect(lifts.map(\.end) == [at(30_420)])
        #expect(lifts.map(\.zeroLoad) == [0])
    }

    @Test("a load that was moved and then hangs still for half an hour is one lift")
    func hangingLoad() {
        var instants = stretch({ _ in 0 }, from: 0, lasting: 60)
        instants += stretch({ _ in 0.8 }, from: 60, lasting: 120)
        instants += stretch({ _ in 0.8 }, from: 180, lasting: 1800, isMoving: false)
        instants += stretch({ _ in 0 }, from: 1980, lasting: 60)
        let lifts = fold(instants).lifts
        #expect(lifts.map(\.start) == [at(60)])
        #expect(lifts.map(\.end) == [at(1980)])
    }

    @Test("more than a tonne is a load, however long it hangs still before it moves")
    func heavyLoad() {
        var instants = stretch({ _ in 0 }, from: 0, lasting: 60)
        instants += stretch({ _ in 1.2 }, from: 60, lasting: 3000, isMoving: false)
        instants += stretch({ _ in 1.2 }, from: 3060, lasting: 60)
        instants += stretch({ _ in 0 }, from: 3120, lasting: 60)
        #expect(fold(instants).lifts.map(\.start) == [at(60)])
    }

    @Test("a zero that steps while the hook moves costs one lift of an hour, no more")
    func reeving() {
        var instants = stretch({ _ in 0 }, from: 0, lasting: 60)
        instants += stretch(
            { $0.truncatingRemainder(dividingBy: 300) < 150 ? 0.5 : 3 }, from: 60, lasting: 9000)
        let lifts = fold(instants).lifts
        #expect(lifts.first?.quality == .cutForLength)
        #expect(lifts.first.map { $0.duration } == .seconds(3600))
        let later = lifts.dropFirst(2)
        #expect(later.count > 12)
        #expect(later.allSatisfy { $0.duration == .seconds(150) && $0.liftedLoad == 2.5 })
    }
}
