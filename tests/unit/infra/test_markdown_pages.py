"""Every Markdown page of the repository: links lead somewhere, diagrams are diagrams."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[3]
READER = MarkdownIt("gfm-like", {"linkify": False})
MERMAID = ROOT / "node_modules" / "mermaid"
NODE = shutil.which("node")


def tracked() -> list[Path]:
    """The pages that are part of the repository."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(ROOT / name for name in names.splitlines() if (ROOT / name).is_file())


PAGES = tracked()


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def without_front_matter(path: Path) -> str:
    return re.sub(r"\A---\n.*?\n---\n", "", path.read_text("utf-8"), flags=re.DOTALL)


def tokens(path: Path) -> Iterator[Token]:
    """Every token of a page, those inside of lines included."""
    for token in READER.parse(without_front_matter(path)):
        yield token
        yield from token.children or ()


def targets(path: Path) -> Iterator[str]:
    """Where the page's links and pictures lead."""
    for token in tokens(path):
        target = token.attrGet("href") or token.attrGet("src")
        if isinstance(target, str):
            yield target


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page; doubles get a number."""
    found: dict[str, int] = {}
    names = set()
    page = READER.parse(without_front_matter(path))
    for token, following in itertools.pairwise(page):
        if token.type == "heading_open":
            parts = (child.content for child in following.children or ())
            text = "".join(parts).lower()
            name = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
            count = found.get(name, 0)
            found[name] = count + 1
            names.add(f"{name}-{count}" if count else name)
    return names


def diagrams() -> list[tuple[str, str]]:
    return [
        (name_of(path), token.content)
        for path in PAGES
        for token in tokens(path)
        if token.type == "fence" and token.info.strip() == "mermaid"
    ]


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    """To a file that is there, to a heading that it has, or to a web page over https."""
    for target in targets(path):
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        file, _, anchor = target.partition("#")
        page = (path.parent / file).resolve() if file else path
        assert page.exists(), f"{target} leads nowhere"
        if anchor and page.suffix == ".md":
            assert anchor in anchors(page), f"{target}: no such heading"


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_code_blocks_are_closed(path: Path) -> None:
    """An open fence would swallow the rest of the page."""
    fences = re.findall(r"^ {0,3}(`{3,}|~{3,})", without_front_matter(path), re.MULTILINE)
    assert len(fences) % 2 == 0


LABEL = r"""(?:\[\([^()\[\]"]+\)\]|\(\([^()"]+\)\)|\(\[[^\[\]"]+\]\)|\["[^"]+"\]|\{"[^"]+"\}|"""
LABEL += r"""\[[^\[\](){}"]+\]|\{[^\[\](){}"]+\}|\([^\[\](){}"]+\))"""
NODE_RE = rf"[A-Za-z_]\w*(?:{LABEL})?"
LINK = r"""(?:-->|---|-\.->|==>)(?:\|[^|"]+\||\|"[^"]+"\|)?|-\.[^.]+\.->|--[^->]+-->"""
GRAMMARS = {
    "flowchart": [
        r"flowchart (TD|TB|LR|RL|BT)",
        rf"{NODE_RE}(?:\s*(?:{LINK})\s*{NODE_RE}(?:\s*&\s*{NODE_RE})*)*;?",
        r"subgraph .+",
        r"end",
        r"(classDef|class|style|linkStyle|direction) .+",
    ],
    "stateDiagram-v2": [
        r"stateDiagram-v2",
        r"(\[\*\]|\w+) --> (\[\*\]|\w+)( ?: [^:;]+)?",
        r"\w+ ?: .+",
        r'state "[^"]+" as \w+',
        r"direction (TB|LR)",
        r"note (left|right) of \w+ ?: .+",
    ],
}


@pytest.mark.parametrize(("page", "text"), diagrams())
def test_diagrams_keep_to_what_mermaid_reads(page: str, text: str) -> None:
    """Each line is one that GitHub's Mermaid knows: a bracket in a label would break all of it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kind = lines[0].split()[0]
    assert kind in GRAMMARS, f"{page}: {kind}"
    for line in lines:
        known = line.startswith("%%") or any(re.fullmatch(g, line) for g in GRAMMARS[kind])
        assert known, f"{page}: {line}"


CHECK = """
import { JSDOM } from "jsdom";
const { window } = new JSDOM("");
globalThis.window = window;
globalThis.document = window.document;
const mermaid = (await import("mermaid")).default;
let text = "";
for await (const part of process.stdin) text += part;
for (const diagram of JSON.parse(text)) await mermaid.parse(diagram);
"""


@pytest.mark.skipif(
    NODE is None or not MERMAID.exists(),
    reason="Mermaid itself is not here: `npm install --no-save mermaid jsdom` lets it judge, too",
)
def test_mermaid_reads_every_diagram() -> None:
    """GitHub's own renderer has the last word."""
    done = subprocess.run(
        [str(NODE), "--input-type=module", "--eval", CHECK],
        cwd=ROOT,
        input=json.dumps([text for _, text in diagrams()]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
