"""Translation catalogues without GNU gettext: what the source says, what the .po files lack, .mo files.

python -m config.catalogues compile   write the .mo files that Django reads
python -m config.catalogues check     say what is missing, unsure or stale; exit 1 if anything is
python -m config.catalogues update    bring the .po files up to the source, new entries empty
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("config", "dispatch", "surveys", "recovery")
LANGUAGES = ("zh_Hans",)

# Function name -> what its first arguments are.
CALLS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), ("one",)),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), ("one", "many")),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ("context", "one")),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ("context", "one", "many")),
}
LITERAL = r"""u?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
TEMPLATE_CALL = re.compile(rf"\b(_|n?p?gettext)\(\s*({LITERAL}(?:\s*,\s*{LITERAL})*)\s*[,)]", re.DOTALL)
PLACEHOLDER = re.compile(r"%\([a-z_0-9.]+\)[sdf]|%[sdf]|\{[a-z_0-9.]*\}", re.IGNORECASE)

Key = tuple[str | None, str]


@dataclass
class Text:
    """One translatable text: its context, singular, plural, and the files that use it."""

    context: str | None
    one: str
    many: str | None = None
    places: set[str] = field(default_factory=set)

    @property
    def key(self) -> Key:
        return self.context, self.one


class NotALiteral(ValueError):
    """A call translates an f-string, which no catalogue can hold."""


def catalogues(room: str) -> Iterator[Path]:
    for language in LANGUAGES:
        yield ROOT / room / "locale" / language / "LC_MESSAGES" / "django.po"


def compile_all() -> None:
    for room in ROOMS:
        for path in catalogues(room):
            if path.exists():
                polib.pofile(str(path)).save_as_mofile(str(path.with_suffix(".mo")))


def texts(room: str) -> dict[Key, Text]:
    found: dict[Key, Text] = {}
    for path in sorted((ROOT / room).rglob("*")):
        if path.suffix == ".py" and "migrations" not in path.parts:
            said = in_python(path.read_text(), str(path))
        elif path.suffix in (".html", ".txt") and "templates" in path.parts:
            said = in_template(path.read_text())
        else:
            continue
        for text in said:
            known = found.setdefault(text.key, text)
            known.many = known.many or text.many
            known.places.add(str(path.relative_to(ROOT)))
    return found


def in_python(source: str, name: str = "<source>") -> Iterator[Text]:
    for node in ast.walk(ast.parse(source, name)):
        if isinstance(node, ast.Call) and (parts := CALLS.get(_called(node.func))):
            given = node.args[: len(parts)]
            if any(isinstance(argument, ast.JoinedStr) for argument in given):
                raise NotALiteral(f"{name}:{node.lineno} translates an f-string")
            values = [a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if len(values) == len(parts):
                yield _text(dict(zip(parts, values, strict=True)))


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def in_template(source: str) -> Iterator[Text]:
    from django.conf import settings
    from django.utils.translation.template import templatize

    if not settings.configured:
        settings.configure()
    for name, arguments in TEMPLATE_CALL.findall(templatize(source)):
        values = [ast.literal_eval(literal) for literal in re.findall(LITERAL, arguments, re.DOTALL)]
        yield _text(dict(zip(CALLS[name], values, strict=False)))


def _text(parts: dict[str, str]) -> Text:
    return Text(parts.get("context"), parts["one"], parts.get("many"))


def problems(room: str) -> Iterator[str]:
    said = texts(room)
    for path in catalogues(room):
        where = path.relative_to(ROOT)
        if not path.exists():
            if said:
                yield f"{where}: missing, {len(said)} texts untranslated"
            continue
        entries = {
            (entry.msgctxt, entry.msgid): entry for entry in polib.pofile(str(path)) if not entry.obsolete
        }
        for key, text in said.items():
            if key not in entries:
                yield f"{where}: no entry for {text.one!r} ({', '.join(sorted(text.places))})"
        for key, entry in entries.items():
            yield from (f"{where}: {fault}: {entry.msgid!r}" for fault in faults(entry, said.get(key)))


def faults(entry: polib.POEntry, text: Text | None) -> Iterator[str]:
    if text is None:
        yield "no source uses this any more"
        return
    if entry.fuzzy:
        yield "unsure (fuzzy)"
    if (text.many or None) != (entry.msgid_plural or None):
        yield "the plural differs from the source"
    said = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
    if not said or not all(translated.strip() for translated in said):
        yield "not translated"
        return
    # A language without plural forms may be modelled on either the singular or the plural.
    wanted = [_placeholders(source) for source in (entry.msgid, entry.msgid_plural) if source]
    if not all(_placeholders(translated) in wanted for translated in said):
        yield "placeholders differ"


def _placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text.replace("%%", "")))


def update(room: str) -> None:
    """Adds what is new, with an empty translation; drops what no source uses; keeps every translation."""
    said = texts(room)
    if not said:
        return
    for path in catalogues(room):
        old = {(e.msgctxt, e.msgid): e for e in polib.pofile(str(path))} if path.exists() else {}
        catalogue = polib.POFile(wrapwidth=110)
        catalogue.metadata = {
            "Language": path.parts[-3],
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=UTF-8",
            "Content-Transfer-Encoding": "8bit",
            "Plural-Forms": "nplurals=1; plural=0;",
        }
        for key, text in sorted(said.items(), key=lambda item: (min(item[1].places), item[0][1])):
            catalogue.append(_entry(text, old.get(key)))
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogue.save(str(path))


def _entry(text: Text, old: polib.POEntry | None) -> polib.POEntry:
    entry = polib.POEntry(msgctxt=text.context, msgid=text.one, msgid_plural=text.many or "")
    entry.occurrences = [(place, "") for place in sorted(text.places)]
    if "%(" in text.one or "%s" in text.one or "%d" in text.one:
        entry.flags = ["python-format"]
    before = (old.msgstr or old.msgstr_plural.get(0, "")) if old else ""
    if text.many:
        entry.msgstr_plural = {0: before}
    else:
        entry.msgstr = before
    if old and old.fuzzy:
        entry.flags = [*entry.flags, "fuzzy"]
    return entry


def main(task: str) -> int:
    if task == "compile":
        compile_all()
        return 0
    if task == "update":
        for room in ROOMS:
            update(room)
        return 0
    if task != "check":
        print(__doc__)
        return 2
    found = [problem for room in ROOMS for problem in problems(room)]
    print("\n".join(found) if found else "catalogues: complete")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
