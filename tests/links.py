#!/usr/bin/env python3
# Holds the links of our documents: the file that a link names is there, and so is the
# heading; and what vignettes name: `docs/one.md`, vignette("two"). With --site FOLDER those
# of a site that scripts/site has made. Links to the network are not followed.
import re
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
DEFINITION = re.compile(r"^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
FENCE = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
DOCUMENT = re.compile(r"`(docs/[\w-]+\.md)`")
VIGNETTE = re.compile(r"vignette\(\"([\w-]+)\"")
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


def line_of(text, found):
    return text.count("\n", 0, found.start()) + 1


def complaints(folder):
    """The lines to print: a file, a line in it, and what is wrong with a link."""
    for file in sorted([*folder.rglob("*.md"), *folder.rglob("*.Rmd")]):
        here = file.relative_to(folder)
        if any(part.startswith((".", "build")) or part.endswith(".Rcheck") for part in here.parts):
            continue
        whole = file.read_text()
        if file.suffix == ".Rmd":
            named = [(m, folder / m.group(1)) for m in DOCUMENT.finditer(whole)]
            named += [(m, file.parent / f"{m.group(1)}.Rmd") for m in VIGNETTE.finditer(whole)]
            for found, aim in named:
                if not aim.exists():
                    yield f"{here}:{line_of(whole, found)}: there is no {found.group(1)}"
        text = CODE.sub(blank, FENCE.sub(blank, whole))
        for found in [*LINK.finditer(text), *DEFINITION.finditer(text)]:
            link = found.group(1)
            if re.match(r"[a-z][a-z0-9+.-]*:", link):
                continue
            path, _, name = link.partition("#")
            aim = file.parent / path if path else file
            where = f"{here}:{line_of(text, found)}"
            if not aim.exists():
                yield f"{where}: there is no {path}"
            elif name and aim.suffix in (".md", ".Rmd") and name not in anchors(aim.read_text()):
                yield f"{where}: {path or here} has no heading for #{name}"


class Page(HTMLParser):
    """The links of a page, the names in it, and whether it has a title."""

    def __init__(self, text):
        super().__init__()
        self.links, self.names, self.titled, self.in_title = [], set(), False, False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.in_title = tag == "title"
        self.names.update(given[key] for key in ("id", "name") if given.get(key))
        self.links += [given[key] for key in ("href", "src") if given.get(key)]

    def handle_data(self, data):
        self.titled = self.titled or (self.in_title and bool(data.strip()))


def complaints_of_site(folder):
    """The same of the pages of a site."""
    pages = {file: Page(file.read_text()) for file in sorted(folder.rglob("*.html"))}
    for file, page in pages.items():
        here = file.relative_to(folder)
        if not page.titled:
            yield f"{here}: it has no title"
        for link in page.links:
            if re.match(r"[a-z][a-z0-9+.-]*:|//", link):
                continue
            path, _, name = unquote(link).partition("#")
            aim = (file.parent / path if path else file).resolve()
            if not aim.exists():
                yield f"{here}: there is no {path}"
            elif name and aim in pages and name not in pages[aim].names:
                yield f"{here}: {path or here} has nothing called {name}"


def check_itself():
    """A check that finds nothing may be blind: it must see what is planted for it."""
    planted = {
        "one.md": "# One `thing`, and more\n[two](docs/two.md#a-b-1) [gone](gone.md)\n"
        "[self](#one-thing-and-more) [no](#one)\n`[code](code.md)`\n\n```\n[fence](fence.md)\n```\n"
        "[far](https://example.org/none) [up](docs/)\n[named]\n\n[named]: nowhere.md\n",
        "r/three.Rmd": "`docs/two.md` `docs/no.md`\nvignette(\"three\") vignette(\"four\")\n",
        "docs/two.md": "## A b\n## A b\n[no heading](../one.md#one-thing)\n[back](../one.md)\n",
    }
    expected = [
        "docs/two.md:3: ../one.md has no heading for #one-thing",
        "one.md:2: there is no gone.md",
        "one.md:3: one.md has no heading for #one",
        "one.md:12: there is no nowhere.md",
        "r/three.Rmd:1: there is no docs/no.md",
        "r/three.Rmd:2: there is no four",
    ]
    pages = {
        "index.html": "<title>One</title><a href='sub/two.html#here'/>"
        "<a href='sub/two.html#there'/><img src='none.svg'/>",
        "sub/two.html": "<p id='here'/><a href='../index.html'/><a href='#here'/>"
        "<a href='https://example.org/none'/>",
    }
    expected_of_site = [
        "index.html: sub/two.html has nothing called there",
        "index.html: there is no none.svg",
        "sub/two.html: it has no title",
    ]
    with tempfile.TemporaryDirectory(prefix="links") as folder:
        for file, text in {**planted, **pages}.items():
            path = Path(folder, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = list(complaints(Path(folder))) + list(complaints_of_site(Path(folder).resolve()))
    expected += expected_of_site
    if found != expected:
        sys.exit(f"links.py does not see what it should: expected {expected}, found {found}")


check_itself()
if sys.argv[1:2] == ["--site"]:
    found = list(complaints_of_site(Path(sys.argv[2]).resolve()))
else:
    found = list(complaints(Path(__file__).resolve().parent.parent))
for complaint in found:
    print(complaint)
if found:
    sys.exit("These links lead nowhere.")
