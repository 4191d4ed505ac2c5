import Telemetry
import Testing

@testable import CraneWork

@Suite("Slewing and held ranges")
struct SlewingTests {
    private func slewing(_ angles: [Double], deadBand: Double = 1) -> Slewing {
        var slewing = Slewing()
        for (index, angle) in angles.enumerated() {
            slewing.add(angle, at: at(Double(index) * 5), deadBand: deadBand)
        }
        return slewing
    }

    @Test(
        "the shorter way is taken",
        arguments: [
            (359.0, 1.0, 2.0), (1, 359, -2), (10, 30, 20), (0, 180, -180), (180, 0, -180),
            (270, 89, 179), (0, 360, 0), (720, 5, 5), (-10, 10, 20),
        ])
    func step(from: Double, to: Double, way: Double) {
        #expect(abs(Slewing.step(from: from, to: to) - way) < 1e-9)
    }

    @Test("a turn across north is as long as any other")
    func wrap() {
        let slewing = slewing([350, 355, 0, 5, 10, 10])
        #expect(slewing.path == 20)
        #expect(slewing.range.span == 15)
        #expect((slewing.first, slewing.last) == (350, 10))
        #expect(self.slewing([10, 5, 0, 355, 350, 350]).path == 20)
    }

    @Test("to and fro adds up, jitter and spikes do not")
    func path() {
        #expect(slewing([10, 40, 40, 10, 10]).path == 60)
        #expect(slewing([359.8, 0.2, 359.7, 0.3, 359.9, 0.1]).path == 0)
        #expect(slewing([10, 10, 170, 10, 10, 0, 10]).path == 0)
    }

    @Test("a lift that turns across north has turned by what it turned")
    func lift() throws {
        var instants = loads("0x4 2x10 0x5", rising: 0)
        for (index, angle) in [340.0, 345, 350, 355, 0, 5, 10, 15, 20, 20].enumerated() {
            instants[4 + index].slewAngle = angle
        }
        instants[14].slewAngle = 20
        let lift = try #require(fold(instants).lifts.first)
        #expect((lift.slewStart, lift.slewEnd, lift.slewed) == (340, 20, 40))
    }

    @Test("a value counts once two readings in a row have reached it")
    func held() {
        var range = HeldRange()
        #expect(range.span == nil)
        for (index, value) in [5.0, 5, 90, 6, 7, -3, 6].enumerated() {
            range.add(value, at: at(Double(index)))
        }
        #expect((range.least, range.greatest) == (5, 6))
        range.add(90, at: at(7))
        range.add(90, at: at(7))
        #expect(range.greatest == 6)
        range.add(89, at: at(8))
        #expect(range.greatest == 89)
    }
}
