"""What can stand in a place of a statement."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Number:
    """A number to be printed with so many places; None: with as many as the statement gives it."""

    value: Fraction
    places: int | None = 2
    is_estimated: bool = False


# A cell is a Number, or None where nobody knows. Rows go by the words that name them.
Cell = Number | None
Rows = dict[tuple, dict[str, Cell]]
