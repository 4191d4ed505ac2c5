"""Dated factors and the site's choice of them: factors/1."""

from datetime import date, timedelta
from fractions import Fraction

from .civil import day
from .meters import CARRIERS
from .numbers import measure


class FactorBook:
    """All figures of the included files."""

    def __init__(self):
        self.figures: list[dict] = []
        self.choices: list[dict] = []

    def add(self, nodes: list[dict]):
        self.figures += nodes

    def _chosen(self, factor: str, carrier: str) -> list[tuple[date, date | None, Fraction, str]]:
        """First day, last day, value and unit of the figures chosen, in the order of their days."""
        lines = [line for line in self.choices if line["factor"] == factor]
        own = [line for line in lines if line.get("carrier") == carrier]
        line = (own or [line for line in lines if "carrier" not in line] or [None])[0]
        if line is None:
            return []
        found = []
        for one in self.figures:
            is_it = (one["factor"], one["carrier"], one["region"], one["scheme"]) == (
                factor, carrier, line["region"], line["scheme"])
            if is_it and line.get("data_year", one.get("data_year")) == one.get("data_year"):
                until = day(one["until"]) if "until" in one else None
                found.append((day(one["from"]), until, *measure(one["value"])))
        return sorted(found, key=lambda each: each[0])

    def _holding(self, factor: str, carrier: str, on: date) -> tuple[Fraction, str] | None:
        begun = [one for one in self._chosen(factor, carrier) if one[0] <= on]
        if not begun or (begun[-1][1] is not None and on > begun[-1][1]):
            return None
        return begun[-1][2], begun[-1][3]

    def value(self, factor: str, carrier: str, on: date) -> Fraction | None:
        """What one unit of the accounts gives on a day; None where nothing was chosen or holds."""
        held = self._holding(factor, carrier, on)
        if held is None:
            return None
        value, unit = held
        per, counted = unit.rpartition("/")[2], CARRIERS[carrier][0]
        if per == counted:
            return value
        density = self._holding("density", carrier, on)
        if density is None or {per, counted} != {"kg", "L"}:
            return None
        return value * density[0] if counted == "L" else value / density[0]

    def spans(self, factor: str, carrier: str, days: list[date]):
        """Days that follow one another with one factor: first, last, value or None."""
        marks = {days[0]}
        for kind in (factor, "density"):
            for first, until, *_ in self._chosen(kind, carrier):
                marks |= {first} | ({until + timedelta(1)} if until else set())
        starts = sorted(mark for mark in marks if days[0] <= mark <= days[-1])
        for first, following in zip(starts, starts[1:] + [days[-1] + timedelta(1)]):
            yield first, following - timedelta(1), self.value(factor, carrier, first)
