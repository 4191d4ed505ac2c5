"""Works out a site's energy statements from its devices' readings, and judges the product's by them.

energy_reference.py --site site.yaml --readings readings.csv --now 2027-01-01T00:10:00+08:00 \
    --statement out.json [--statement more.json …]

The rules are those of docs/formats/energy.md and its neighbours; nothing is shared with the gateway.
readings.csv has series,time,value; series.csv beside it series,period_seconds,modulus;
temperatures.csv, where there is one, series,time,value of thermometers. Exits with 1
on any difference or when too little was compared, with 2 when a file cannot be used.
"""

import argparse
import sys
from datetime import timedelta
from pathlib import Path

from energy import judge, site as sites
from energy.accounts import Accounts
from energy.civil import Period, Slots, instant
from energy.ledger import Ledger
from energy.numbers import BadInput
from energy.readings import registers
from energy.statements import Statement
from energy.weather import daily_means


def accounts_of(site: sites.Site, readings: Path, now: int, periods: list[Period]) -> Accounts:
    """The accounts over all periods and those that they are compared with."""
    periods = periods + [Period.parse(one["period"]) for one in site.frozen]
    periods = [each for one in periods for each in (one, one.before, one.year_before, *one.months)]
    first, last = min(one.first for one in periods), max(one.last for one in periods)
    wanted = {}
    for meter in site.tree.meters.values():
        if meter.series is not None:
            told = site.entries.exchanges.get(meter.id, [])
            wanted.setdefault(meter.series, []).extend(
                value for one in told for value in (one.old_end, one.new_start))
    counters = registers(readings, now, wanted)
    in_quarters = any(tariff.needs_quarters for tariff in site.tariffs.values())

    def ledger(is_fine: bool) -> Ledger:
        slots = Slots(site.zone, first - timedelta(1), last, is_fine)
        return Ledger(site, slots, counters, slots.passed(now))
    coarse = ledger(in_quarters)
    weather, temperatures = {}, readings.parent / "temperatures.csv"
    if site.outdoor is not None and temperatures.exists():
        weather = daily_means(temperatures, *site.outdoor, site.zone, now)
    return Accounts(coarse, coarse if in_quarters else ledger(True), weather)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--readings", type=Path, required=True)
    parser.add_argument("--now", required=True, help="RFC 3339: what is later has not happened")
    parser.add_argument("--statement", type=Path, action="append", required=True)
    parser.add_argument("--least", type=int, default=50, help="how many numbers have to be compared")
    return parser.parse_args()


def tell(verdict: judge.Verdict, least: int) -> int:
    for difference in verdict.differences[:50]:
        print(difference)
    if len(verdict.differences) > 50:
        print(f"… and {len(verdict.differences) - 50} more")
    for place, count in sorted(verdict.not_judged.items()):
        print(f"not judged: {place} ({count})")
    print(f"compared {verdict.numbers} numbers: {verdict.equal} equal, "
          f"{len(verdict.differences)} differences; {verdict.missing} places empty in both")
    if verdict.differences:
        return 1
    if verdict.numbers < least:
        print(f"fewer than {least} numbers were compared")
        return 1
    return 0


def main() -> int:
    given = arguments()
    try:
        site, now = sites.read(given.site), instant(given.now)
        statements = [judge.read(path) for path in given.statement]
        periods = [Period.parse(statement["period"]) for statement in statements]
        accounts = accounts_of(site, given.readings, now, periods)
        verdict = judge.Verdict()
        for statement, period in zip(statements, periods):
            expected = Statement(accounts, period).expected(statement["kind"])
            judge.judge(statement, expected, verdict)
    except (BadInput, KeyError, ValueError) as problem:
        print(f"bad input: {problem!r}" if not isinstance(problem, BadInput) else f"bad input: {problem}")
        return 2
    return tell(verdict, given.least)


if __name__ == "__main__":
    sys.exit(main())
