"""Savings beside frozen baselines, worked out again: least squares in fractions, Student's t by hand.

Of a frozen baseline only its question is read (which meter, which days, which variables); what the
answer has to be follows from the readings.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

from .cells import Cell, Number, Rows
from .civil import Period
from .weather import Variable, limits


def least_squares(columns: list[list[Fraction]], response: list[Fraction]) -> list[Fraction]:
    """The coefficients of a response on some columns, from the normal equations, exactly."""
    return _solved(
        [[sum((a * b for a, b in zip(x, y)), Fraction(0)) for y in columns]
         + [sum((a * b for a, b in zip(x, response)), Fraction(0))] for x in columns])


def inverse_diagonal(columns: list[list[Fraction]]) -> list[Fraction]:
    """The diagonal of the inverse of X'X."""
    size = len(columns)
    gram = [[sum((a * b for a, b in zip(x, y)), Fraction(0)) for y in columns] for x in columns]
    return [
        _solved([row + [Fraction(int(at == unit))] for at, row in enumerate(gram)])[unit]
        for unit in range(size)]


def _solved(rows: list[list[Fraction]]) -> list[Fraction]:
    """The solution of a linear system whose last column is the right-hand side."""
    rows = [row[:] for row in rows]
    for at in range(len(rows)):
        pivot = next(n for n in range(at, len(rows)) if rows[n][at] != 0)
        rows[at], rows[pivot] = rows[pivot], rows[at]
        rows[at] = [one / rows[at][at] for one in rows[at]]
        for other in range(len(rows)):
            if other != at and rows[other][at] != 0:
                factor = rows[other][at]
                rows[other] = [a - factor * b for a, b in zip(rows[other], rows[at])]
    return [row[-1] for row in rows]


@lru_cache(None)
def student_quantile(confidence_percent: float, freedom: int) -> float:
    """Within ± which t so many per cent of Student's distribution lie."""
    front = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(
        freedom * math.pi)

    def within(t: float) -> float:
        steps = 4000
        width = t / steps
        heights = [(1 + (n * width) ** 2 / freedom) ** (-(freedom + 1) / 2) for n in range(steps + 1)]
        inner = 4 * math.fsum(heights[1:-1:2]) + 2 * math.fsum(heights[2:-1:2])
        return 2 * front * (heights[0] + heights[-1] + inner) * width / 3

    low, high = 0.0, 1.0
    while within(high) < confidence_percent / 100:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle) < confidence_percent / 100 else (low, middle)
    return (low + high) / 2


@dataclass
class Observation:
    period: Period
    energy: Fraction
    is_estimated: bool
    values: list[Fraction]


class Baseline:
    """One frozen baseline and what it says of later periods."""

    def __init__(self, accounts, weather, frozen: dict, variables: list[Variable], method: dict):
        self.accounts, self.weather = accounts, weather
        self.id, self.meter, self.interval = frozen["baseline"], frozen["subject"], frozen["interval"]
        self.period = Period.parse(frozen["period"])
        wanted = [one["variable"] for one in frozen.get("variables") or []]
        by_name = {one.name: one for one in variables}
        self.variables = [by_name[name] for name in wanted]
        self.limits = limits(method, self.interval)

    @property
    def key(self) -> str:
        return self.id.replace("-", "_")

    def intervals(self, period: Period) -> list[Period]:
        if self.interval == "day":
            return [Period(on, on) for on in period.days]
        return [one for one in period.months if period.first <= one.first and one.last <= period.last]

    def usable(self, period: Period) -> tuple[list[Observation], int]:
        """The observations that are good enough, and how many there are in all."""
        offered = self.intervals(period)
        found = [self._observation(one) for one in offered]
        return [one for one in found if one is not None], len(offered)

    def _observation(self, period: Period) -> Observation | None:
        total = self.accounts.total(self.meter, period)
        least, most = self.limits["completeness"], self.limits["estimated_share"]
        if not total.known or total.known * 100 < least * total.slots:
            return None
        if total.sum and total.estimated * 100 > most * total.sum:
            return None
        unknown = self.limits.get("unknown_days", Fraction(0))
        values = [one.value(self.accounts, self.weather, period, unknown) for one in self.variables]
        if None in values:
            return None
        return Observation(period, total.sum, total.is_marked, values)

    # The model

    @cached_property
    def _fit(self) -> tuple[list[Observation], list[Fraction]]:
        rows, _ = self.usable(self.period)
        return rows, least_squares(self._columns(rows), [row.energy for row in rows])

    def _columns(self, rows: list[Observation]) -> list[list[Fraction]]:
        return [[Fraction(1)] * len(rows)] + [
            [row.values[n] for row in rows] for n in range(len(self.variables))]

    def modelled(self, values: list[Fraction]) -> Fraction:
        _, coefficients = self._fit
        exact = coefficients[0] + sum((c * v for c, v in zip(coefficients[1:], values)), Fraction(0))
        # To a watt-hour, a half away from nought.
        return Fraction(math.floor(abs(exact) * 1000 + Fraction(1, 2)) * (1 if exact >= 0 else -1), 1000)

    @cached_property
    def _residuals(self) -> list[Fraction]:
        rows, coefficients = self._fit
        return [
            row.energy - coefficients[0]
            - sum((c * v for c, v in zip(coefficients[1:], row.values)), Fraction(0)) for row in rows]

    @property
    def _parameters(self) -> int:
        return len(self.variables) + 1

    @cached_property
    def quality(self) -> dict[str, float | None]:
        rows, _ = self._fit
        count = len(rows)
        mean = sum((row.energy for row in rows), Fraction(0)) / count
        squares = sum((one * one for one in self._residuals), Fraction(0))
        spread = sum(((row.energy - mean) ** 2 for row in rows), Fraction(0))
        freedom = count - self._parameters
        rho = None
        if self.interval == "day":
            pairs = [
                (a, b) for a, b, x, y in zip(self._residuals, self._residuals[1:], rows, rows[1:])
                if (y.period.first - x.period.last).days == 1]
            rho = float(sum((a * b for a, b in pairs), Fraction(0)) / squares)
        return {"periods": count, "r_squared": float(1 - squares / spread),
                "cv_rmse_percent": math.sqrt(squares / freedom) / float(mean) * 100,
                "nmbe_percent": 0.0, "autocorrelation": rho,
                "variance": float(squares / freedom)}

    def fit_row(self) -> dict[str, Cell]:
        quality = self.quality
        offered = len(self.intervals(self.period))
        row = {"periods": Number(Fraction(quality["periods"]), 0),
               "left_out": Number(Fraction(offered - quality["periods"]), 0)}
        for name, places in (("r_squared", 4), ("cv_rmse_percent", 2), ("nmbe_percent", 2),
                             ("autocorrelation", 4)):
            value = quality[name]
            row[name] = None if value is None else Number(Fraction(value), places)
        return row

    def coefficient_rows(self) -> Rows:
        rows, coefficients = self._fit
        diagonal = inverse_diagonal(self._columns(rows))
        result: Rows = {}
        for at, (value, one) in enumerate(zip(coefficients, diagonal)):
            error = math.sqrt(self.quality["variance"] * float(one))
            row: dict[str, Cell] = {
                "coefficient": Number(value, 4), "standard_error": Number(Fraction(error), 4),
                "variance_inflation": None, "least": None, "greatest": None}
            if at:
                seen = [each.values[at - 1] for each in rows]
                mean = sum(seen, Fraction(0)) / len(seen)
                about = sum(((each - mean) ** 2 for each in seen), Fraction(0))
                row |= {"variance_inflation": Number(one * about), "least": Number(min(seen)),
                        "greatest": Number(max(seen))}
            result[("intercept" if not at else self.variables[at - 1].name,)] = row
        return result

    # Savings

    def savings(self, period: Period) -> list[tuple[Observation, Fraction]] | None:
        """What was measured and what is modelled, period by period; None where the method refuses."""
        offered = self.intervals(period)
        if not offered or offered[0].first <= self.period.last:
            return None
        rows, count = self.usable(period)
        if not rows or len(rows) * 100 < self.limits["reporting_share"] * count:
            return None
        return [(row, self.modelled(row.values)) for row in rows]

    def uncertainty(self, energy: Fraction, periods: int) -> float:
        count = self.quality["periods"]
        rho = max(0.0, self.quality["autocorrelation"] or 0.0)
        effective = count * (1 - rho) / (1 + rho)
        t = student_quantile(float(self.limits["confidence"]), math.floor(effective - self._parameters))
        root = math.sqrt(count / effective * (1 + 2 / effective) / periods)
        return t * float(self.limits["uncertainty_factor"]) * self.quality["cv_rmse_percent"] / 100 \
            * float(energy) * root


SUMMARY = ("periods", "measured", "adjusted_baseline", "saved", "saved_percent", "uncertainty",
           "uncertainty_percent", "confidence_percent", "saved_money", "contractor_money")


class Savings:
    """The tables of the savings of one period."""

    def __init__(self, accounts, weather):
        site = accounts.site
        self.accounts = accounts
        self.baselines = [
            Baseline(accounts, weather, one, site.variables, site.method) for one in site.frozen]

    def summary(self, period: Period) -> dict[str, Rows]:
        rows = {(one.id,): self._summary_row(one, period) for one in self.baselines}
        return {"baselines": rows} if rows else {}

    def _summary_row(self, baseline: Baseline, period: Period) -> dict[str, Cell]:
        found = baseline.savings(period)
        if found is None:
            return {name: None for name in SUMMARY}
        measured = sum((row.energy for row, _ in found), Fraction(0))
        adjusted = sum((modelled for _, modelled in found), Fraction(0))
        saved, width = adjusted - measured, baseline.uncertainty(adjusted, len(found))
        bill = self.accounts.cost_of_carrier("electricity", period)
        price = bill.energy / bill.quantity if bill and bill.quantity else None
        return {
            "periods": Number(Fraction(len(found)), 0),
            "measured": Number(measured, 2, any(row.is_estimated for row, _ in found)),
            "adjusted_baseline": Number(adjusted), "saved": Number(saved),
            "saved_percent": Number(saved / adjusted * 100), "uncertainty": Number(Fraction(width)),
            "uncertainty_percent": Number(Fraction(width / abs(float(saved)) * 100)) if saved else None,
            "confidence_percent": Number(baseline.limits["confidence"]),
            "saved_money": None if price is None else Number(saved * price), "contractor_money": None}

    def statement(self, period: Period) -> dict[str, Rows]:
        tables = self.summary(period)
        if not self.baselines:
            return tables
        tables["fits"] = {(one.id,): one.fit_row() for one in self.baselines}
        for one in self.baselines:
            tables[f"baseline_{one.key}"] = one.coefficient_rows()
            found = one.savings(period)
            if found is not None:
                tables[f"savings_{one.key}"] = self._rows(one, found)
        return tables

    def _rows(self, baseline: Baseline, found: list[tuple[Observation, Fraction]]) -> Rows:
        rows: Rows = {}
        for row, modelled in found:
            rows[(row.period.label,)] = {
                "measured": Number(row.energy, 2, row.is_estimated), "modelled": Number(modelled),
                "adjustment": Number(Fraction(0)), "saved": Number(modelled - row.energy),
                "uncertainty": Number(Fraction(baseline.uncertainty(modelled, 1)))}
        measured = sum((row.energy for row, _ in found), Fraction(0))
        modelled = sum((one for _, one in found), Fraction(0))
        rows[("Total",)] = {
            "measured": Number(measured, 2, any(row.is_estimated for row, _ in found)),
            "modelled": Number(modelled), "adjustment": Number(Fraction(0)),
            "saved": Number(modelled - measured),
            "uncertainty": Number(Fraction(baseline.uncertainty(modelled, len(found))))}
        return rows


@lru_cache(None)
def savings_of(accounts) -> Savings:
    """The savings of a site; its models are fitted once."""
    return Savings(accounts, accounts.weather)


def normalised(accounts, weather, period: Period) -> dict[str, Cell]:
    """Electricity by degree day, by area and degree day, and by person-day."""
    site = accounts.site
    sides = {side: accounts.side("electricity", side, period) for side in ("gross", "net")}
    unknown = limits(site.method, "month").get("unknown_days", Fraction(0)) if site.method else Fraction(0)
    facts: dict[str, Cell] = {}

    def per(name: str, divisor: Fraction | None, places: int, is_scaled: bool = False):
        for side, total in sides.items():
            facts[f"{name}_{side}"] = (
                Number(total.sum / divisor, places, total.is_marked or is_scaled)
                if divisor and total.known else None)

    area, people = accounts.area(period), accounts.people(period)
    for one in site.variables:
        if not one.is_degree_days:
            continue
        value, known, days = one.degree_days(weather, period, unknown)
        is_scaled = value is not None and known < days
        facts[f"degree_days_{one.name}"] = None if value is None else Number(value, 2, is_scaled)
        facts[f"degree_days_{one.name}_complete_percent"] = Number(Fraction(known * 100, days))
        per(f"per_{one.name}", value, 4, is_scaled)
        per(f"per_area_{one.name}", value * area if value and area else None, 6, is_scaled)
    person_days = None if people is None else people * len(period.days)
    facts["person_days"] = None if person_days is None else Number(person_days)
    per("per_person_day", person_days, 4)
    return facts
