import Telemetry

/// The turning of a crane over one lift, across 0 degrees as well.
///
/// Between two readings the crane is taken to have turned the shorter way: a tower crane turns by
/// less than 5 degrees a second, so this holds for readings up to half a minute apart.
struct Slewing: Hashable, Sendable {
    /// Degrees as first and last read.
    var first: Double?
    var last: Double?
    /// Degrees turned since the first reading, clockwise minus anticlockwise.
    var turned = 0.0
    /// Degrees turned to and fro, without the encoder's jitter.
    var path = 0.0
    /// Where on `turned` the path has been counted up to.
    var anchor = 0.0
    var range = HeldRange()

    mutating func add(_ angle: Double, at time: Timestamp, deadBand: Double) {
        guard let last else {
            first = angle
            last = angle
            range.add(0, at: time)
            return
        }
        let before = turned - anchor
        turned += Self.step(from: last, to: angle)
        self.last = angle
        range.add(turned, at: time)
        // Only what two readings in a row have passed is counted, so a spike turns nothing.
        let now = turned - anchor
        guard before * now > 0 else { return }
        let passed = before.magnitude < now.magnitude ? before : now
        guard passed.magnitude >= deadBand else { return }
        path += passed.magnitude
        anchor += passed
    }

    /// The shorter way from one direction to another, -180 ..< 180 degrees.
    static func step(from: Double, to: Double) -> Double {
        let turn = (to - from).truncatingRemainder(dividingBy: 360)
        return turn < -180 ? turn + 360 : turn >= 180 ? turn - 360 : turn
    }
}
