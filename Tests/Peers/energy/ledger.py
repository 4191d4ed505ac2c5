"""All meters of a site over the same slots: counters, formulas, deliveries."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction

import numpy as np

from .civil import Period, Slots, month_period
from .counting import Column, Counting, Remark
from .meters import Meter
from .readings import Register
from .site import Site


@dataclass(frozen=True)
class Total:
    """A sum over the slots of a period that have passed."""

    sum: Fraction = Fraction(0)
    estimated: Fraction = Fraction(0)
    known: int = 0
    slots: int = 0
    good: int = 0
    expected: Fraction = Fraction(0)
    is_marked: bool = False

    def __add__(self, other: "Total") -> "Total":
        return Total(
            self.sum + other.sum, self.estimated + other.estimated, self.known + other.known,
            self.slots + other.slots, self.good + other.good, self.expected + other.expected,
            self.is_marked or other.is_marked)

    def __neg__(self) -> "Total":
        return Total(-self.sum, -self.estimated, self.known, self.slots, self.good, self.expected,
                     self.is_marked)

    @property
    def amount(self) -> Fraction | None:
        return self.sum if self.known else None


class Ledger:
    """A column for each meter; `remarks` has for each what was corrected."""

    def __init__(self, site: Site, slots: Slots, registers: dict[str, Register], passed: int):
        self.site, self.slots, self.passed = site, slots, passed
        self.registers = registers
        self.remarks: dict[str, list[Remark]] = {}
        self._columns: dict[str, Column] = {}

    def column(self, id: str) -> Column:
        if id not in self._columns:
            self._columns[id] = self._work_out(self.site.tree[id])
        return self._columns[id]

    def _work_out(self, meter: Meter) -> Column:
        if meter.series is not None:
            return self._counter(meter)
        return self._delivered(meter) if meter.is_entered else self._formula(meter)

    def _counter(self, meter: Meter) -> Column:
        entries = self.site.entries
        counting = Counting(self.registers[meter.series].copy(), self.slots)
        column = counting.column(
            entries.exchanges.get(meter.id, []), entries.rescales.get(meter.id, []),
            entries.adjusts.get(meter.id, []), meter.limit)
        self.remarks[meter.id] = counting.remarks
        return column

    def _formula(self, meter: Meter) -> Column:
        """Known where all of its meters are, estimated where one of them is."""
        terms = [(factor, self.column(id)) for factor, id in meter.terms]
        parts = math.lcm(*(column.parts * factor.denominator for factor, column in terms))
        number = sum(
            column.number.astype(object) * (factor.numerator * (parts // (column.parts * factor.denominator)))
            for factor, column in terms)
        known = np.logical_and.reduce([column.known for _, column in terms])
        estimated = np.logical_or.reduce([column.estimated for _, column in terms]) & known
        good = sum(column.good for _, column in terms)
        return Column(number, parts, known, estimated, good, sum(c.rate for _, c in terms))

    def _delivered(self, meter: Meter) -> Column:
        """Deliveries spread evenly over their days, and over each day by time."""
        slots, count = self.slots, self.slots.count
        each, known = [Fraction(0)] * count, np.zeros(count, bool)
        estimated = np.zeros(count, bool)
        for one in self.site.entries.deliveries.get(meter.id, []):
            days = [one.first + timedelta(n) for n in range((one.last - one.first).days + 1)]
            for on in days:
                here = slots.of(Period(on, on))
                whole = int(slots.length[here].sum())
                for slot in range(here.start, here.stop):
                    each[slot] += one.amount / len(days) * int(slots.length[slot]) / whole
                estimated[here] |= one.is_estimate
            for year, month in {(on.year, on.month) for on in days}:
                known[slots.of(month_period(year, month))] = True
        parts = math.lcm(*{one.denominator for one in each})
        number = np.array([int(one * parts) for one in each], object)
        return Column(number, parts, known, estimated, np.zeros(count, np.int64))

    def total(self, id: str, here: slice, where: np.ndarray | None = None) -> Total:
        """A meter over the slots of a period that have passed, or those of them chosen."""
        column, here = self.column(id), self._passed(here)
        known = column.known[here]
        slots = here.stop - here.start
        if where is not None:
            known, slots = known & where[here], int(where[here].sum())
        number = column.number[here]
        in_doubt = column.estimated[here] & known
        estimated = Fraction(int(number[in_doubt].sum()), column.parts)
        return Total(
            Fraction(int(number[known].sum()), column.parts), estimated, int(known.sum()), slots,
            int(column.good[here].sum()), column.rate * int(self.slots.length[here].sum()),
            estimated != 0)

    def _passed(self, here: slice) -> slice:
        stop = max(here.start, min(here.stop, self.passed))
        return slice(here.start, stop)

    def beyond_children(self, id: str, here: slice) -> tuple[Total, Total]:
        """A meter less those directly below it, and the meter itself, where all are known.

        It is estimated as a whole when one of these slots is.
        """
        children = [child.id for child in self.site.tree.children(id)]
        if not children:
            own = self.total(id, here)
            return own, own
        columns = [self.column(one) for one in [id, *children]]
        all_known = np.logical_and.reduce([column.known for column in columns])
        in_doubt = np.logical_or.reduce([column.estimated for column in columns]) & all_known
        whole = self.total(id, here, all_known)
        left = whole + -sum_of([self.total(one, here, all_known) for one in children])
        is_estimated = bool(in_doubt[self._passed(here)].any())
        rest = Total(left.sum, left.sum if is_estimated else Fraction(0), whole.known, whole.slots,
                     is_marked=is_estimated)
        return rest, whole

    def breakdown(self, here: slice, name: Callable[[Meter], str | None]) -> dict[str | None, Total]:
        """What consumption meters of electricity count beyond their children, by a name."""
        parts: dict[str | None, Total] = {}
        for meter in self.site.tree.meters.values():
            if (meter.carrier, meter.role) == ("electricity", "consumption") \
                    and not self.site.tree.is_view(meter):
                key = name(meter)
                parts[key] = parts.get(key, Total()) + self._less_children(meter.id, here)
        return parts

    def _less_children(self, id: str, here: slice) -> Total:
        """A meter's amount less those of its children, so that the parts add up to what came in."""
        children = [self.total(child.id, here) for child in self.site.tree.children(id)]
        whole = self.total(id, here)
        if not children:
            return whole
        left = whole + -sum_of(children)
        is_estimated = any(one.estimated != 0 for one in [whole, *children])
        return replace(
            left, estimated=left.sum if is_estimated else Fraction(0), is_marked=is_estimated)


def sum_of(totals: list[Total]) -> Total:
    return sum(totals, Total())
