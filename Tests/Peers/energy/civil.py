"""Civil days, periods of accounts, and the slots (hours or quarters) that they are made of."""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pandas as pd

from .numbers import BadInput

QUARTER = 900
MICRO = 1_000_000


def day(text: str) -> date:
    try:
        return date.fromisoformat(str(text).strip())
    except ValueError:
        raise BadInput(f"'{text}' is no day") from None


def instant(text: str) -> int:
    """RFC 3339 as microseconds since 1970."""
    try:
        stamp = datetime.fromisoformat(str(text).strip())
    except ValueError:
        raise BadInput(f"'{text}' is no instant") from None
    if stamp.tzinfo is None:
        raise BadInput(f"the instant '{text}' has no offset")
    return (stamp - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)


def last_of_month(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def month_period(year: int, month: int) -> "Period":
    return Period(date(year, month, 1), last_of_month(year, month))


@dataclass(frozen=True)
class Period:
    """Whole days: `2026`, `2026-03`, `2026-03-01` or `2026-03-01..2026-03-15`."""

    first: date
    last: date

    @staticmethod
    def parse(text: str) -> "Period":
        first, dots, last = text.partition("..")
        if dots:
            return Period(day(first), day(last))
        numbers = first.split("-")
        if len(numbers) == 1:
            return Period(date(int(first), 1, 1), date(int(first), 12, 31))
        if len(numbers) == 2:
            return month_period(int(numbers[0]), int(numbers[1]))
        return Period(day(first), day(first))

    @property
    def kind(self) -> str:
        first, last = self.first, self.last
        if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31) and first.year == last.year:
            return "year"
        return "month" if (first, last) == self._whole_month() else "span"

    def _whole_month(self) -> tuple[date, date]:
        return date(self.first.year, self.first.month, 1), last_of_month(self.first.year, self.first.month)

    @property
    def label(self) -> str:
        if self.kind == "year":
            return str(self.first.year)
        if self.kind == "month":
            return self.first.isoformat()[:7]
        return self.first.isoformat() if self.first == self.last else f"{self.first}..{self.last}"

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(n) for n in range((self.last - self.first).days + 1)]

    @property
    def months(self) -> list["Period"]:
        """The months that the period touches, whole."""
        found = {(d.year, d.month) for d in self.days}
        return [month_period(*one) for one in sorted(found)]

    @property
    def before(self) -> "Period":
        """The period of the same kind, or of as many days, that ends where this one begins."""
        if self.kind == "year":
            return Period.parse(str(self.first.year - 1))
        last = self.first - timedelta(1)
        if self.kind == "month":
            return month_period(last.year, last.month)
        return Period(last - (self.last - self.first), last)

    @property
    def year_before(self) -> "Period":
        """The same days of the year before; the 29th of February becomes the 28th."""
        if self.kind == "month":
            return month_period(self.first.year - 1, self.first.month)

        def back(one: date) -> date:
            return one.replace(year=one.year - 1, day=28 if (one.month, one.day) == (2, 29) else one.day)

        return Period(back(self.first), back(self.last))


class Slots:
    """Hours of a zone's civil time, or quarters of an hour, from one day's beginning to another's.

    `quarters` are the beginnings of all quarters (seconds since 1970) and one end; `first_quarter`
    tells with which quarter each slot begins; `ordinal` and `minute` are its civil day and time.
    """

    def __init__(self, zone, first: date, last: date, in_quarters: bool):
        def midnight(one: date) -> int:
            return int(datetime(one.year, one.month, one.day, tzinfo=zone).timestamp())

        begin, end = midnight(first), midnight(last + timedelta(1))
        if begin % QUARTER or end % QUARTER:
            raise BadInput(f"the days of {zone} do not begin at quarters of an hour")
        self.zone = zone
        self.quarters = np.arange(begin, end + 1, QUARTER, dtype=np.int64)
        utc = pd.to_datetime(self.quarters[:-1], unit="s", utc=True).tz_convert(zone)
        civil = utc.tz_localize(None).as_unit("s").asi8
        offset = civil - self.quarters[:-1]
        if (civil % QUARTER).any():
            raise BadInput(f"the offsets of {zone} are not whole quarters of an hour")
        if in_quarters:
            is_first = np.ones(len(civil), bool)
        else:
            hour = civil // 3600
            is_first = np.r_[True, (hour[1:] != hour[:-1]) | (offset[1:] != offset[:-1])]
        self.first_quarter = np.flatnonzero(is_first)
        self.start = self.quarters[self.first_quarter]
        self.end = np.r_[self.start[1:], end]
        self.length = self.end - self.start
        civil = civil[self.first_quarter]
        self.ordinal = civil // 86400 + date(1970, 1, 1).toordinal()
        self.minute = civil % 86400 // 60
        self.count = len(self.start)

    def of(self, period: Period) -> slice:
        """The slots of a period, as far as they are here."""
        return slice(
            int(np.searchsorted(self.ordinal, period.first.toordinal(), "left")),
            int(np.searchsorted(self.ordinal, period.last.toordinal(), "right")))

    def passed(self, now: int) -> int:
        """How many slots, from the first, have ended by an instant (microseconds)."""
        return int(np.searchsorted(self.end, now // MICRO, "right"))

    def at(self, moment: int) -> int:
        """The slot that an instant (microseconds) belongs to; -1 outside."""
        found = int(np.searchsorted(self.start, moment // MICRO, "right")) - 1
        return found if 0 <= found and moment < int(self.end[found]) * MICRO else -1
