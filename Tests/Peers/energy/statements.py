"""What has to stand in a statement: facts by key, tables by their rows and columns."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from .accounts import Accounts, Bill
from .bills import bill_tables
from .cells import Cell, Number, Rows
from .civil import Period
from .ledger import Total
from .meters import CARRIERS, Meter
from .savings import normalised, savings_of


@dataclass
class Expected:
    facts: dict[str, Cell] = field(default_factory=dict)
    tables: dict[str, Rows] = field(default_factory=dict)


def amount(total: Total, scale: Fraction = Fraction(1)) -> Cell:
    return Number(total.sum * scale, 2, total.is_marked) if total.known else None


def ratio(part: Fraction | None, whole: Fraction | None) -> Cell:
    """A share as a per cent; nothing of nothing is not known."""
    if part is None or whole is None or whole == 0:
        return None
    return Number(part / whole * 100)


def change(now: Fraction | None, earlier: Fraction | None) -> Cell:
    if now is None or earlier is None or earlier == 0:
        return None
    return Number((now - earlier) / abs(earlier) * 100)


def estimated(total: Total) -> Cell:
    """A share has no sign: what is left of meters can be below nought, and its estimated part above."""
    share = ratio(total.estimated, total.amount)
    return None if share is None else Number(abs(share.value))


def complete(total: Total) -> Cell:
    return ratio(Fraction(total.known), Fraction(total.slots))


def money(bill: Bill | None) -> Cell:
    return Number(bill.energy) if bill and bill.known else None


class Statement:
    """The tables and facts of one period."""

    def __init__(self, accounts: Accounts, period: Period):
        self.accounts, self.period = accounts, period
        self.site, self.tree = accounts.site, accounts.tree

    def expected(self, kind: str) -> Expected | None:
        """Everything of a kind of statement; None for a kind without rules here."""
        facts, tables = KINDS.get(kind, (None, None))
        if facts is None:
            return None
        result = Expected()
        for group in facts:
            result.facts |= group(self)
        for table in tables:
            result.tables |= {key: rows for key, rows in table(self).items() if rows}
        if kind != "intensity":
            result.tables |= self.remarks()
        return result

    # Facts

    def basis(self) -> dict[str, Cell]:
        area, people = self.accounts.area(self.period), self.accounts.people(self.period)
        output = self.accounts.output(self.period)
        facts: dict[str, Cell] = {"area": None if area is None else Number(area)}
        facts |= {} if people is None else {"people": Number(people)}
        return facts | ({} if output is None else {"output": Number(output)})

    def electricity(self) -> dict[str, Cell]:
        if "electricity" not in self.tree.carriers:
            return {}
        accounts, period = self.accounts, self.period
        sides = {side: accounts.side("electricity", side, period) for side in ("gross", "net")}
        imported = accounts.side("electricity", "imported", period)
        facts = {f"electricity_{side}": amount(total) for side, total in sides.items()}
        divisors = {"area": accounts.area(period), "head": accounts.people(period),
                    "output": accounts.output(period), **accounts.products(period)}
        for name, divisor in divisors.items():
            for side, total in sides.items() if divisor else ():
                facts[f"per_{name}_{side}"] = (
                    Number(total.sum / divisor, 4, total.is_marked) if total.known else None)
        return facts | {
            "estimated_percent": estimated(imported), "completeness_percent": complete(imported),
            "coverage_percent": ratio(Fraction(imported.good), imported.expected)}

    def together(self) -> dict[str, Cell]:
        """Coal and CO2 of all carriers, and both by area and head."""
        facts: dict[str, Cell] = {}
        area, people = self.accounts.area(self.period), self.accounts.people(self.period)
        for factor in ("coal", "co2"):
            parts = [self.accounts.converted(factor, one, self.period) for one in self.tree.carriers]
            if not any(has_factor for _, has_factor, _ in parts):
                continue
            whole = sum((known for known, *_ in parts), Fraction(0))
            facts[factor] = Number(whole)
            for name, divisor in (("area", area), ("head", people)):
                if divisor:
                    facts[f"{factor}_per_{name}"] = Number(whole / divisor, 4)
        return facts

    def cost(self) -> dict[str, Cell]:
        bills = [self.accounts.cost_of_carrier(one, self.period) for one in self.tree.carriers]
        bills = [bill for bill in bills if bill is not None]
        return {"energy_cost": Number(sum((bill.energy for bill in bills), Fraction(0)))} if bills else {}

    # Tables

    def carriers(self) -> dict[str, Rows]:
        rows: Rows = {}
        for carrier in self.tree.carriers:
            side = self._sides(carrier)
            rows[(CARRIERS[carrier][1],)] = {
                "imported": amount(side("imported")),
                "generated": amount(side("generated")) if self.accounts.has(carrier, "generation") else None,
                "exported": amount(side("exported")) if self.accounts.has(carrier, "export") else None,
                "gross": amount(side("gross")), "net": amount(side("net")),
                "estimated_percent": estimated(side("imported")),
                "completeness_percent": complete(side("imported")),
                "coal": self._converted("coal", carrier), "co2": self._converted("co2", carrier),
                "energy_cost": self._carrier_cost(carrier, self.period)}
        return {"carriers": rows}

    def _sides(self, carrier: str, period: Period | None = None) -> Callable[[str], Total]:
        return lambda side: self.accounts.side(carrier, side, period or self.period)

    def _converted(self, factor: str, carrier: str) -> Cell:
        known, has_factor, is_missing = self.accounts.converted(factor, carrier, self.period)
        return Number(known) if has_factor and not is_missing else None

    def _carrier_cost(self, carrier: str, period: Period) -> Cell:
        bill = self.accounts.cost_of_carrier(carrier, period)
        has_no_price = bill is not None and bill.quantity == 0 and any(q for q, _ in bill.unpriced.values())
        return None if has_no_price else money(bill)

    def meters(self) -> dict[str, Rows]:
        rows: Rows = {}
        for meter in self.tree.meters.values():
            now, before, year = (
                self.accounts.total(meter.id, one)
                for one in (self.period, self.period.before, self.period.year_before))
            above = self.accounts.total(meter.parent, self.period).amount if meter.parent else None
            rows[(meter.id,)] = {
                "amount": amount(now), "share_percent": ratio(now.amount, above),
                "estimated_percent": estimated(now), "completeness_percent": complete(now),
                "before": amount(before), "before_change_percent": change(now.amount, before.amount),
                "year_before": amount(year), "year_change_percent": change(now.amount, year.amount),
                "energy_cost": money(self.accounts.bill_of([meter], self.period))}
        return {"meters": rows}

    def breakdowns(self) -> dict[str, Rows]:
        tables = {}
        for key, name in (("items", self._end_use), ("zones", self._named("zone")),
                          ("machines", self._named("machine"))):
            if any(name(meter) for meter in self.tree.meters.values()):
                tables[key] = self._breakdown(name)
        return tables

    def places(self) -> dict[str, Rows]:
        return {key: rows for key, rows in self.breakdowns().items() if key != "items"}

    def _end_use(self, meter: Meter) -> str | None:
        item = self.tree.named(meter, "item")
        return self.site.end_use(item) if item else None

    def _named(self, key: str) -> Callable[[Meter], str | None]:
        return lambda meter: self.tree.named(meter, key)

    def _breakdown(self, name: Callable[[Meter], str | None]) -> Rows:
        slots = self.accounts.ledger.slots.of(self.period)
        parts = self.accounts.ledger.breakdown(slots, name)
        whole = sum(parts.values(), Total())
        rows = {(key or "-",): total for key, total in parts.items()} | {("",): whole}
        return {
            key: {"amount": amount(total), "share_percent": ratio(total.amount, whole.sum),
                  "estimated_percent": estimated(total)}
            for key, total in rows.items()}

    def balances(self) -> dict[str, Rows]:
        rows: Rows = {}
        slots = self.accounts.ledger.slots.of(self.period)
        for meter in self.tree.meters.values():
            children = self.tree.children(meter.id)
            if not children:
                continue
            below = sum((self.accounts.total(one.id, self.period) for one in children), Total())
            rest, whole = self.accounts.ledger.beyond_children(meter.id, slots)
            rows[(meter.id,)] = {
                "amount": amount(self.accounts.total(meter.id, self.period)),
                "children": amount(below), "unaccounted": amount(rest),
                "unaccounted_percent": ratio(rest.amount, whole.amount)}
        return {"balances": rows}

    def months(self) -> dict[str, Rows]:
        rows: Rows = {}
        for span in [*self.period.months, self.period]:
            side, area = self._sides("electricity", span), self.accounts.area(span)
            net = side("net")
            row = {
                "electricity": amount(side("imported")), "net": amount(net),
                "generated": amount(side("generated")),
                "per_area": Number(net.sum / area, 4) if net.known and area else None,
                "estimated_percent": estimated(side("imported")),
                "completeness_percent": complete(side("imported")),
                "energy_cost": money(self.accounts.cost_of_carrier("electricity", span))}
            for carrier in ("water", "gas", "diesel"):
                row[carrier] = amount(self.accounts.side(carrier, "imported", span))
            rows[(span.label,)] = row
        return {"months": rows}

    def comparison(self) -> dict[str, Rows]:
        rows: Rows = {}
        for carrier in self.tree.carriers:
            now, before, year = (
                self.accounts.side(carrier, "net", one)
                for one in (self.period, self.period.before, self.period.year_before))
            rows[(CARRIERS[carrier][1],)] = {
                "net": amount(now), "before": amount(before), "year_before": amount(year),
                "before_change_percent": change(now.amount, before.amount),
                "year_change_percent": change(now.amount, year.amount),
                "co2": self._converted("co2", carrier)}
        return {"comparison": rows}

    def annual_return(self) -> dict[str, Rows]:
        rows: Rows = {}

        def line(name: str, total: Total, scale: Fraction):
            rows[(name,)] = {"amount": amount(total, scale), "estimated_percent": estimated(total),
                             "completeness_percent": complete(total)}
        for carrier in self.tree.carriers:
            side, is_thermal = self._sides(carrier), carrier in ("heat", "cooling")
            line(CARRIERS[carrier][1], side("imported"), Fraction(36, 10_000) if is_thermal else Fraction(1))
            if self.accounts.has(carrier, "generation"):
                line("Own generation", side("generated"), Fraction(1))
        return {"annual_return": rows}

    def photovoltaic(self) -> dict[str, Rows]:
        if "electricity" not in self.tree.carriers:
            return {}
        side = self._sides("electricity")
        makes, gives = (self.accounts.has("electricity", role) for role in ("generation", "export"))
        generated = amount(side("generated")) if makes else None
        own = side("own_use") if makes and gives and side("generated").known else None
        lines = {
            "Generated": generated, "Set off": generated,
            "Given away": amount(side("exported")) if gives else None,
            "Used here": amount(side("own_use")) if makes and gives else None,
            "Gross use": amount(side("gross")), "Net use": amount(side("net")),
            "Part of the generation used here": ratio(own.sum, side("generated").sum) if own else None,
            "Part of the use that was made here": ratio(own.sum, side("gross").sum) if own else None}
        return {"photovoltaic": {(line,): {"amount": cell} for line, cell in lines.items()}}

    def normalised(self) -> dict[str, Cell]:
        return normalised(self.accounts, self.accounts.weather, self.period)

    def beside_baselines(self) -> dict[str, Rows]:
        return savings_of(self.accounts).summary(self.period)

    def savings(self) -> dict[str, Rows]:
        return savings_of(self.accounts).statement(self.period)

    def bills(self) -> dict[str, Rows]:
        tables: dict[str, Rows] = {}
        for carrier in self.tree.carriers:
            tables |= bill_tables(self.accounts, carrier, self.period)
        return tables

    def remarks(self) -> dict[str, Rows]:
        """Corrections by meter, instant and what was done."""
        slots = self.accounts.ledger.slots
        here = slots.of(self.period)
        start, end = int(slots.start[here.start]) * 10**6, int(slots.end[here.stop - 1]) * 10**6
        rows: Rows = {}
        for meter in self.tree.meters:
            self.accounts.ledger.column(meter)
            for one in self.accounts.ledger.remarks.get(meter, []):
                if one.start < end and (start <= one.start or start < one.end):
                    cell = None if one.amount is None else Number(one.amount, one.places)
                    rows[(meter, one.start, one.what)] = {"amount": cell}
        return {"remarks": rows} if rows else {}


S = Statement
FACTS = [S.basis, S.electricity, S.together]
WHOLE = [S.carriers, S.meters, S.breakdowns, S.balances, S.beside_baselines, S.bills]
KINDS = {
    "monthly": ([*FACTS, S.cost], WHOLE),
    "yearly": ([*FACTS, S.cost], [S.months, *WHOLE]),
    "annual-return": ([S.basis, S.together], [S.annual_return]),
    "site-declaration": (FACTS, [S.carriers, S.places]),
    "flash": (FACTS, [S.comparison]),
    "disclosure": (FACTS, [S.comparison]),
    "institution": (FACTS, [S.carriers]),
    "photovoltaic": ([S.basis, S.electricity], [S.photovoltaic]),
    "savings": ([], [S.savings]),
    "intensity": ([S.basis, S.electricity, S.normalised, S.together, S.cost], [S.comparison, S.carriers]),
    "quota": ([S.basis, S.electricity], []),
}
