"""The site's configuration and the files that it names."""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from .entries import Entries
from .factors import FactorBook
from .meters import Tree
from .numbers import BadInput, exact, measure
from .tariffs import Tariff
from .weather import USUAL_SHARE, Variable


@dataclass
class Site:
    zone: ZoneInfo
    area: Fraction | None
    people: Fraction | None
    tree: Tree
    entries: Entries
    tariffs: dict[str, Tariff]
    factors: FactorBook
    classes: dict[str, str]
    # The series of the outdoor temperature, and of a day's hours how many must be known.
    outdoor: tuple[str, Fraction] | None = None
    variables: list[Variable] = field(default_factory=list)
    method: dict | None = None
    frozen: list[dict] = field(default_factory=list)

    def end_use(self, item: str) -> str:
        """The class at the top of the catalogue."""
        while item in self.classes:
            item = self.classes[item]
        return item


def load(path: Path):
    """A YAML file whose scalars all stay texts, so that no digit is lost."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (OSError, yaml.YAMLError) as problem:
        raise BadInput(f"{path} cannot be read: {problem}") from None


def read(path: Path) -> Site:
    text = load(path)
    about, energy = text["site"], text.get("energy") or {}

    def beside(name: str):
        return load(path.parent / name)

    entries = Entries()
    if "entries" in energy:
        for node in beside(energy["entries"]).get("entries") or []:
            entries.read(node)
    factors = FactorBook()
    if chosen := energy.get("factors"):
        for name in chosen.get("include") or []:
            factors.add(beside(name)["factors"])
        factors.choices = chosen.get("use") or []
    tariffs = {}
    for name in energy.get("tariffs") or []:
        tariff = Tariff(beside(name))
        tariffs[tariff.carrier] = tariff
    items = beside(energy["items"])["items"] if "items" in energy else []
    outdoor = energy.get("outdoor")
    baselines = energy.get("baselines") or {}
    return Site(
        zone=ZoneInfo(about["timezone"]),
        area=measure(about["floor_area"])[0] if "floor_area" in about else None,
        people=exact(about["occupants"]) if "occupants" in about else None,
        tree=Tree(text.get("meters") or []), entries=entries.in_order(), tariffs=tariffs,
        factors=factors, classes={one["item"]: one["under"] for one in items if "under" in one},
        outdoor=(outdoor["temperature"],
                 measure(outdoor["known_hours"])[0] if "known_hours" in outdoor else USUAL_SHARE)
        if outdoor else None,
        variables=[Variable(one) for one in energy.get("variables") or []],
        method=beside(baselines["method"]) if "method" in baselines else None,
        frozen=[beside(name) for name in baselines.get("frozen") or []])
