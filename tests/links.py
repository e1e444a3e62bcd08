#!/usr/bin/env python3
# Holds the links of our documents: the file that a link names is there, and so is the
# heading. Links to the network are not followed.
import re
import sys
import tempfile
from pathlib import Path

LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
DEFINITION = re.compile(r"^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
FENCE = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#{1,6} +(.*?) *#*$", re.MULTILINE)


def blank(match):
    """As many lines, so that line numbers stay, without what stood there."""
    return "\n" * match.group().count("\n")


def anchor(heading):
    """The name that a viewer gives to a heading."""
    shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")


def anchors(text):
    """All of them; one that is there twice has a number at the end."""
    seen = {}
    for heading in HEADING.findall(FENCE.sub(blank, text)):
        name = anchor(heading)
        seen[name] = seen.get(name, -1) + 1
        yield f"{name}-{seen[name]}" if seen[name] else name


def complaints(folder):
    """The lines to print: a file, a line in it, and what is wrong with a link."""
    for file in sorted(folder.rglob("*.md")):
        here = file.relative_to(folder)
        if any(part.startswith((".", "build")) or part.endswith(".Rcheck") for part in here.parts):
            continue
        text = CODE.sub(blank, FENCE.sub(blank, file.read_text()))
        for found in [*LINK.finditer(text), *DEFINITION.finditer(text)]:
            link = found.group(1)
            if re.match(r"[a-z][a-z0-9+.-]*:", link):
                continue
            path, _, name = link.partition("#")
            aim = file.parent / path if path else file
            where = f"{here}:{text.count(chr(10), 0, found.start()) + 1}"
            if not aim.exists():
                yield f"{where}: there is no {path}"
            elif name and aim.suffix == ".md" and name not in anchors(aim.read_text()):
                yield f"{where}: {path or here} has no heading for #{name}"


def check_itself():
    """A check that finds nothing may be blind: it must see what is planted for it."""
    planted = {
        "one.md": "# One `thing`, and more\n[two](docs/two.md#a-b-1) [gone](gone.md)\n"
        "[self](#one-thing-and-more) [no](#one)\n`[code](code.md)`\n\n```\n[fence](fence.md)\n```\n"
        "[far](https://example.org/none) [up](docs/)\n[named]\n\n[named]: nowhere.md\n",
        "docs/two.md": "## A b\n## A b\n[no heading](../one.md#one-thing)\n[back](../one.md)\n",
    }
    expected = [
        "docs/two.md:3: ../one.md has no heading for #one-thing",
        "one.md:2: there is no gone.md",
        "one.md:3: one.md has no heading for #one",
        "one.md:12: there is no nowhere.md",
    ]
    with tempfile.TemporaryDirectory(prefix="links") as folder:
        for file, text in planted.items():
            path = Path(folder, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = list(complaints(Path(folder)))
    if found != expected:
        sys.exit(f"links.py does not see what it should: expected {expected}, found {found}")


check_itself()
found = list(complaints(Path(__file__).resolve().parent.parent))
for complaint in found:
    print(complaint)
if found:
    sys.exit("These links lead nowhere.")
