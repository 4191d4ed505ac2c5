"""Dated tables of prices by bands, seasons and kinds of days: tariff/1."""

from datetime import date, timedelta
from fractions import Fraction

from .civil import Period, day
from .numbers import BadInput, measure

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WORKING, WEEKEND, HOLIDAY = "working-day", "weekend", "holiday"
# The reasons why something has no price, in the statement's own words.
NO_TABLE = "No table of the tariff covers the day"
NO_HOLIDAYS = "The tariff does not state the holidays of that year"
# How many of the accounts' unit one unit of the price holds.
PRICED = {
    "kWh": ("kWh", 1), "MWh": ("kWh", 1000), "MJ": ("kWh", Fraction(10, 36)),
    "GJ": ("kWh", Fraction(10_000, 36)), "m3": ("m3", 1), "L": ("L", 1),
}


def listed(node) -> list:
    return node if isinstance(node, list) else [] if node is None else [node]


class Days:
    """Which days are working days, of the weekend, holidays."""

    def __init__(self, node: dict | None):
        node = node or {}
        self.weekend = set(listed(node.get("weekend")))
        self.holidays = [Period.parse(one) for one in listed(node.get("holidays"))]
        self.working = [Period.parse(one) for one in listed(node.get("working_days"))]
        self.known = [Period.parse(one) for one in listed(node.get("known"))]
        if (self.holidays or self.working) and not self.known:
            raise BadInput("a tariff has holidays and does not say for which days they are known")

    def kinds(self, on: date) -> list[str]:
        """The kind of a day; several where nobody has said which."""
        if self.known and not _within(self.known, on):
            return [WORKING] + [WEEKEND] * bool(self.weekend) + [HOLIDAY]
        if _within(self.holidays, on):
            return [HOLIDAY]
        if _within(self.working, on) or WEEK[on.weekday()] not in self.weekend:
            return [WORKING]
        return [WEEKEND]


def _within(spans: list[Period], on: date) -> bool:
    return any(span.first <= on <= span.last for span in spans)


class Table:
    """One table: the price of each quarter of an hour of a day."""

    def __init__(self, node: dict, older: "Table | None"):
        self.node = {**_without_prices(older.node if older else {}), **node}
        self.first = day(node["from"])
        self.last = day(node["until"]) if "until" in node else None
        self.is_flat = "price" in node
        self.bands: dict[str, Fraction] = {}
        self.titles: dict[str, str] = {}
        if self.is_flat:
            self.bands[""] = measure(node["price"])[0]
            self.price_unit = measure(node["price"])[1]
        for band in node.get("bands") or []:
            self.bands[band["band"]], self.price_unit = measure(band["price"])
            self.titles[band["band"]] = (band.get("title") or {}).get("en", "")

    def season(self, on: date) -> str | None:
        """The season of a day; None in a table without seasons."""
        rest = None
        for one in self.node.get("seasons") or []:
            if one.get("other") == "true":
                rest = one["season"]
            elif str(on.month) in listed(one.get("months")):
                return one["season"]
            elif any(_holds(span, on) for span in listed(one.get("days"))):
                return one["season"]
        return rest

    def bands_of(self, season: str | None, kind: str) -> tuple[str, ...] | None:
        """The band of each of a day's 96 quarters; None where no times are stated."""
        if self.is_flat:
            return ("",) * 96
        for one in listed(self.node.get("times")):
            if "seasons" in one and season not in listed(one["seasons"]):
                continue
            if "days" in one and kind not in listed(one["days"]):
                continue
            return _quarters(one["hours"])
        return None

    @property
    def changes_within_hours(self) -> bool:
        """Whether a band begins or ends elsewhere than at a full hour."""
        for one in [] if self.is_flat else listed(self.node.get("times")):
            quarters = _quarters(one["hours"])
            if any(len(set(quarters[hour * 4:hour * 4 + 4])) > 1 for hour in range(24)):
                return True
        return False


def _without_prices(node: dict) -> dict:
    return {key: value for key, value in node.items() if key not in ("price", "bands", "until", "from")}


def _holds(span: str, on: date) -> bool:
    first, _, last = span.partition("..")
    here = on.strftime("%m-%d")
    last = last or first
    return first <= here <= last if first <= last else here >= first or here <= last


def _quarters(hours: dict) -> tuple[str, ...]:
    day_bands = [""] * 96
    for band, spans in hours.items():
        for span in listed(spans):
            first, last = (_quarter(time) for time in span.split("-"))
            inside = range(first, last) if first < last else [*range(first, 96), *range(last)]
            for quarter in inside:
                day_bands[quarter] = band
    return tuple(day_bands)


def _quarter(time: str) -> int:
    hours, minutes = time.split(":")
    if int(minutes) % 15:
        raise BadInput(f"{time} is off the quarters of an hour")
    return int(hours) * 4 + int(minutes) // 15


class Tariff:
    """The tables of one carrier."""

    def __init__(self, node: dict):
        self.carrier, self.currency = node["carrier"], node.get("currency", "CNY")
        self.days = Days(node.get("days"))
        self.tables: list[Table] = []
        for one in node["tables"]:
            older = None
            if "as" in one:
                older = next((t for t in self.tables if t.first == day(one["as"])), None)
                if older is None:
                    raise BadInput(f"'as: {one['as']}' names no table before it")
            self.tables.append(Table(one, older))
        self.tables.sort(key=lambda table: table.first)
        for table, following in zip(self.tables, self.tables[1:]):
            table.last = table.last or following.first - timedelta(1)
        self._of_day: dict[date, tuple] = {}

    @property
    def needs_quarters(self) -> bool:
        return any(table.changes_within_hours for table in self.tables)

    def table_on(self, on: date) -> int | None:
        for index, table in enumerate(self.tables):
            if table.first <= on and (table.last is None or on <= table.last):
                return index
        return None

    def at(self, on: date, minute: int) -> tuple[int, str] | str:
        """Table and band of a civil time; a reason where it has no price."""
        if on not in self._of_day:
            self._of_day[on] = self._day(on)
        found = self._of_day[on]
        return found if isinstance(found, str) else (found[0], found[1][minute // 15])

    def _day(self, on: date):
        index = self.table_on(on)
        if index is None:
            return NO_TABLE
        table = self.tables[index]
        season = table.season(on)
        days = {table.bands_of(season, kind) for kind in self.days.kinds(on)}
        days.discard(None)
        return (index, days.pop()) if len(days) == 1 else NO_HOLIDAYS

    def price(self, table: int, band: str) -> Fraction:
        """The price of one of a price's own units, as it is typed."""
        return self.tables[table].bands[band]

    def per_unit(self, table: int, unit: str) -> Fraction:
        """How many units of the price a unit of the accounts is."""
        own = self.tables[table].price_unit.partition("/")[2]
        base, size = PRICED.get(own, ("", 1))
        if base != unit:
            raise BadInput(f"a price per {own} is not for what is counted in {unit}")
        return Fraction(1) / size

    def demand(self, table: int) -> dict | None:
        """Price per kW and month, minutes, contracted kW, the shares above which and of the price."""
        node = self.tables[table].node.get("demand")
        if not node:
            return None
        minutes = int(node.get("over", "15min").removesuffix("min"))
        return {
            "price": measure(node["price"])[0], "minutes": minutes,
            "contracted": measure(node["contracted"])[0] if "contracted" in node else None,
            "above": _share(node, "above"), "share": _share(node, "share")}


def _share(demand: dict, key: str) -> Fraction | None:
    """`above: 105 %` of the rule for excess demand."""
    return measure(demand["excess"][key])[0] / 100 if "excess" in demand else None
