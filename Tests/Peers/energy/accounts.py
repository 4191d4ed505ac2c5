"""The figures of a period: sides of the balance, money, coal and CO2, area, people, output."""

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np

from .civil import QUARTER, Period
from .ledger import Ledger, Total, sum_of
from .meters import CARRIERS, Meter
from .tariffs import Tariff

SIGNS = {
    "imported": {"consumption": 1}, "generated": {"generation": 1}, "exported": {"export": 1},
    "gross": {"consumption": 1, "generation": 1, "export": -1},
    "net": {"consumption": 1, "export": -1}, "own_use": {"generation": 1, "export": -1},
}


@dataclass
class Bill:
    """Quantities (in the price's unit) by table and band, and those without a price by reason."""

    lines: dict[tuple[int, str], tuple[Fraction, Fraction]] = field(default_factory=dict)
    prices: dict[tuple[int, str], Fraction] = field(default_factory=dict)
    unpriced: dict[str, tuple[Fraction, Fraction]] = field(default_factory=dict)
    known: int = 0

    @property
    def energy(self) -> Fraction:
        return sum((quantity * self.prices[line] for line, (quantity, _) in self.lines.items()), Fraction(0))

    @property
    def quantity(self) -> Fraction:
        return sum((quantity for quantity, _ in self.lines.values()), Fraction(0))

    @property
    def estimated(self) -> Fraction:
        return sum((estimated for _, estimated in self.lines.values()), Fraction(0))


class Accounts:
    def __init__(self, ledger: Ledger, quarters: Ledger, weather: dict[date, Fraction] | None = None):
        self.weather = weather or {}
        self.ledger, self.quarters = ledger, quarters
        self.site, self.tree = ledger.site, ledger.site.tree
        self.total = lru_cache(None)(self._total)
        self.bill = lru_cache(None)(self._bill)

    def _total(self, id: str, period: Period) -> Total:
        return self.ledger.total(id, self.ledger.slots.of(period))

    def has(self, carrier: str, role: str) -> bool:
        return bool(self.tree.tops(carrier, role))

    def side(self, carrier: str, side: str, period: Period) -> Total:
        """imported, generated, exported, gross, net or own_use of a carrier."""
        result = Total()
        for role, sign in SIGNS[side].items():
            for meter in self.tree.tops(carrier, role):
                one = self.total(meter.id, period)
                result += one if sign > 0 else -one
        return result

    # Money

    @cached_property
    def _priced(self) -> dict[str, tuple[np.ndarray, list]]:
        """For each tariff the code of each slot's band or reason, and what the codes mean."""
        slots, result = self.ledger.slots, {}
        days = [date.fromordinal(one) for one in range(int(slots.ordinal[0]), int(slots.ordinal[-1]) + 1)]
        for carrier, tariff in self.site.tariffs.items():
            codes: dict = {}
            found = [
                codes.setdefault(tariff.at(days[on - int(slots.ordinal[0])], minute), len(codes))
                for on, minute in zip(slots.ordinal.tolist(), slots.minute.tolist())]
            result[carrier] = (np.array(found), list(codes))
        return result

    def bill_of(self, meters: list[Meter], period: Period) -> Bill | None:
        """The energy of meters of one carrier by the price of each slot; None without a tariff."""
        if not meters or meters[0].carrier not in self.site.tariffs:
            return None
        return self.bill(tuple(meter.id for meter in meters), meters[0].carrier, period)

    def _bill(self, ids: tuple[str, ...], carrier: str, period: Period) -> Bill:
        tariff, bill = self.site.tariffs[carrier], Bill()
        codes, meanings = self._priced[carrier]
        here = self.ledger.slots.of(period)
        bill.known = sum(self.total(id, period).known for id in ids)
        for code in np.unique(codes[here]).tolist():
            total = sum_of([self.ledger.total(id, here, codes == code) for id in ids])
            if total.known:
                self._add(bill, tariff, meanings[code], total, CARRIERS[carrier][0])
        return bill

    def _add(self, bill: Bill, tariff: Tariff, meaning, total: Total, unit: str):
        if isinstance(meaning, str):
            bill.unpriced[meaning] = (total.sum, total.estimated)
        else:
            per = tariff.per_unit(meaning[0], unit)
            bill.lines[meaning] = (total.sum * per, total.estimated * per)
            bill.prices[meaning] = tariff.price(*meaning)

    def cost_of_carrier(self, carrier: str, period: Period) -> Bill | None:
        return self.bill_of(self.tree.tops(carrier, "consumption"), period)

    # Coal and CO2

    def converted(self, factor: str, carrier: str, period: Period) -> tuple[Fraction, bool, bool]:
        """The sum, whether any of it was converted, and whether any was left out."""
        known, has_factor, is_missing = Fraction(0), False, False
        for first, last, value in self.site.factors.spans(factor, carrier, period.days):
            total = self.side(carrier, "imported", Period(first, last))
            if not total.known:
                continue
            if value is None:
                is_missing = True
            else:
                known, has_factor = known + total.sum * value, True
        return known, has_factor, is_missing

    # What the site is

    def area(self, period: Period) -> Fraction | None:
        return _mean(self.site.area, self.site.entries.areas, period)

    def people(self, period: Period) -> Fraction | None:
        return _mean(self.site.people, self.site.entries.people, period)

    def output(self, period: Period) -> Fraction | None:
        return _of_months(self.site.entries.output, period)

    def products(self, period: Period) -> dict[str, Fraction]:
        found = {name: _of_months(months, period) for name, months in self.site.entries.produced.items()}
        return {name: amount for name, amount in found.items() if amount is not None}

    # Power

    def greatest_power(self, carrier: str, minutes: int, month: Period) -> Fraction | None:
        """The greatest mean power in kW among spans whose quarters are known and not estimated."""
        columns = [self.quarters.column(meter.id) for meter in self.tree.tops(carrier, "consumption")]
        here, size = self.quarters.slots.of(month), minutes * 60 // QUARTER
        stop = min(here.stop, self.quarters.passed)
        begin = self.quarters.slots.start
        fit = np.logical_and.reduce([column.known & ~column.estimated for column in columns])
        best = None
        for first in range(here.start, stop - size + 1):
            span = slice(first, first + size)
            if int(begin[first]) % (minutes * 60) == 0 and fit[span].all():
                one = sum(Fraction(int(column.number[span].sum()), column.parts) for column in columns)
                best = one if best is None else max(best, one)
        return None if best is None else best * 60 / minutes


def _mean(base: Fraction | None, changes: list[tuple[date, Fraction]], period: Period) -> Fraction | None:
    """The mean over the days of a period of what holds from a day until the next entry."""
    values = []
    for on in period.days:
        held = [value for first, value in changes if first <= on]
        values.append(held[-1] if held else base)
    return None if None in values else Fraction(sum(values)) / len(values)


def _of_months(months: dict[Period, Fraction], period: Period) -> Fraction | None:
    """The sum of whole months, all of which have to be there."""
    if period.kind == "span" or any(month not in months for month in period.months):
        return None
    return sum((months[month] for month in period.months), Fraction(0))
