import Store
import Telemetry
import Testing

@testable import Gateway

@Suite("The order in which a feed is told")
struct FeedLaneTests {
    private func lane(_ kind: String, _ scope: String) -> String {
        FeedCourier.lane(
            of: OwedItem(
                uplink: "feed/a", kind: kind, scope: scope, start: Timestamp(milliseconds: 0),
                revision: 0, due: Timestamp(milliseconds: 0)))
    }

    @Test("is kept for the changes of all alarms of one rule on one series")
    func changes() {
        let first = lane("change/active_unacknowledged", "dusty|north.pm10|1000")
        #expect(first == lane("change/normal", "dusty|north.pm10|1000"))
        #expect(first == lane("change/active_unacknowledged", "dusty|north.pm10|2000"))
        #expect(first != lane("change/active_unacknowledged", "dusty|south.pm10|1000"))
        #expect(first != lane("change/active_unacknowledged", "dustier|north.pm10|1000"))
    }

    @Test("is that of its subject for a message to people")
    func notices() {
        #expect(lane("notice/raised", "gate|dust") == "gate|dust")
        #expect(lane("notice/raised", "gate|dust") != lane("notice/raised", "gate|noise"))
    }
}
