"""From a register's steps, and what people wrote of it, to counts in slots."""

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import numpy as np

from .civil import MICRO, QUARTER, Slots
from .entries import Change, Exchange
from .numbers import BadInput, half_even, toward_zero
from .readings import Register


@dataclass
class Column:
    """What a meter counted in each slot: `number` / `parts`, where known; whether estimated.

    `good` readings came in each slot; `rate` are those expected in a second.
    """

    number: np.ndarray
    parts: int
    known: np.ndarray
    estimated: np.ndarray
    good: np.ndarray
    rate: Fraction = Fraction(0)


@dataclass
class Remark:
    """A line of the statement's corrections: when, what in English, and the amount."""

    start: int
    end: int
    what: str
    amount: Fraction | None
    places: int = 2


@dataclass
class Extra:
    """An amount that an exchange adds: at an instant, or evenly from `start` to `end`."""

    start: int
    end: int
    amount: int
    unit: int

    def upto(self, moment: int) -> int:
        if moment >= self.end:
            # At an instant means before the first border after it, never at a border on it.
            return self.amount if moment > self.start else 0
        if moment <= self.start:
            return 0
        done, whole = moment - self.start, self.end - self.start
        return toward_zero(self.amount * done, whole * self.unit) * self.unit


@dataclass
class Counting:
    """The counts of one register over slots, built up rule by rule."""

    register: Register
    slots: Slots
    extras: list[Extra] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    exchanged: set[int] = field(default_factory=set)

    def column(self, exchanges: list[Exchange], rescales: list[Change], adjusts: list[Change],
               limit: Fraction | None) -> Column:
        self._flags_of_quarters()
        if any(a.end > b.start for a, b in pairwise(sorted(rescales, key=lambda each: each.start))):
            raise BadInput("rescalings of one meter that overlap have no rule")
        for one in exchanges:
            self._exchange(one)
        self._count()
        self._gather()
        if limit is not None:
            self._withhold(limit)
        self.number, self.parts = self.quarter, 10**self.register.scale
        for one in sorted(rescales, key=lambda each: each.start):
            self._rescale(one)
        for one in adjusts:
            self._mark_adjusted(one)
        number, parts = self._with(adjusts)
        borders = np.r_[self.slots.start, self.slots.end[-1:]] * MICRO
        good = np.diff(np.searchsorted(self.register.time, borders))
        return Column(
            np.add.reduceat(number, self.slots.first_quarter), parts, self.known,
            self.estimated & self.known, good, 1 / self.register.period * MICRO)

    # Rules 1 to 3

    def _flags_of_quarters(self):
        """Where quarters have a step, and where they are estimated."""
        edges, register = self.slots.quarters * MICRO, self.register
        count = len(edges) - 1
        first = np.searchsorted(edges, register.time[:-1], "right") - 1
        last = np.searchsorted(edges, register.time[1:], "left") - 1
        is_long = (np.diff(register.time) > int(2 * register.period)) & (last > first)
        self.has_step = _covered(count, first, last, ~register.is_reset)
        self.doubtful = _covered(count, first, last, register.is_reset | is_long)
        newest = register.time[-1] if len(register.time) else edges[0]
        self.doubtful |= edges[1:] > newest

    def _count(self):
        """What each quarter has: the part up to its end less the part up to its beginning."""
        edges = self.slots.quarters * MICRO
        upto = self.register.upto(edges)
        for extra in self.extras:
            upto = upto + np.array([extra.upto(int(edge)) for edge in edges], np.int64)
        self.quarter = np.diff(upto)

    def _gather(self):
        """Slots of quarters: known where one of them is, estimated where one of them is."""
        self.known = np.logical_or.reduceat(self.has_step, self.slots.first_quarter)
        self.estimated = np.logical_or.reduceat(self.doubtful, self.slots.first_quarter)

    # Rule 5

    def _exchange(self, one: Exchange):
        """Puts what both registers counted in the place of what the readings made of it."""
        register, slots, unit = self.register, self.slots, 10**self.register.scale
        after = int(np.searchsorted(register.time, one.at, "left"))
        before = after - 1
        if before < 0 or after >= len(register.time):
            return self._say(one.at, "exchange does not fit the readings, not applied", None)
        if before in self.exchanged:
            raise BadInput("two exchanges of one meter between two readings have no rule")
        self.exchanged.add(before)
        old = int(one.old_end * unit) - int(register.value[before])
        new = int(register.value[after]) - int(one.new_start * unit)
        if old < 0 or new < 0:
            return self._say(one.at, "exchange does not fit the readings, not applied", None)
        made, start, end = int(register.counted[before]), int(register.time[before]), int(register.time[after])
        self._say(one.at, "register exchanged", Fraction(old + new - made, unit))
        silent = np.flatnonzero((slots.start * MICRO > start) & (slots.end * MICRO <= end))
        if len(silent):
            first, last = int(slots.start[silent[0]]) * MICRO, int(slots.end[silent[-1]]) * MICRO
            self.extras.append(Extra(first, last, old + new - made, 1))
            self._mark(first, last, is_doubtful=True)
            return
        register.drop_step(before)
        self.extras.append(Extra(one.at, one.at, old + new, 1))
        if (slot := slots.at(one.at)) >= 0:
            # Only what this step brought into doubt: another gap in the slot stays an estimate.
            first, last = int(slots.start[slot]) * MICRO, int(slots.end[slot]) * MICRO
            self._mark(max(first, start), min(last, end), is_doubtful=False)

    def _mark(self, start: int, end: int, is_doubtful: bool):
        edges = self.slots.quarters * MICRO
        inside = (edges[:-1] < end) & (edges[1:] > start)
        self.has_step |= inside
        self.doubtful[inside] = is_doubtful

    def _say(self, at: int, what: str, amount: Fraction | None, places: int = 2, end: int | None = None):
        self.remarks.append(Remark(at, at if end is None else end, what, amount, places))

    # Rule 6

    def _withhold(self, limit: Fraction):
        """A slot above what the connection carries, and one step of the register, is not known."""
        unit = 10**self.register.scale
        step = 10 ** (self.register.scale - self.register.register_places)
        amounts = np.add.reduceat(self.quarter, self.slots.first_quarter)
        lengths, which = np.unique(self.slots.length, return_inverse=True)
        bounds = np.array([int(limit * unit * int(length) / 3600) + step for length in lengths])[which]
        for slot in np.flatnonzero(self.known & (amounts > bounds)):
            start, end = int(self.slots.start[slot]) * MICRO, int(self.slots.end[slot]) * MICRO
            self._say(start, "more than the connection carries, left out",
                      Fraction(int(amounts[slot]), unit), end=end)
            first = self.slots.first_quarter[slot]
            self.quarter[first:first + int(self.slots.length[slot]) // QUARTER] = 0
            self.known[slot] = self.estimated[slot] = False

    # Rule 7

    def _rescale(self, one: Change):
        """Multiplies what was counted between two instants, by its rounded running sum."""
        self._say(one.start, "multiplied by", one.value, places=6, end=one.end)
        edges, places = self.slots.quarters * MICRO, min(9, self.register.register_places + 3)
        if 10**places > self.parts:
            self.number = self.number.astype(object) * (10**places // self.parts)
            self.parts = 10**places
        running, told, unit = 0, 0, self.parts // 10**places
        for quarter in np.flatnonzero((edges[:-1] < one.end) & (edges[1:] > one.start)):
            inside = self._between(quarter, one.start, one.end)
            running += inside
            rounded = half_even(Fraction(running, 10**self.register.scale) * one.value, places) * unit
            old = inside * (self.parts // 10**self.register.scale)
            self.number[quarter] += rounded - told - old
            told = rounded

    def _between(self, quarter: int, start: int, end: int) -> int:
        """What a quarter counted between two instants."""
        edges = self.slots.quarters
        first, last = int(edges[quarter]) * MICRO, int(edges[quarter + 1]) * MICRO
        if start <= first and last <= end or self.quarter[quarter] == 0:
            return int(self.quarter[quarter])
        first, last = max(start, first), min(end, last)
        upto = self.register.upto(np.array([first, last]))
        return int(upto[1] - upto[0]) + sum(one.upto(last) - one.upto(first) for one in self.extras)

    def _mark_adjusted(self, one: Change):
        """Slots that an adjustment touches are known, and estimates unless it is measured."""
        self._say(one.start, "adjusted by", one.value, end=one.end)
        touched = (self.slots.start * MICRO < one.end) & (self.slots.end * MICRO > one.start)
        self.known |= touched
        if one.is_estimate:
            self.estimated |= touched

    def _with(self, adjusts: list[Change]) -> tuple[np.ndarray, int]:
        """The quarters and what adjustments add to them, exactly."""
        number, parts = self.number.astype(object), self.parts
        edges = self.slots.quarters * MICRO
        for one in adjusts:
            each = one.value / (one.end - one.start)
            number, parts = number * each.denominator, parts * each.denominator
            for quarter in np.flatnonzero((edges[:-1] < one.end) & (edges[1:] > one.start)):
                overlap = min(one.end, int(edges[quarter + 1])) - max(one.start, int(edges[quarter]))
                number[quarter] += each.numerator * overlap * (parts // each.denominator)
        return number, parts


def _covered(count: int, first: np.ndarray, last: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Which of so many quarters lie from `first` to `last` of one of the steps chosen."""
    chosen = chosen & (last >= 0) & (first < count) & (last >= first)
    change = np.zeros(count + 1, np.int64)
    np.add.at(change, np.maximum(first[chosen], 0), 1)
    np.add.at(change, np.minimum(last[chosen], count - 1) + 1, -1)
    return np.cumsum(change[:-1]) > 0
