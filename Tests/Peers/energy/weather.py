"""Outdoor temperatures by the day, degree days, and the other figures beside which energy is told."""

from collections import defaultdict
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path

from .civil import Period
from .numbers import exact, measure

# Of the hours of a day, how many have to be known where the site says nothing, in per cent.
USUAL_SHARE = Fraction(80)


def daily_means(path: Path, series: str, share: Fraction, zone, now: int) -> dict[date, Fraction]:
    """The mean of the hourly means of each day that has ended and of which enough hours are known."""
    hours: dict[tuple[date, int], list[Fraction]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        name, stamp, value = line.split(",")
        at = datetime.fromisoformat(stamp)
        if name == series and at.timestamp() * 1_000_000 < now:
            # An hour that civil time has twice is two hours.
            hours[(at.astimezone(zone).date(), int(at.timestamp()) // 3600)].append(exact(value))
    days: dict[date, list[Fraction]] = defaultdict(list)
    for (on, _), values in hours.items():
        days[on].append(sum(values, Fraction(0)) / len(values))
    means = {}
    for on, values in days.items():
        start, end = _midnight(on, zone), _midnight(date.fromordinal(on.toordinal() + 1), zone)
        if end * 1_000_000 <= now and len(values) * 3600 * 100 >= share * (end - start):
            means[on] = sum(values, Fraction(0)) / len(values)
    return means


def _midnight(on: date, zone) -> int:
    return int(datetime(on.year, on.month, on.day, tzinfo=zone).timestamp())


class Variable:
    """One of `variables:`: degree days, what people wrote down, or person-days."""

    def __init__(self, node: dict):
        self.name = node["variable"]
        self.node = node

    @property
    def is_degree_days(self) -> bool:
        return "heating_below" in self.node or "cooling_above" in self.node

    def degree_days(self, weather: dict[date, Fraction], period: Period,
                    unknown_share: Fraction) -> tuple[Fraction | None, int, int]:
        """Their value (None with too many unknown days), the known days, and all days."""
        known = [weather[on] for on in period.days if on in weather]
        days = len(period.days)
        if not known or (days - len(known)) * 100 > unknown_share * days:
            return None, len(known), days
        if "heating_below" in self.node:
            base = exact(self.node["heating_below"])
            each = [max(Fraction(0), base - mean) for mean in known]
        else:
            base = exact(self.node["cooling_above"])
            each = [max(Fraction(0), mean - base) for mean in known]
        return sum(each, Fraction(0)) * days / len(known), len(known), days

    def value(self, accounts, weather, period: Period, unknown_share: Fraction) -> Fraction | None:
        if self.is_degree_days:
            return self.degree_days(weather, period, unknown_share)[0]
        if "produced" in self.node:
            return accounts.products(period).get(self.node["produced"])
        if self.node["of"] == "output":
            return accounts.output(period)
        people = accounts.people(period)
        return None if people is None else people * len(period.days)


def limits(method: dict, interval: str) -> dict[str, Fraction]:
    """The figures of an interval; those that the file leaves out are not there."""
    return {one["figure"]: measure(one["value"])[0]
            for one in method["figures"] if one["interval"] == interval}
