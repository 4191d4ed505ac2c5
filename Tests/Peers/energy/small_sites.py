"""Small sites for the tests, and statements of the product's shape."""

import json
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import energy_reference
from energy import site as sites
from energy.civil import Period, instant
from energy.numbers import printed

CST = timezone(timedelta(hours=8))


class Small:
    """A site in a folder of its own, with readings of some counters."""

    def __init__(self, meters: str, readings: dict[str, list[tuple[str, str]]], now: str, *,
                 zone: str = "Asia/Shanghai", energy: str = "", files: dict[str, str] | None = None,
                 period: int = 900, modulus: str = "", about: str = ""):
        self.folder = Path(tempfile.mkdtemp())
        self.now = now
        site = f"site: {{ id: a, timezone: {zone}, {about} }}\nmeters:\n{meters}\nenergy: {{ {energy} }}\n"
        (self.folder / "site.yaml").write_text(site)
        for name, text in (files or {}).items():
            (self.folder / name).write_text(text)
        lines = [f"{s},{utc(t)},{v}" for s, rows in readings.items() for t, v in rows]
        (self.folder / "readings.csv").write_text("series,time,value\n" + "\n".join(lines) + "\n")
        known = [f"{s},{period},{modulus}" for s in readings]
        (self.folder / "series.csv").write_text(
            "series,period_seconds,modulus\n" + "\n".join(known) + "\n")

    def accounts(self, *periods: str):
        return energy_reference.accounts_of(
            sites.read(self.folder / "site.yaml"), self.folder / "readings.csv", instant(self.now),
            [Period.parse(one) for one in periods])


def utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def entries(*lines: str) -> dict[str, str]:
    text = "".join(f"  - {{ {one} }}\n" for one in lines)
    return {"entries.yaml": "format: energy-entries/1\nentries:\n" + text}


def every(start: str, minutes: int, values: list[str]) -> list[tuple[str, str]]:
    first = datetime.fromisoformat(start)
    return [((first + timedelta(minutes=minutes * n)).isoformat(), v) for n, v in enumerate(values)]


MAIN = "  - { id: main, counter: m.e }"


def as_statement(kind: str, period: str, expected) -> str:
    """A document like the product's, from what has to stand in it."""
    def cell(one):
        if one is None:
            return {"value": None, "missing": {"en": "not known", "zh": "未知"}}
        places = one.places if one.places is not None else 2
        return {"value": f"<{printed(one.value, places)}>", "estimated": one.is_estimated}

    def word(text):
        return {"text": {"en": str(text), "zh": str(text)}}
    names = {"tariff_energy": ("table", "band"), "remarks": ("meter", "time", "what"),
             "tariff_charges": ("month", "table", "charge"), "carriers": ("carrier",),
             "comparison": ("carrier",), "annual_return": ("carrier",), "photovoltaic": ("line",),
             "months": ("month",), "meters": ("meter",), "balances": ("meter",)}
    tables = []
    for key, rows in expected.tables.items():
        columns = list(next(iter(rows.values())))
        told = []
        for name, row in rows.items():
            if key == "remarks":
                name = (name[0], datetime.fromtimestamp(name[1] / 10**6, CST).isoformat(), name[2])
            kind_of_table = key.rpartition("_")[0] if key.startswith("tariff") else key
            told.append(dict(zip(names.get(kind_of_table, ("part",)), map(word, name)))
                        | {one: cell(row[one]) for one in columns})
        tables.append({"key": key, "columns": [{"key": one, "number": True} for one in columns], "rows": told})
    facts = [{"key": key, "value": cell(one)} for key, one in expected.facts.items()]
    text = json.dumps({"kind": kind, "period": period, "facts": facts, "tables": tables})
    return text.replace('"<', "").replace('>"', "")
