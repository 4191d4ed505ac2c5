"""What devices gave: readings.csv and series.csv."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd

from .civil import MICRO
from .numbers import BadInput, exact, toward_zero


@dataclass
class Register:
    """A counter's readings in the order of time, as whole numbers of 10^-scale.

    `places` are those of each reading, `counted` what each step to the next reading counted, and
    `is_reset` where the counter fell and nothing is known of what it counted.
    """

    period: Fraction
    modulus: Fraction | None
    time: np.ndarray
    value: np.ndarray
    places: np.ndarray
    scale: int
    counted: np.ndarray = None
    is_reset: np.ndarray = None
    grid: np.ndarray = None

    def __post_init__(self):
        self.register_places = int(self.places.max(initial=0))
        step = np.diff(self.value)
        self.grid = np.maximum(self.places[1:], self.places[:-1])
        self.is_reset = step < 0
        if self.modulus is not None:
            modulus = int(self.modulus * 10**self.scale)
            old, rolled = self.value[:-1], step + modulus
            is_roll_over = self.is_reset & (old * 20 >= modulus * 19) & (rolled >= 0) & (rolled * 20 <= modulus)
            step = np.where(is_roll_over, rolled, step)
            self.is_reset = self.is_reset & ~is_roll_over
        self.counted = np.where(self.is_reset, 0, step)

    def copy(self) -> "Register":
        """Another one whose steps can be changed."""
        return replace(self)

    def drop_step(self, index: int):
        """Counts nothing between two readings; what was counted there is told by people."""
        self.counted[index] = 0
        self.is_reset[index] = False

    def upto(self, moments: np.ndarray) -> np.ndarray:
        """What was counted from the first reading to each instant (microseconds)."""
        total = np.r_[0, np.cumsum(self.counted)]
        if not len(self.time):
            return np.zeros(len(moments), np.int64)
        found = np.searchsorted(self.time, moments, "right") - 1
        result = total[np.maximum(found, 0)]
        inside = np.flatnonzero((found >= 0) & (found < len(self.time) - 1))
        inside = inside[self.time[found[inside]] != moments[inside]]
        for one in inside[self.counted[found[inside]] != 0]:
            result[one] += self._part(found[one], int(moments[one]))
        return result

    def _part(self, step: int, moment: int) -> int:
        """The part of a step up to an instant, rounded toward zero to the step's grid."""
        start, end = int(self.time[step]), int(self.time[step + 1])
        unit = 10 ** (self.scale - int(self.grid[step]))
        return toward_zero(int(self.counted[step]) * (moment - start), (end - start) * unit) * unit


def _scaled(texts: pd.Series, scale: int) -> np.ndarray:
    """Decimal texts as whole numbers of 10^-scale, exactly."""
    parts = texts.str.partition(".")
    digits = parts[0] + parts[2].str.rstrip("0").str.ljust(scale, "0")
    try:
        return digits.astype("int64").to_numpy().copy()
    except (ValueError, OverflowError):
        raise BadInput("a value is no decimal number, or too large for 64 bits") from None


def registers(path: Path, now: int, wanted: dict[str, list[Fraction]]) -> dict[str, Register]:
    """The counters that are wanted; beside each the values of people, whose places count too."""
    try:
        table = pd.read_csv(path, dtype=str)
        about = pd.read_csv(path.with_name("series.csv"), dtype=str, keep_default_na=False)
    except (OSError, ValueError) as problem:
        raise BadInput(f"{path}: {problem}") from None
    table = table[table["value"].notna() & table["series"].isin(list(wanted))]
    table = table.assign(
        time=pd.to_datetime(table["time"], utc=True, format="ISO8601").dt.as_unit("us").astype("int64"))
    table = table[table["time"] <= now]
    known = about.set_index("series").to_dict("index")
    groups = {name: rows for name, rows in table.groupby("series", sort=False)}
    result = {}
    for name, values in wanted.items():
        if name not in known:
            raise BadInput(f"series.csv does not tell of '{name}'")
        result[name] = _register(groups.get(name, table.iloc[:0]), known[name], values)
    return result


def _register(rows: pd.DataFrame, about: dict, values: list[Fraction]) -> Register:
    period = exact(about["period_seconds"])
    modulus = exact(about["modulus"]) if about["modulus"] else None
    texts = rows["value"].str.strip()
    places = texts.str.partition(".")[2].str.rstrip("0").str.len().to_numpy(dtype=np.int64)
    others = [one for one in [modulus, *values] if one is not None]
    scale = max([int(places.max(initial=0))] + [_places_of(one) for one in others])
    numbers = _scaled(texts, scale) if len(texts) else np.zeros(0, np.int64)
    time = rows["time"].to_numpy(dtype=np.int64)
    order = np.lexsort((numbers, time))
    time, numbers, places = time[order], numbers[order], places[order]
    first = np.r_[True, np.diff(time) != 0][:len(time)]
    return Register(period * MICRO, modulus, time[first], numbers[first], places[first], scale)


def _places_of(value: Fraction) -> int:
    for places in range(19):
        if (value * 10**places).denominator == 1:
            return places
    raise BadInput(f"{value} is no decimal number")
