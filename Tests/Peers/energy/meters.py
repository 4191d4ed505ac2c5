"""The tree of meters, as the site's configuration has it under `meters:`."""

from dataclasses import dataclass, field
from fractions import Fraction

from .numbers import BadInput, exact, measure

CARRIERS = {
    "electricity": ("kWh", "Electricity"), "water": ("m3", "Mains water"),
    "reclaimed-water": ("m3", "Reclaimed water"), "rain-water": ("m3", "Rain water"),
    "gas": ("m3", "Gas"), "heat": ("kWh", "Heat"), "cooling": ("kWh", "Cooling"),
    "diesel": ("L", "Diesel"),
}
RATES = {
    "kW": ("kWh", 1), "MW": ("kWh", 1000), "W": ("kWh", Fraction(1, 1000)),
    "m3/h": ("m3", 1), "L/h": ("L", 1),
}


@dataclass
class Meter:
    id: str
    parent: str | None
    carrier: str
    role: str
    series: str | None = None
    terms: list[tuple[Fraction, str]] = field(default_factory=list)
    is_entered: bool = False
    item: str | None = None
    zone: str | None = None
    machine: str | None = None
    limit: Fraction | None = None


class Tree:
    """Meters in the order of the configuration."""

    def __init__(self, nodes: list[dict]):
        self.meters: dict[str, Meter] = {}
        written = {node["id"]: node for node in nodes}
        for node in nodes:
            self.meters[node["id"]] = _meter(node, written)

    def __getitem__(self, id: str) -> Meter:
        if id not in self.meters:
            raise BadInput(f"there is no meter '{id}'")
        return self.meters[id]

    @property
    def carriers(self) -> list[str]:
        present = {meter.carrier for meter in self.meters.values()}
        return [carrier for carrier in CARRIERS if carrier in present]

    def children(self, id: str) -> list[Meter]:
        """The meters directly below one that count the same: of its carrier and its role."""
        above = self[id]
        return [
            meter for meter in self.meters.values() if meter.parent == id
            and meter.carrier == above.carrier and meter.role == above.role]

    def is_view(self, meter: Meter) -> bool:
        """A formula below nothing and above nothing: it counts nowhere else."""
        return bool(meter.terms) and not meter.parent and not any(
            other.parent == meter.id for other in self.meters.values())

    def tops(self, carrier: str, role: str) -> list[Meter]:
        """The meters of a role that stand below no other of that carrier and role."""
        def is_top(meter: Meter) -> bool:
            above = self.meters.get(meter.parent or "")
            return above is None or above.carrier != carrier or above.role != role
        return [
            meter for meter in self.meters.values()
            if meter.carrier == carrier and meter.role == role and is_top(meter)
            and not self.is_view(meter)]

    def named(self, meter: Meter, key: str) -> str | None:
        """A meter's own item, zone or machine, or that of the nearest above."""
        while meter is not None:
            if name := getattr(meter, key):
                return name
            meter = self.meters.get(meter.parent or "")
        return None


def _meter(node: dict, written: dict) -> Meter:
    carrier = _carrier(node, written)
    meter = Meter(
        node["id"], node.get("parent"), carrier, node.get("role", "consumption"),
        series=node.get("counter"), is_entered=node.get("entries") == "true",
        item=node.get("item"), zone=node.get("zone"), machine=node.get("machine"))
    if "formula" in node:
        meter.terms = formula(node["formula"])
    if share := node.get("share"):
        meter.terms = [(measure(share["part"])[0] / measure(share["whole"])[0], share["of"])]
    if "limit" in node:
        value, unit = measure(node["limit"])
        if RATES.get(unit, ("",))[0] != CARRIERS[carrier][0]:
            raise BadInput(f"the limit '{node['limit']}' does not fit {carrier}")
        meter.limit = value * RATES[unit][1]
    return meter


def _carrier(node: dict, written: dict) -> str:
    while "carrier" not in node and node.get("parent") in written:
        node = written[node["parent"]]
    carrier = node.get("carrier", "electricity")
    if carrier not in CARRIERS:
        raise BadInput(f"there is no carrier '{carrier}'")
    return carrier


def formula(text: str) -> list[tuple[Fraction, str]]:
    """`0.5 * common + tenant` as factors and meters."""
    terms, sign, factor = [], 1, Fraction(1)
    words = text.split()
    for position, word in enumerate(words):
        if word in "+-":
            sign, factor = (1 if word == "+" else -1), Fraction(1)
        elif word == "*":
            continue
        elif words[position + 1:position + 2] == ["*"]:
            factor = exact(word)
        else:
            terms.append((sign * factor, word))
            sign, factor = 1, Fraction(1)
    return terms
