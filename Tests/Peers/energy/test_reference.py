"""Small cases worked by hand. In Tests/Peers: python -m energy.test_reference"""

import contextlib
import io
import random
from datetime import date, datetime, timezone
from fractions import Fraction

import yaml

import energy_reference
from energy import judge, site as sites
from energy.civil import Period, Slots
from energy.numbers import half_even, printed
from energy.savings import inverse_diagonal, least_squares, student_quantile
from energy.small_sites import CST, MAIN, Small, as_statement, entries, every
from energy.statements import Statement
from energy.tariffs import NO_HOLIDAYS, NO_TABLE, Tariff
from energy.weather import Variable, daily_means

NIGHT = "2026-03-02T00:00:00+08:00"


def hours(accounts, id: str, day: str) -> list[tuple]:
    """Amount (None where not known) and whether estimated, of each slot of a day."""
    column = accounts.ledger.column(id)
    here = accounts.ledger.slots.of(Period.parse(day))
    return [
        (Fraction(int(n), column.parts) if k else None, bool(e))
        for n, k, e in zip(column.number[here], column.known[here], column.estimated[here])]


def test_printing():
    assert printed(Fraction(1, 8), 2) == "0.12"
    assert printed(Fraction(3, 8), 2) == "0.38"
    assert printed(Fraction(-1, 8), 2) == "-0.12"
    assert printed(Fraction(-1, 1000), 2) == "0.00"
    assert printed(Fraction(5, 2), 0) == "2" and half_even(Fraction(7, 2), 0) == 4


def test_shares_are_rounded_toward_zero():
    small = Small(MAIN, {"m.e": [("2026-03-01T00:00:00+08:00", "100"), ("2026-03-01T03:00:00+08:00", "101")]},
                  NIGHT)
    assert hours(small.accounts("2026-03-01"), "main", "2026-03-01")[:4] == [
        (0, True), (0, True), (1, True), (None, False)]


def test_the_grid_is_the_finer_of_the_two_values():
    small = Small(MAIN, {"m.e": [("2026-03-01T00:00:00+08:00", "100"), ("2026-03-01T03:00:00+08:00", "100.10")]},
                  NIGHT)
    # The grid is 0.1: 0.0333 and 0.0666 of it are nought.
    assert [h[0] for h in hours(small.accounts("2026-03-01"), "main", "2026-03-01")[:3]] == [0, 0, Fraction(1, 10)]


def test_two_periods_are_no_gap():
    rows = [("2026-03-01T00:00:00+08:00", "1.0"), ("2026-03-01T00:30:00+08:00", "1.2"),
            ("2026-03-01T01:15:00+08:00", "1.5"), ("2026-03-01T01:30:00+08:00", "1.6")]
    small = Small(MAIN, {"m.e": rows}, NIGHT)
    # 45 minutes from half past reach over the hour: 0.2 before it, so 0.4 and 0.2, both estimates.
    assert hours(small.accounts("2026-03-01"), "main", "2026-03-01")[:2] == [
        (Fraction(4, 10), True), (Fraction(2, 10), True)]
    short = Small(MAIN, {"m.e": rows[:2] + [("2026-03-01T01:00:00+08:00", "1.3")]}, NIGHT)
    assert hours(short.accounts("2026-03-01"), "main", "2026-03-01")[0] == (Fraction(3, 10), False)


def test_the_last_hour_is_an_estimate_until_a_reading_ends_it():
    small = Small(MAIN, {"m.e": every("2026-03-01T00:00:00+08:00", 15, ["1", "2", "3"])}, NIGHT)
    assert hours(small.accounts("2026-03-01"), "main", "2026-03-01")[:2] == [(2, True), (None, False)]


def test_gap_over_the_beginning_of_summer_time():
    # 22:00 UTC is 23:00 of the 28th in Berlin; at 01:00 UTC two o'clock becomes three.
    rows = [("2026-03-28T22:00:00+00:00", "10.1"), ("2026-03-29T04:00:00+00:00", "13.1"),
            ("2026-03-29T04:15:00+00:00", "13.1")]
    accounts = Small(MAIN, {"m.e": rows}, "2026-03-30T12:00:00+00:00", zone="Europe/Berlin").accounts("2026-03-29")
    told = hours(accounts, "main", "2026-03-29")
    assert len(told) == 23
    assert told[:5] == [(Fraction(1, 2), True)] * 5
    assert hours(accounts, "main", "2026-03-28")[-1] == (Fraction(1, 2), True)
    total = accounts.total("main", Period.parse("2026-03-29"))
    assert (total.sum, total.estimated, total.known, total.slots) == (Fraction(5, 2), Fraction(5, 2), 6, 23)
    assert (total.good, total.expected) == (2, 92)


def test_half_hours_of_lord_howe():
    day = Period.parse("2026-04-05").first
    slots = Slots(sites.ZoneInfo("Australia/Lord_Howe"), day, day, False)
    assert int(slots.length.sum()) == 24 * 3600 + 1800 and slots.count == 25


def test_roll_over_and_reset():
    rows = every("2026-03-01T00:00:00+08:00", 15, ["9990", "9995", "3", "8", "2", "4"])
    told = hours(Small(MAIN, {"m.e": rows}, NIGHT, modulus="10000").accounts("2026-03-01"),
                 "main", "2026-03-01")
    # 5, 8 over the end, 5; then a fall in the last quarter of the hour; then 2.
    assert told[:2] == [(18, True), (2, True)]
    without = hours(Small(MAIN, {"m.e": rows}, NIGHT).accounts("2026-03-01"), "main", "2026-03-01")
    assert without[0] == (10, True)


def test_readings_of_one_instant_are_the_lowest():
    rows = every("2026-03-01T00:00:00+08:00", 60, ["1", "2", "3"]) + [("2026-03-01T01:00:00+08:00", "1.5")]
    told = hours(Small(MAIN, {"m.e": rows}, NIGHT, period=3600).accounts("2026-03-01"), "main", "2026-03-01")
    assert told[:2] == [(Fraction(1, 2), False), (Fraction(3, 2), False)]


def exchanged(rows, *lines: str):
    return Small(MAIN, {"m.e": rows}, NIGHT, energy="entries: entries.yaml",
                 files=entries(*lines)).accounts("2026-03-01")


def test_exchange_inside_an_hour():
    rows = every("2026-03-01T00:00:00+08:00", 15, ["100", "101", "2.5", "3", "4"])
    line = 'exchange: main, at: "2026-03-01T00:20:00+08:00", old_end: 101.4, new_start: 2, by: Li'
    # 1, then 0.4 of the old and 0.5 of the new register, then 0.5 and 1.
    accounts = exchanged(rows, line)
    assert hours(accounts, "main", "2026-03-01")[0] == (Fraction(34, 10), False)
    remark = accounts.ledger.remarks["main"][0]
    assert (remark.what, remark.amount) == ("register exchanged", Fraction(9, 10))
    against = exchanged(rows, line.replace("101.4", "100.4"))
    assert hours(against, "main", "2026-03-01")[0] == (Fraction(25, 10), True)
    assert against.ledger.remarks["main"][0].amount is None


def test_exchange_for_a_register_that_stood_higher():
    rows = every("2026-03-01T00:00:00+08:00", 15, ["100", "101", "5000", "5001", "5002"])
    accounts = exchanged(rows, 'exchange: main, at: "2026-03-01T00:20:00+08:00", old_end: 102, new_start: 4999, by: Li')
    assert hours(accounts, "main", "2026-03-01")[0] == (5, False)
    assert accounts.ledger.remarks["main"][0].amount == 2 - 4899


def test_exchange_during_a_long_silence():
    rows = [("2026-03-01T00:45:00+08:00", "100"), ("2026-03-01T03:00:00+08:00", "10"),
            ("2026-03-01T03:15:00+08:00", "11")]
    accounts = exchanged(rows, 'exchange: main, at: "2026-03-01T01:20:00+08:00", old_end: 103, new_start: 8, by: Li')
    assert hours(accounts, "main", "2026-03-01")[:4] == [(None, False), (2, True), (3, True), (1, True)]


def test_changed_transformers():
    rows = every("2026-03-01T00:00:00+08:00", 15, ["400", "440", "660", "720", "780"])
    accounts = exchanged(rows, 'ratio: main, at: "2026-03-01T00:20:00+08:00", from: 40, to: 60, register: 11, by: Li')
    assert hours(accounts, "main", "2026-03-01")[0] == (160, False)


def test_limit():
    small = Small("  - { id: main, counter: m.e, limit: 10 kW }",
                  {"m.e": every("2026-03-01T00:00:00+08:00", 60, ["0", "10", "21", "33.0", "34"])},
                  "2026-03-01T04:00:00+08:00", period=3600)
    accounts = small.accounts("2026-03-01")
    # One step of the register is 1: eleven are let pass, twelve are not.
    assert [h[0] for h in hours(accounts, "main", "2026-03-01")[:4]] == [10, 11, None, 1]
    assert accounts.ledger.remarks["main"][0].amount == 12


def test_rescale_and_adjust():
    rows = every("2026-03-01T00:00:00+08:00", 60, ["0", "1", "2", "3"])
    written = entries(
        'rescale: main, from: "2026-03-01T00:00:00+08:00", to: "2026-03-01T02:00:00+08:00", was: 3, is: 2',
        'adjust: main, from: "2026-03-01T02:30:00+08:00", to: "2026-03-01T04:00:00+08:00", amount: -0.3, '
        'source: bill')
    accounts = Small(MAIN, {"m.e": rows}, NIGHT, period=3600, energy="entries: entries.yaml",
                     files=written).accounts("2026-03-01")
    # The running sums 0.667 and 1.333; a third of the amount falls into the hour from two o'clock.
    assert [h[0] for h in hours(accounts, "main", "2026-03-01")[:4]] == [
        Fraction(667, 1000), Fraction(666, 1000), Fraction(9, 10), Fraction(-2, 10)]


TREE = """  - { id: main, counter: m.e }
  - { id: plant, parent: main, zone: plant, counter: p.e }
  - { id: rest, formula: main - 0.5 * plant }
  - { id: tank, carrier: diesel, entries: true }"""


def tree():
    return Small(TREE, {
        "m.e": every("2026-03-01T00:00:00+08:00", 60, ["0", "10", "20", "30"]),
        "p.e": [("2026-03-01T00:00:00+08:00", "0"), ("2026-03-01T01:00:00+08:00", "4"),
                ("2026-03-01T02:00:00+08:00", "1"), ("2026-03-01T03:00:00+08:00", "3")]},
        "2026-03-01T03:00:00+08:00", period=3600, energy="entries: entries.yaml", files=entries(
            "delivered: tank, first: 2026-02-28, last: 2026-03-01, amount: 48, source: bill, by: Wang",
            "area: 100 m2, from: 2026-03-01"))


def test_formulas_balances_deliveries():
    accounts = tree().accounts("2026-03-01")
    day = Period.parse("2026-03-01")
    # The plant's meter fell in the second hour, which is then not known.
    assert hours(accounts, "rest", "2026-03-01")[:3] == [(8, False), (None, False), (9, False)]
    rest, whole = accounts.ledger.beyond_children("main", accounts.ledger.slots.of(day))
    assert (rest.sum, whole.sum, rest.known) == (14, 20, 2)
    assert accounts.total("main", day).sum == 30
    assert accounts.total("tank", day).sum == 3 and accounts.total("tank", Period.parse("2026-02-28")).sum == 24
    rows = Statement(accounts, day).expected("monthly").tables
    assert rows["zones"][("plant",)]["amount"].value == 6
    assert rows["carriers"][("Diesel",)]["imported"].value == 3


TARIFF = """format: tariff/1
tariff: t
carrier: electricity
tables:
  - from: 2026-01-01
    bands: [ { band: flat, price: 1 CNY/kWh }, { band: valley, price: 0.25 CNY/kWh } ]
    times: [ { hours: { flat: 03:00-02:00, valley: 02:00-03:00 } } ]
"""


def test_bands_on_days_of_25_and_23_hours():
    def bill(day: str, start: str, count: int):
        rows = every(start, 60, [str(n) for n in range(count + 1)])
        small = Small(MAIN, {"m.e": rows}, "2026-12-01T00:00:00+00:00", zone="Europe/Berlin", period=3600,
                      energy="tariffs: [tariff.yaml]", files={"tariff.yaml": TARIFF})
        return small.accounts(day).cost_of_carrier("electricity", Period.parse(day))
    autumn = bill("2026-10-25", "2026-10-24T22:00:00+00:00", 25)
    assert {band: quantity for (_, band), (quantity, _) in autumn.lines.items()} == {"flat": 23, "valley": 2}
    assert autumn.energy == Fraction(47, 2)
    spring = bill("2026-03-29", "2026-03-28T23:00:00+00:00", 23)
    assert {band: quantity for (_, band), (quantity, _) in spring.lines.items()} == {"flat": 23}


def test_quarters_where_a_band_begins_within_the_hour():
    text = TARIFF.replace("02:00", "02:30")
    rows = every("2026-03-01T00:00:00+08:00", 15, [str(n) for n in range(97)])
    small = Small(MAIN, {"m.e": rows}, "2026-03-03T00:00:00+08:00", energy="tariffs: [t.yaml]", files={"t.yaml": text})
    bill = small.accounts("2026-03-01").cost_of_carrier("electricity", Period.parse("2026-03-01"))
    assert bill.lines[0, "valley"][0] == 2 and bill.known == 96


DAYS = """format: tariff/1
tariff: t
carrier: electricity
days: { weekend: [sat, sun], known: 2026, holidays: [2026-10-01..2026-10-07], working_days: 2026-10-10 }
tables:
  - from: 2026-01-01
    until: 2026-11-30
    bands: [ { band: peak, price: 1 CNY/kWh }, { band: valley, price: 0.3 CNY/kWh } ]
    seasons: [ { season: winter, days: [11-15..03-15] }, { season: rest, other: true } ]
    times:
      - { seasons: winter, hours: { peak: 08:00-20:00, valley: 20:00-08:00 } }
      - { seasons: rest, days: working-day, hours: { peak: 06:00-22:00, valley: 22:00-06:00 } }
      - { seasons: rest, days: [weekend, holiday], hours: { valley: 00:00-24:00 } }
  - from: 2026-12-01
    as: 2026-01-01
    bands: [ { band: peak, price: 2 CNY/kWh }, { band: valley, price: 0.3 CNY/kWh } ]
"""


def test_seasons_and_kinds_of_days():
    tariff = Tariff(yaml.load(DAYS, Loader=yaml.BaseLoader))

    def at(day: str, hour: int):
        return tariff.at(Period.parse(day).first, hour * 60)
    assert at("2026-10-05", 12) == (0, "valley")           # a Monday among the holidays
    assert at("2026-10-10", 12) == (0, "peak")             # a Saturday on which people work
    assert at("2026-10-17", 12) == (0, "valley")
    assert at("2026-02-14", 7) == (0, "valley")            # winter goes over the new year
    assert at("2026-12-05", 9) == (1, "peak") and tariff.price(1, "peak") == 2
    assert at("2025-06-01", 9) == NO_TABLE
    assert at("2027-01-05", 9) == (1, "peak")              # in winter all days have the same hours
    assert at("2027-06-01", 9) == NO_HOLIDAYS


def test_factors_that_change_within_a_period():
    factors = """format: factors/1
factors:
  - { factor: co2, carrier: electricity, region: r, scheme: s, from: 2025-01-01, value: 0.5 kgCO2/kWh }
  - { factor: co2, carrier: electricity, region: r, scheme: s, from: 2026-03-02, value: 0.25 kgCO2/kWh }
  - { factor: co2, carrier: diesel, region: r, scheme: s, from: 2025-01-01, value: 3 kgCO2/kg }
  - { factor: density, carrier: diesel, region: r, scheme: s, from: 2025-01-01, value: 0.84 kg/L }
"""
    rows = every("2026-03-01T00:00:00+08:00", 1440, ["0", "10", "30"])
    small = Small(MAIN, {"m.e": rows}, "2026-03-03T00:00:00+08:00", period=86400,
                  energy="factors: { include: [f.yaml], use: [ { factor: co2, region: r, scheme: s }, "
                         "{ factor: density, region: r, scheme: s } ] }", files={"f.yaml": factors})
    accounts = small.accounts("2026-03-01..2026-03-02")
    assert accounts.converted("co2", "electricity", Period.parse("2026-03-01..2026-03-02")) == (10, True, False)
    assert accounts.site.factors.value("co2", "diesel", Period.parse("2026-03-01").first) == Fraction(252, 100)


def test_periods():
    assert Period.parse("2024-02-29").year_before.label == "2023-02-28"
    assert Period.parse("2026-03-01..2026-03-15").before.label == "2026-02-14..2026-02-28"
    assert Period.parse("2026-03").before.label == "2026-02" and Period.parse("2024").before.label == "2023"
    assert Period.parse("2024-02").year_before.label == "2023-02"


def test_the_judge_sees_a_wrong_digit_and_a_wrong_mark():
    small = tree()
    expected = Statement(small.accounts("2026-03-01"), Period.parse("2026-03-01")).expected("monthly")
    path = small.folder / "statement.json"

    def differences(change) -> list[str]:
        path.write_text(as_statement("monthly", "2026-03-01", expected))
        told = judge.read(path)
        change(told)
        verdict = judge.Verdict()
        judge.judge(told, expected, verdict)
        assert verdict.numbers > 20
        return verdict.differences

    def main_amount(told) -> dict:
        return next(one for one in told["tables"] if one["key"] == "meters")["rows"][0]["amount"]
    assert differences(lambda told: None) == []
    for wrong in ({"value": "30.01"}, {"value": "30.0"}, {"estimated": True}, {"value": None}):
        assert len(differences(lambda told: main_amount(told).update(wrong))) == 1, wrong
    assert len(differences(lambda told: told["tables"].pop(0))) == 1
    assert len(differences(lambda told: told["tables"][0]["rows"].pop(0))) == 1
    assert len(differences(lambda told: told["facts"].pop(0))) == 1
    with contextlib.redirect_stdout(io.StringIO()):
        assert energy_reference.tell(judge.Verdict(numbers=3, equal=3), 50) == 1
        assert energy_reference.tell(judge.Verdict(numbers=60, equal=60), 50) == 0


def naive(rows: list[tuple[int, str]], start: int, end: int) -> Fraction:
    """What was counted in a quarter, step by step and in plain fractions."""
    amount = Fraction(0)
    for (t0, v0), (t1, v1) in zip(rows, rows[1:]):
        step = Fraction(v1) - Fraction(v0)
        places = max(len((v + ".").split(".")[1].rstrip("0")) for v in (v0, v1))
        if step <= 0 or t1 <= start or end <= t0:
            continue
        parts = [int(step * (min(max(t, t0), t1) - t0) / (t1 - t0) * 10**places) for t in (start, end)]
        amount += Fraction(parts[1] - parts[0], 10**places)
    return amount


def test_random_readings_against_plain_loops():
    dice = random.Random(5)
    for _ in range(10):
        zero, value, rows = 1772294400, Fraction(1000), []
        moment = zero
        while moment < zero + 86400:
            rows.append((moment, printed(value, 3)))
            moment += dice.choice([60, 300, 601, 4000, 20000])
            value += Fraction(dice.randrange(0, 5000), 10 ** dice.choice([0, 1, 2, 3]))
            if dice.random() < 0.05:
                value = Fraction(dice.randrange(0, 100))
        readings = [(datetime.fromtimestamp(t, timezone.utc).isoformat(), v) for t, v in rows]
        accounts = Small(MAIN, {"m.e": readings}, "2026-03-03T00:00:00+08:00", period=300).accounts("2026-03-01")
        ledger = accounts.quarters
        column, here = ledger.column("main"), ledger.slots.of(Period.parse("2026-03-01"))
        for number, begin in zip(column.number[here], ledger.slots.start[here].tolist()):
            assert Fraction(int(number), column.parts) == naive(rows, begin, begin + 900)


def test_least_squares():
    ones, warm = [Fraction(1)] * 4, [Fraction(n) for n in (0, 1, 2, 3)]
    # Through (0, 1), (1, 3), (2, 2), (3, 5): the line 1.1 + 1.1 x.
    energy = [Fraction(n) for n in (1, 3, 2, 5)]
    assert least_squares([ones, warm], energy) == [Fraction(11, 10), Fraction(11, 10)]
    # X'X is [[4, 6], [6, 14]] with the determinant 20.
    assert inverse_diagonal([ones, warm]) == [Fraction(14, 20), Fraction(4, 20)]


def test_student():
    # From printed tables.
    for confidence, freedom, t in ((90, 9, 1.833113), (95, 1, 12.706205), (90, 10, 1.812461), (99, 30, 2.749996)):
        assert abs(student_quantile(confidence, freedom) - t) < 1e-6


def test_days_of_few_hours_are_unknown():
    folder = Small(MAIN, {}, NIGHT).folder
    lines = ["series,time,value"]
    for day, hours in ((1, 20), (2, 19), (3, 24)):
        # 0, 1, 2 … °C: the mean of twenty hours is 9.5.
        lines += [f"s.t,{datetime(2026, 3, day, hour, tzinfo=CST).isoformat()},{hour}" for hour in range(hours)]
    (folder / "temperatures.csv").write_text("\n".join(lines) + "\n")
    now = int(datetime(2026, 3, 4, tzinfo=CST).timestamp()) * 10**6
    zone = sites.read(folder / "site.yaml").zone
    first = date(2026, 3, 1)
    means = daily_means(folder / "temperatures.csv", "s.t", Fraction(80), zone, now)
    assert means == {first: Fraction(19, 2), date(2026, 3, 3): Fraction(23, 2)}
    # A day that has not ended has none.
    assert daily_means(folder / "temperatures.csv", "s.t", Fraction(80), zone, now - 1).keys() == {first}


def test_degree_days():
    heating = Variable({"variable": "hdd", "heating_below": "18"})
    cooling = Variable({"variable": "cdd", "cooling_above": "10"})
    weather = {date(2026, 3, 1): Fraction(8), date(2026, 3, 2): Fraction(12)}
    whole, part = Period.parse("2026-03-01..2026-03-02"), Period.parse("2026-03-01..2026-03-04")
    assert heating.degree_days(weather, whole, Fraction(0)) == (16, 2, 2)
    assert cooling.degree_days(weather, whole, Fraction(0)) == (2, 2, 2)
    assert heating.degree_days(weather, part, Fraction(49)) == (None, 2, 4)
    assert heating.degree_days(weather, part, Fraction(50)) == (32, 2, 4)


def main():
    tests = [one for name, one in sorted(globals().items()) if name.startswith("test_")]
    for test in tests:
        test()
    print(f"{len(tests)} tests passed")


if __name__ == "__main__":
    main()
