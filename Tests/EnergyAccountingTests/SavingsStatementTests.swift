import EnergyAccounting
import Telemetry
import TestSeeds
import Testing

@Suite("The statement of savings")
struct SavingsStatementTests {
    @Test("tells measured, modelled, saved and how sure that is, worked by hand")
    func byHand() throws {
        let statement = try SavingsSite().statement()
        // January: 744 h · 2 kWh; 31 days at 10 °C are 248 K·d; 300 + 5 · 248.
        #expect(
            statement.row("savings_main_2025", 0) == [
                "2026-01", "1488.00", "1540.00", "0.00", "52.00", "189.93", "",
            ])
        #expect(
            statement.row("savings_main_2025", 1) == [
                "2026-02", "1008.00", "1000.00", "0.00", "-8.00", "123.33", "",
            ])
        // 31 K·d are fewer than the baseline has seen.
        #expect(
            statement.row("savings_main_2025", 2) == [
                "2026-03", "372.00", "455.00", "0.00", "83.00", "56.12",
                "outside of what the baseline has seen: hdd",
            ])
        #expect(
            statement.row("savings_main_2025", 3) == [
                "Total", "2868.00", "2995.00", "0.00", "127.00", "213.26", "",
            ])
        // t = 1.8125 for 10 degrees of freedom: 1.8125 · 1.26 · 5 % · 2995 · √((1 + 2/12)/3).
        #expect(
            statement.row("baselines", 0) == [
                "main-2025", "main", "main", "3", "2868.00", "2995.00", "127.00", "4.24", "213.26",
                "167.92", "90.00", "(no price)", "(no contract)",
                "not proved: the uncertainty is too large a part of it",
            ])
        #expect(
            statement.row("baseline_main_2025", 1)[1...3] == [
                "kWh/(K·d)", "heating below 18.0 °C", "5.0000",
            ])
        #expect(statement.row("fits", 0)[4...7] == ["12", "0", "0.9750", "5.00"])
        #expect(statement.tableNamed("savings_remarks") == nil)
    }

    @Test("counts an adjustment on its days and says who agreed on what")
    func adjustment() throws {
        var site = SavingsSite()
        site.adjustments = [
            try #require(
                BaselineAdjustment(
                    from: try BaselineExample.day("2026-03-22"), through: nil,
                    change: .kilowattHoursPerDay(Exact(-10)), reason: "a floor is let"))
        ]
        let statement = try site.statement()
        #expect(statement.row("savings_main_2025", 2)[3...4] == ["-100.00", "-17.00"])
        #expect(statement.row("savings_main_2025", 3)[3...4] == ["-100.00", "27.00"])
        #expect(
            statement.row("savings_remarks", 0) == [
                "main-2025", "adjustment", "-10 kWh a day from 2026-03-22: a floor is let",
            ])
    }

    @Test("says in words why it tells no figures")
    func refusals() throws {
        var inside = SavingsSite()
        inside.months = [("2025-12", "1", 10)]
        let early = try inside.statement(.savings, "2025-12")
        #expect(early.tableNamed("savings_main_2025") == nil)
        #expect(
            early.row("baselines", 0).last
                == "not told: 2025-12 lies in the baseline period or before it")
        #expect(early.row("baselines", 0)[3] == "(not told)")

        var cold = SavingsSite()
        cold.unknownDays = ["2026-02-03"]
        let missing = try cold.statement()
        let reasons = try #require(missing.tableNamed("savings_remarks")).rows.indices.map {
            missing.row("savings_remarks", $0)[2]
        }
        #expect(
            reasons == [
                "2 of 3 reporting periods are usable, and 90 % are needed",
                "the variable 'hdd' is missing in 2026-02",
            ])
    }

    @Test(
        "leaves out what is not good enough where the method allows it, and claims nothing for it")
    func leftOut() throws {
        var site = SavingsSite()
        site.unknownHours = (0..<24).map {
            "2026-02-01T\($0 < 10 ? "0" : "")\($0):00:00+08:00"
        }
        site.changes = ["month.reporting_share": "60 %"]
        let statement = try site.statement()
        #expect(
            statement.row("savings_main_2025", 2)[1...4] == [
                "1860.00", "1995.00", "0.00", "135.00",
            ])
        #expect(
            statement.row("savings_remarks", 0)[1...2] == [
                "left out", "less than 98 % is known of 2026-02; at worst 96.4 %",
            ])
        #expect(statement.row("baselines", 0)[3] == "2")
    }

    @Test("marks degree days that were scaled from fewer days")
    func scaled() throws {
        var site = SavingsSite()
        site.unknownDays = ["2026-01-05"]
        site.changes = ["month.unknown_days": "10 %"]
        let row = try site.statement().row("savings_main_2025", 0)
        // 30 days of 8 K are scaled to 31: the same 248 K·d.
        #expect(row[2] == "1540.00" && row[6] == "degree days scaled from 30 of 31 days")
    }

    @Test("compares whole months that have ended only, and says so")
    func partial() throws {
        var site = SavingsSite()
        site.now = "2026-03-15T12:00:00+08:00"
        let running = try site.statement()
        #expect(running.tableNamed("savings_main_2025")?.rows.count == 3)
        #expect(running.notes.contains { $0.en.hasPrefix("The period has not ended") })
        let cut = try SavingsSite().statement(.savings, "2026-01-10..2026-03-31")
        #expect(cut.row("savings_main_2025", 0)[0] == "2026-02")
        #expect(
            cut.row("savings_remarks", 0)[2]
                == "days of 2026-01-10..2026-03-31 that are no whole month")
    }

    @Test("stands in the monthly statement beside the baseline, and not where there is none")
    func beside() throws {
        let monthly = try SavingsSite().statement(.monthly, "2026-01")
        #expect(monthly.row("baselines", 0)[4...6] == ["1488.00", "1540.00", "52.00"])
        let without = try SavingsSite().statement(.monthly, "2026-01", hasBaseline: false)
        #expect(without.tableNamed("baselines") == nil)
        let empty = try SavingsSite().statement(hasBaseline: false)
        #expect(empty.tables.allSatisfy { $0.key == "remarks" })
        #expect(
            empty.notes.map(\.en) == ["The site names no baselines, so nothing can be compared."])
    }

    @Test("can be written in every form and both languages")
    func forms() throws {
        let statement = try SavingsSite().statement()
        #expect(StatementHTML(.zh).page(statement).contains("节能量核算表"))
        #expect(StatementHTML(.en).page(statement).contains("127.00"))
        #expect(StatementCSV(.machine).document(statement).contains("savings_main_2025"))
        let json = String(decoding: StatementJSON.bytes(statement), as: UTF8.self)
        #expect(json.contains("\"main@2026-01\"") && json.contains("\"savings\""))
    }

    @Test("has rows that add up to the total, whatever was measured")
    func addsUp() throws {
        var random = SeededGenerator(20_261_122)
        for _ in 0..<40 {
            var site = SavingsSite()
            site.months = site.months.map {
                (
                    $0.label, "\(Double(Int.random(in: 1...900, using: &random)) / 100)",
                    Double(Int.random(in: -100...250, using: &random)) / 10
                )
            }
            let accounts = try site.accounts()
            let period = try #require(AccountingPeriod("2026-01-01..2026-03-31"))
            let savings = try accounts.savings(beside: try site.frozen(), in: period).get()
            let sum = savings.rows.reduce(Exact.zero) {
                $0 + $1.modelled + $1.adjustment - $1.measured
            }
            #expect(sum == savings.saved)
            #expect(savings.measured == accounts.total(of: "main", in: period).sum)
            // The squares of the rows' half widths lie about the square of the total's.
            let widths = savings.rows.map { savings.uncertainty(of: $0) }
            #expect(widths.allSatisfy { $0 >= 0 })
            let mean = widths.reduce(0, +) / Double(widths.count).squareRoot()
            #expect(agree(mean, savings.uncertainty.energy, within: 1e-9))
        }
    }

    @Test("rests on observations whose text is the same for the same figures")
    func digest() throws {
        let accounts = try SavingsSite().accounts()
        let method = try BaselineExample.method()
        let period = try #require(AccountingPeriod("2026-01-01..2026-02-28"))
        let text = accounts.observations(
            of: "main", by: .month, in: period, variables: accounts.plan.variables, method: method
        ).canonicalText
        #expect(
            text == """
                2026-01 1488/1 complete 100.00 % estimated 0.00 % hdd=248.0
                2026-02 1008/1 complete 100.00 % estimated 0.00 % hdd=140.0

                """)
        let days = accounts.observations(
            of: "main", by: .day, in: period, variables: accounts.plan.variables, method: method)
        #expect(days.count == 59 && days.first?.energy == Exact(48))
        #expect(days.first?.variables == ["hdd": 8])
    }
}
