"""Writes rows as an Excel workbook, with a second sheet that explains them.

Text is always written as text, so a headline that begins with "=" is not a formula.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.site.views.quote_highlight import safe_url

MOST_CHARACTERS = 32_767  # Excel's limit per cell
MOST_LINKED = 2_000  # characters of an address that becomes a link
WIDTHS = {"summary": 70, "quote": 70, "title": 50, "description": 50, "url": 40, "name": 30}
WIDTH, WIDEST = 10, 30


def workbook(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    about: Sequence[tuple[str, str]],
    column_words: Mapping[str, str],
    links: Mapping[str, str],
) -> bytes:
    """Return the workbook as bytes.

    Args:
        columns: Names of the columns.
        rows: The rows.
        about: Name and text of each line on the second sheet.
        column_words: Description by column.
        links: By column, the address to which its ids are appended.
    """
    import xlsxwriter

    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(target, options)
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    plain = book.add_format({"valign": "top"})
    bold = book.add_format({"bold": True, "valign": "top"})
    sheet = book.add_worksheet("Rows")
    for i, column in enumerate(columns):
        sheet.write_string(0, i, column, head)
        sheet.set_column(i, i, WIDTHS.get(column, min(max(len(column) + 2, WIDTH), WIDEST)))
    for r, row in enumerate(rows, 1):
        for i, (column, value) in enumerate(zip(columns, row, strict=True)):
            _cell(sheet, r, i, value, links.get(column, ""), wrapped if column in WIDTHS else plain)
    sheet.freeze_panes(1, 0)
    if rows:
        sheet.autofilter(0, 0, len(rows), len(columns) - 1)
    page = book.add_worksheet("About")
    page.set_column(0, 0, 28)
    page.set_column(1, 1, 100)
    lines = [*about, ("", ""), ("Column", "What it means")]
    lines += [(column, column_words[column]) for column in columns if column_words.get(column)]
    for r, (name, words) in enumerate(lines):
        page.write_string(r, 0, name, bold)
        page.write_string(r, 1, words[:MOST_CHARACTERS], wrapped)
    book.close()
    return target.getvalue()


def _cell(sheet: Any, row: int, column: int, value: Any, link: str, style: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool | int | float) and abs(value) < 1e15:
        sheet.write_number(row, column, value, style)
        return
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    address = f"{link}{text}" if link else safe_url(text)
    if address and len(address) <= MOST_LINKED:
        sheet.write_url(row, column, address, string=text[:255])
    else:
        sheet.write_string(row, column, text[:MOST_CHARACTERS], style)
