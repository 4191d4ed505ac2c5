"""What people wrote down: energy-entries/1."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from .civil import Period, day, instant
from .numbers import BadInput, exact, measure


@dataclass(frozen=True)
class Exchange:
    """A register that ended at one value, and its successor that began at another."""

    at: int
    old_end: Fraction
    new_start: Fraction


@dataclass(frozen=True)
class Change:
    """From one instant to another: a factor (rescale) or an amount (adjust)."""

    start: int
    end: int
    value: Fraction
    is_estimate: bool = False


@dataclass(frozen=True)
class Delivery:
    first: date
    last: date
    amount: Fraction
    is_estimate: bool


@dataclass
class Entries:
    exchanges: dict[str, list[Exchange]] = field(default_factory=lambda: defaultdict(list))
    rescales: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    adjusts: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    deliveries: dict[str, list[Delivery]] = field(default_factory=lambda: defaultdict(list))
    areas: list[tuple[date, Fraction]] = field(default_factory=list)
    people: list[tuple[date, Fraction]] = field(default_factory=list)
    output: dict[Period, Fraction] = field(default_factory=dict)
    produced: dict[str, dict[Period, Fraction]] = field(default_factory=lambda: defaultdict(dict))

    def read(self, node: dict):
        """Takes one entry; what is for the compliance ledger is passed over."""
        for kind, take in TAKERS.items():
            if kind in node:
                return take(self, node)
        if not node.keys() & {"repair", "certificate"}:
            raise BadInput(f"an entry of no kind: {node}")

    def in_order(self):
        for one in self.exchanges.values():
            one.sort(key=lambda each: each.at)
        self.areas.sort()
        self.people.sort()
        return self


def _exchange(entries: Entries, node: dict):
    entries.exchanges[node["exchange"]].append(
        Exchange(instant(node["at"]), exact(node["old_end"]), exact(node["new_start"])))


def _ratio(entries: Entries, node: dict):
    """The register went on; what the series showed of it went from one multiple to the other."""
    register = exact(node["register"])
    entries.exchanges[node["ratio"]].append(Exchange(
        instant(node["at"]), register * exact(node["from"]), register * exact(node["to"])))


def _rescale(entries: Entries, node: dict):
    entries.rescales[node["rescale"]].append(Change(
        instant(node["from"]), instant(node["to"]), exact(node["is"]) / exact(node["was"])))


def _adjust(entries: Entries, node: dict):
    entries.adjusts[node["adjust"]].append(Change(
        instant(node["from"]), instant(node["to"]), exact(node["amount"]),
        is_estimate=node.get("source") not in ("measured", "bill")))


def _delivered(entries: Entries, node: dict):
    entries.deliveries[node["delivered"]].append(Delivery(
        day(node["first"]), day(node.get("last", node["first"])), exact(node["amount"]),
        is_estimate=node.get("source") == "estimate"))


def _area(entries: Entries, node: dict):
    entries.areas.append((day(node["from"]), measure(node["area"])[0]))


def _people(entries: Entries, node: dict):
    entries.people.append((day(node["from"]), exact(node["people"])))


def _output(entries: Entries, node: dict):
    month = Period.parse(node["month"])
    entries.output[month] = entries.output.get(month, 0) + exact(node["output"])


def _produced(entries: Entries, node: dict):
    months = entries.produced[node["produced"]]
    month = Period.parse(node["month"])
    months[month] = months.get(month, 0) + exact(node["amount"])


TAKERS = {
    "exchange": _exchange, "ratio": _ratio, "rescale": _rescale, "adjust": _adjust,
    "delivered": _delivered, "area": _area, "people": _people, "output": _output,
    "produced": _produced,
}
