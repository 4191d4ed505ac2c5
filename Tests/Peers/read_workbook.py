"""Reads a workbook with openpyxl, which shares no code with its writer, and tells what is in it.

read_workbook.py FILE

Prints one JSON object: created, title, subject, entries (name and time of each part of the archive),
sheets (name, rows of cells, widths, frozen, repeated, paper, turn, fit, footer).
A cell is null or an object of number or text, format, bold, italic, alignment.
"""

import json
import sys
import zipfile

import openpyxl

path = sys.argv[1]
with zipfile.ZipFile(path) as archive:
    assert archive.testzip() is None
    entries = [[e.filename, list(e.date_time)] for e in archive.infolist()]
book = openpyxl.load_workbook(path)


def cell(c):
    if c.value is None:
        return None
    assert c.data_type in ("n", "s"), f"{c.coordinate} is of the type {c.data_type}"
    return {"number": c.value if c.data_type == "n" else None,
            "text": c.value if c.data_type == "s" else None,
            "format": c.number_format, "bold": bool(c.font.b), "italic": bool(c.font.i),
            "alignment": c.alignment.horizontal}


def pages(number):
    return 1 if number is None else int(number)


def sheet(s):
    return {
        "name": s.title,
        "rows": [[cell(c) for c in row] for row in s.iter_rows()],
        "widths": {k: d.width for k, d in s.column_dimensions.items()},
        "frozen": s.freeze_panes,
        "repeated": s.print_title_rows,
        "paper": s.page_setup.paperSize,
        "turn": s.page_setup.orientation,
        # What stands at its default is not written: one page wide, one page high.
        "fit": {"width": pages(s.page_setup.fitToWidth),
                "height": pages(s.page_setup.fitToHeight),
                "isOn": s.sheet_properties.pageSetUpPr.fitToPage},
        "footer": [s.oddFooter.left.text, s.oddFooter.right.text],
    }


print(json.dumps({
    "created": book.properties.created.isoformat(),
    "title": book.properties.title,
    "subject": book.properties.subject,
    "entries": [e[0] for e in entries],
    "times": [e[1] for e in entries],
    "sheets": [sheet(s) for s in book.worksheets],
}, ensure_ascii=False))
