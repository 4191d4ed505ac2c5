"""The tables of a bill: energy by bands, and the charge for the greatest demand."""

from fractions import Fraction

from .accounts import Accounts, Bill
from .cells import Number, Rows
from .civil import Period
from .tariffs import Table, Tariff

BAND_TITLES = {
    "sharp": "Critical peak", "peak": "Peak", "flat": "Flat", "valley": "Valley",
    "deep-valley": "Deep valley", "": "All day",
}


def bill_tables(accounts: Accounts, carrier: str, period: Period) -> dict[str, Rows]:
    bill, name = accounts.cost_of_carrier(carrier, period), carrier.replace("-", "_")
    if bill is None:
        return {}
    tariff = accounts.site.tariffs[carrier]
    tables = {f"tariff_energy_{name}": _energy(bill, tariff)}
    if carrier == "electricity" and (rows := _demands(accounts, tariff, period)):
        tables[f"tariff_charges_{name}"] = rows
    return tables


def _title(table: Table, band: str) -> str:
    return table.titles.get(band) or BAND_TITLES.get(band, band)


def _energy(bill: Bill, tariff: Tariff) -> Rows:
    """Rows by the table's first day and the band's title."""
    rows: Rows = {}
    for (index, band), (quantity, in_doubt) in bill.lines.items():
        table, price = tariff.tables[index], bill.prices[index, band]
        rows[(table.first.isoformat(), _title(table, band))] = {
            "quantity": Number(quantity, 2, in_doubt != 0), "estimated": Number(in_doubt),
            "price": Number(price, None), "amount": Number(quantity * price)}
    for reason, (quantity, in_doubt) in bill.unpriced.items():
        rows[("", reason)] = {
            "quantity": Number(quantity, 2, in_doubt != 0), "estimated": Number(in_doubt),
            "price": None, "amount": None}
    rows[("Sum", "")] = {
        "quantity": Number(bill.quantity, 2, bill.estimated != 0), "estimated": Number(bill.estimated),
        "price": Number(bill.energy / bill.quantity, None) if bill.quantity else None,
        "amount": Number(bill.energy)}
    return rows


def _demands(accounts: Accounts, tariff: Tariff, period: Period) -> Rows:
    """The lines for the greatest demand of each month, by the days that a table holds in it."""
    rows: Rows = {}
    for month in period.months:
        days = [on for on in month.days if period.first <= on <= period.last]
        for index, table in enumerate(tariff.tables):
            held = sum(tariff.table_on(on) == index for on in days)
            demand = tariff.demand(index)
            if demand is None or not held:
                continue
            power = accounts.greatest_power("electricity", demand["minutes"], month)
            for title, line in _lines(power, demand, held, Fraction(held, len(month.days))):
                rows[(month.label, table.first.isoformat(), title)] = line
    return rows


def _lines(power: Fraction | None, demand: dict, days: int, part: Fraction):
    """What is paid for the demand, and for what lies above the contracted one."""
    if power is None:
        yield "Demand charge", {"quantity": None, "price": None, "days": None, "amount": None}
        return

    def line(quantity: Fraction, price: Fraction) -> dict:
        return {"quantity": Number(quantity, None), "price": Number(price, None),
                "days": Number(Fraction(days), 0), "amount": Number(quantity * price * part)}
    price, contracted, above = demand["price"], demand["contracted"], demand["above"]
    if contracted is not None and above is not None:
        bound = contracted * above
        yield "Demand charge", line(contracted if power <= bound else bound, price)
        if power > bound:
            yield "Demand in excess", line(power - bound, price * demand["share"])
    else:
        yield "Demand charge", line(max(power, contracted or 0), price)
