"""Decimal texts, exact fractions, and how numbers are printed."""

from fractions import Fraction


class BadInput(Exception):
    """A file cannot be used; the text says which and why."""


def decimal_places(text: str) -> int:
    """The fewest decimal places that a text needs: 84213.40 has 1, 100 has 0."""
    return len(text.partition(".")[2].rstrip("0"))


def exact(text: str) -> Fraction:
    """A decimal text as it is written."""
    try:
        return Fraction(str(text).strip())
    except (ValueError, ZeroDivisionError):
        raise BadInput(f"'{text}' is no number") from None


def measure(text: str) -> tuple[Fraction, str]:
    """A number and its unit: `12000 m2`, `0.55 kgCO2/kWh`; a number alone has the unit ''."""
    number, _, unit = str(text).strip().partition(" ")
    return exact(number), unit.strip()


def half_even(value: Fraction, places: int) -> int:
    """The whole number of 10^-places nearest to a value, a half to the even one."""
    scaled = Fraction(value) * 10**places
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    twice = 2 * rest
    if twice > scaled.denominator or (twice == scaled.denominator and whole % 2 == 1):
        whole += 1
    return whole


def toward_zero(numerator: int, denominator: int) -> int:
    """A quotient without its fraction; the denominator is positive."""
    return numerator // denominator if numerator >= 0 else -(-numerator // denominator)


def printed(value: Fraction, places: int) -> str:
    """A value with so many places, rounded half to even; nought has no sign."""
    whole = half_even(value, places)
    digits = str(abs(whole)).rjust(places + 1, "0")
    body = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return "-" + body if whole < 0 else body
