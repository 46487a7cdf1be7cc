"""The incident checklist on one page, as Markdown or as HTML to print, from the playbook's pages.

`read` is everywhere a function that gives the text of a page by its file's name. In the HTML all
text is escaped, except what `inline_html` made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from markdown_it import MarkdownIt
from markupsafe import Markup

from incident_actions.domain.playbook.checklist import ChecklistSection, read_checklist
from incident_actions.render.markdown import with_filters

SIZES = tuple(tenth / 10 for tenth in range(105, 44, -5))
"""Font sizes in points, the largest first. A long checklist gets a smaller one, to fit one page."""
_COLUMN = (265, 690)
"""Width and height of each of the two columns, in points: A4 is narrower, Letter is lower."""
_ROW = re.compile(r"^\|(.+)\|[ \t]*$", re.MULTILINE)
_RULE = re.compile(r"^\d+[.)] \*\*(.+?)\*\*", re.MULTILINE)
_CLOSING = "resolve"
_SEVERITY_ROWS = ("In one line", "Internal update", "Status page")


_READER = MarkdownIt("commonmark", {"html": False})
_READER.disable(["image", "link", "autolink"])
_LINK = re.compile(r"\[([^\]\[]{0,300})\]\([^)\s]{0,500}\)")


def inline_html(text: str) -> Markup:
    """One line of Markdown as HTML: bold and code stay, links become text, HTML is escaped."""
    return Markup(_READER.renderInline(_LINK.sub(r"\1", text)))


def as_markdown(read: Callable[[str], str]) -> str:
    """The steps and the recovery checks as a Markdown task list."""
    return "\n\n".join(
        f"## {section.title}\n\n" + "\n".join(f"- [ ] {item.text}" for item in section.items)
        for section in _sections(read)
    )


def as_html(read: Callable[[str], str]) -> str:
    """The page to print, as HTML. It fits one page of A4 or Letter, unless it is very long."""
    sections, severities = _sections(read), _severities(read("severity-matrix.md"))
    rollback = read("rollback-rules.md")
    rules = _RULE.findall(rollback)[:6]
    commands = [row[:2] for row in _rows(rollback) if len(row) == 4 and row[1]][1:]
    entries = [item.text for section in sections for item in section.items]
    entries += [*rules, *map(" ".join, commands)]
    page = with_filters(html=True, inline_html=inline_html).get_template("checklist.html.j2")
    return page.render(
        sections=sections,
        severities=severities,
        rules=rules,
        commands=commands,
        size=_size(entries, len(sections) + 3, 3 * len(severities)),
    ).strip()


def _size(entries: Sequence[str], headings: int, rows: int) -> float:
    """The largest font size in points with which the page fits two columns, by estimate.

    `headings` and `rows` are the numbers of headings and of lines in tables.
    """
    for size in SIZES:
        width, height = (length / size for length in _COLUMN)
        letters = 2 * (width - 2)  # a letter is about half as wide as it is high
        lines = sum(1 + int(len(text) / letters) for text in entries)
        needed = 1.3 * (lines + rows) + 0.25 * len(entries) + 2.6 * headings
        if needed <= 2 * (height - 8):
            return size
    return SIZES[-1]


def _sections(read: Callable[[str], str]) -> tuple[ChecklistSection, ...]:
    """The sections of the checklist, in order.

    The recovery checks come before the section that resolves the incident, or at the end.
    """
    verification = read_checklist(read("verification-checklist.md"))
    recovery = {item.text: item for section in verification for item in section.items}
    shown = list(read_checklist(read("incident-checklist.md")))
    titles = [section.title.casefold() for section in shown]
    place = titles.index(_CLOSING) if _CLOSING in titles else len(shown)
    shown.insert(place, ChecklistSection("Recovery", tuple(recovery.values())))
    return tuple(section for section in shown if section.items)


def _rows(markdown: str) -> list[list[str]]:
    """The cells of every table row. The line between a table's head and its body is left out."""
    rows = ([cell.strip() for cell in m[1].split("|")] for m in _ROW.finditer(markdown))
    return [row for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]


def _severities(markdown: str) -> list[list[str]]:
    """The first table of the severity matrix, transposed: a row for each severity.

    The first row is the head. Empty when the table does not have the expected columns.
    """
    table = [row for row in _rows(markdown) if len(row) == 4][:6]
    if not table or not all(cell.upper().startswith("SEV") for cell in table[0][1:]):
        return []
    kept = [row for row in table[1:] if row[0] in _SEVERITY_ROWS]
    head = ["", *(row[0] for row in kept)]
    levels = enumerate(table[0][1:], start=1)
    return [head, *([level, *(row[number] for row in kept)] for number, level in levels)]
