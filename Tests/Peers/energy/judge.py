"""Compares a statement of the product with what has to stand in it, digit by digit."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .cells import Cell, Number
from .civil import instant
from .numbers import BadInput, printed
from .statements import Expected


def words(cell: dict | None) -> str:
    """The English text of a cell; '' for one without."""
    return ((cell or {}).get("text") or {}).get("en", "")


def _by(*columns: str) -> Callable[[dict], tuple]:
    return lambda row: tuple(words(row.get(column)) for column in columns)


def _band(row: dict) -> tuple:
    table = words(row.get("table"))
    return ("Sum", "") if table == "Sum" else (table[:10], words(row.get("band")))


def _charge(row: dict) -> tuple:
    return words(row.get("month")), words(row.get("table"))[:10], words(row.get("charge"))


def _remark(row: dict) -> tuple:
    return words(row.get("meter")), instant(words(row.get("time"))), words(row.get("what"))


ROWS = {
    "carriers": _by("carrier"), "meters": _by("meter"), "items": _by("part"), "zones": _by("part"),
    "machines": _by("part"), "balances": _by("meter"), "months": _by("month"),
    "comparison": _by("carrier"), "annual_return": _by("carrier"), "photovoltaic": _by("line"),
    "savings_remarks": _by("baseline", "reason"), "savings": _by("period"), "baselines": _by("baseline"),
    "fits": _by("baseline"), "baseline": _by("term"), "remarks": _remark, "tariff_energy": _band, "tariff_charges": _charge,
}


def _rows_of(table: str) -> Callable[[dict], tuple] | None:
    return next((by for key, by in ROWS.items() if table == key or table.startswith(key + "_")), None)


@dataclass
class Verdict:
    """What was found in all statements."""

    numbers: int = 0
    equal: int = 0
    missing: int = 0
    differences: list[str] = field(default_factory=list)
    not_judged: Counter = field(default_factory=Counter)

    def differ(self, where: str, theirs: str, ours: str):
        self.differences.append(f"{where}: statement {theirs}, reference {ours}")

    def cell(self, where: str, theirs: dict, ours: Cell):
        """Judges one place; the statement has it as JSON, with the number's own text."""
        value = theirs.get("value")
        if value is None and ours is None:
            self.missing += 1
            return
        self.numbers += 1
        told = "nothing" if value is None else _marked(value, theirs.get("estimated", False))
        own = "nothing" if ours is None else _as_printed(ours, value)
        if told == own:
            self.equal += 1
        else:
            self.differ(where, told, own)


def _marked(text: str, is_estimated: bool) -> str:
    return f"{text} (estimated)" if is_estimated else text


def _as_printed(number: Number, like: str | None) -> str:
    """A number as it has to be printed; without places of its own, with those of another text."""
    places = number.places
    if places is None:
        places = len((like or "0.00").partition(".")[2])
    return _marked(printed(number.value, places), number.is_estimated)


def read(path: Path) -> dict:
    """A statement, its numbers as the texts that they are."""
    try:
        statement = json.loads(path.read_text(encoding="utf-8"), parse_float=str, parse_int=str)
    except (OSError, ValueError) as problem:
        raise BadInput(f"{path} cannot be read: {problem}") from None
    if not isinstance(statement, dict) or not {"kind", "period", "facts", "tables"} <= statement.keys():
        raise BadInput(f"{path} is no statement")
    return statement


def judge(statement: dict, expected: Expected | None, verdict: Verdict):
    """Adds to the verdict what one statement has right, wrong, and what there is no rule for."""
    name = f"{statement['kind']} {statement['period']}"
    expected = expected or Expected()
    _facts(statement, expected, name, verdict)
    present = {table["key"] for table in statement["tables"]}
    for key in expected.tables.keys() - present:
        verdict.differ(f"{name} {key}", "no such table", f"{len(expected.tables[key])} rows")
    for table in statement["tables"]:
        _table(table, expected.tables.get(table["key"]), f"{name} {table['key']}", verdict)


def _facts(statement: dict, expected: Expected, name: str, verdict: Verdict):
    found = {fact["key"]: fact["value"] for fact in statement["facts"]}
    for key, cell in found.items():
        if "value" not in cell:
            continue
        if key in expected.facts:
            verdict.cell(f"{name} fact {key}", cell, expected.facts[key])
        elif expected.facts:
            verdict.numbers += 1
            verdict.differ(f"{name} fact {key}", str(cell["value"]), "no such fact")
        else:
            verdict.not_judged[f"{statement['kind']} facts"] += 1
    for key in sorted(expected.facts.keys() - found.keys()):
        verdict.differ(f"{name} fact {key}", "no such fact", _text_of(expected.facts[key]))


def _text_of(cell: Cell) -> str:
    return "nothing" if cell is None else _as_printed(cell, None)


def _table(table: dict, rows: dict | None, name: str, verdict: Verdict):
    by = _rows_of(table["key"])
    columns = [column["key"] for column in table["columns"] if column["number"]]
    seen = set()
    for row in table["rows"]:
        key = by(row) if by and rows is not None else None
        ours = rows.get(key) if key and rows is not None else None
        seen.add(key)
        for column in sorted((ours or {}).keys() - set(columns)):
            verdict.differ(f"{name} {_row_name(key)} {column}", "no such column", _text_of(ours[column]))
        for column in columns:
            if ours is not None and column in ours:
                verdict.cell(f"{name} {_row_name(key)} {column}", row[column], ours[column])
            elif "value" in row[column]:
                verdict.not_judged[f"{table['key']}.{column}"] += 1
        if ours is None and rows is not None and _is_ours(table["key"], key) and _says_something(row, columns):
            verdict.differ(f"{name} {_row_name(key)}", "a row", "no such row")
    for key in (rows or {}).keys() - seen:
        if not _is_nought(rows[key]):
            cells = ", ".join(f"{column} {_text_of(cell)}" for column, cell in rows[key].items())
            verdict.differ(f"{name} {_row_name(key)}", "no such row", cells)


def _is_ours(table: str, key: tuple) -> bool:
    """Whether every row of a table has to be known here; of the charges only the demand is."""
    return not table.startswith("tariff_charges") or key[2].startswith("Demand")


def _is_nought(row: dict[str, Cell]) -> bool:
    return all(cell is None or cell.value == 0 for column, cell in row.items() if column != "price")


def _says_something(row: dict, columns: list[str]) -> bool:
    """Whether a row of the statement has a number other than nought beside its price."""
    told = [row[column].get("value") for column in columns if column != "price"]
    return any(value is not None and float(value) != 0 for value in told)


def _row_name(key: tuple) -> str:
    return "/".join(str(part) for part in key if part != "") or "total"
