"""The size and shape of the package, counted from its source. `python -m tests.support.measure`.

The sandbox is left out: it is test equipment that ships with the product.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from incident_actions.sandbox import Sandbox
from tests.support.watch import Watch

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "incident_actions"
_NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENDMARKER,
}  # fmt: skip


def modules() -> list[Path]:
    """The modules of the package, without the sandbox."""
    found = sorted(PACKAGE.rglob("*.py"))
    return [path for path in found if path.relative_to(PACKAGE).parts[0] != "sandbox"]


def code_lines(path: Path) -> int:
    """The lines of a module that hold code: no blank lines, no comments, no docstrings."""
    source = path.read_text("utf-8")
    texts: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            for statement in node.body:
                value = statement.value if isinstance(statement, ast.Expr) else None
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    texts.update(range(statement.lineno, (statement.end_lineno or 0) + 1))
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - texts)


def public_classes() -> Iterator[tuple[str, Path]]:
    """The name and the module of every public class at the top of a module."""
    for path in modules():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, path


def files_of_an_ack() -> set[str]:
    """The modules in which a function runs for one `/ack`, from the event to the last effect.

    The incident was declared, and a run has seen it.
    """
    files: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        path = frame.f_code.co_filename
        if event == "call" and path.startswith(str(PACKAGE)):
            name = Path(path).relative_to(PACKAGE).as_posix()
            if frame.f_code.co_name != "<module>" and not name.startswith("sandbox/"):
                files.add(name)

    with Sandbox() as github:
        shop = Watch(github)
        shop.grant(actions="write", checks="read", pull_requests="read")
        number = shop.declare()
        shop.respond()
        shop.passes(1)
        shop.alice.comment(number, "/ack")
        sys.setprofile(note)
        try:
            shop.respond()
        finally:
            sys.setprofile(None)
    return files


def main() -> int:
    """Print the numbers, by room."""
    rooms: Counter[str] = Counter()
    for path in modules():
        parts = path.relative_to(PACKAGE).parts
        rooms["/".join(parts[:2]) if len(parts) > 2 else parts[0]] += code_lines(path)
    for room, lines in rooms.most_common():
        print(f"{lines:6} {room}")
    print(f"{sum(rooms.values()):6} lines of code in {len(modules())} modules")
    files = sorted(files_of_an_ack())
    print(f"{len(files):6} modules run for one /ack: {', '.join(files)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
