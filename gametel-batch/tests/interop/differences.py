"""Where the old job's rows and ours differ on purpose: one class of difference each, and no others.

The README of gametel-batch has a table of these classes, by these very names, with the reasons.
"""
import json
import math
import re

from record_rules import COLUMNS, column, compact, landing, with_replacements

CLASSES = [
    "number text",
    "numbers beyond doubles",
    "objects and arrays",
    "half a surrogate pair",
    "no JSON",
    "NaN and Infinity",
    "no object",
    "no event_type",
    "event_type that is no string",
    "invalid UTF-8",
    "tombstones",
    "limits of Spark's parser",
    "limits of Python's parser",
    "aborted transactions",
    "guild_joins",
]


def explain(record, ours, theirs):
    """The classes of the differences between what became of a record here and there.

    Fails where a difference is of no class. An outcome is a place, and a row or a word more: see
    `outcomes`.
    """
    if ours == theirs:
        return set()
    if ours.row is not None and theirs.row is not None:
        return _of_rows(record, ours, theirs)
    return {_of_places(record, ours, theirs)}


def _of_places(record, ours, theirs):
    match (ours.place, ours.reason), (theirs.place, theirs.reason):
        case ("unread", _), (place, _) if record.aborted and place in COLUMNS:
            return "aborted transactions"
        case ("tombstone", _), ("dies", "TypeError"):
            return "tombstones"
        case ("quarantine", "invalid_json"), ("dies", "JSONDecodeError"):
            return "no JSON"
        case ("quarantine", "invalid_json"), (place, _) if place != "dies" and _has_constant(record.value):
            return "NaN and Infinity"
        case ("quarantine", "not_an_object"), ("dies", "TypeError"):
            return "no object"
        case ("quarantine", "missing_event_type"), ("dies", "KeyError"):
            return "no event_type"
        case ("quarantine", "event_type_not_a_string"), ("unselected", _):
            return "event_type that is no string"
        case ("quarantine", "invalid_utf8"), _:
            _is_a_row_with_replacements(record, theirs)
            return "invalid UTF-8"
        case (place, _), ("dies", "RecursionError" | "ValueError") if place in COLUMNS:
            return "limits of Python's parser"
        case ("guild_joins", _), ("unselected", _):
            return "guild_joins"
    raise AssertionError(f"no class for {record.value[:200]!r}: {ours} here, {theirs} there")


def _is_a_row_with_replacements(record, theirs):
    """Spark decodes what it looks into, and writes the bytes as they are into a column of strings."""
    if theirs.row is None:
        return
    unexplained = f"no class for {record.value[:200]!r}: {theirs} there"
    assert theirs.row[0].encode(errors="surrogateescape") == record.value, unexplained
    _, members = landing(record.value.decode(errors="replace").encode())
    wanted = [column(members.get(name)) for name in COLUMNS[theirs.place]]
    assert [_squeezed(cell) for cell in theirs.row[2:]] == [_squeezed(cell) for cell in wanted], unexplained


def _squeezed(cell):
    """Java and Python count differently how many characters odd bytes stand for."""
    return cell and re.sub("\ufffd+", "\ufffd", cell)


def _has_constant(value):
    """Whether Python reads the value, but only because NaN and Infinity are numbers to it."""
    seen = []
    json.loads(value, parse_constant=seen.append)
    return bool(seen)


def _of_rows(record, ours, theirs):
    assert ours.place == theirs.place, f"{record.value[:200]!r}: {ours.place} here, {theirs.place} there"
    assert ours.row[:2] == theirs.row[:2], f"{ours.row[:2]} here, {theirs.row[:2]} there"
    _, members = landing(record.value)
    if theirs.row[2:] == [None] * len(theirs.row[2:]) and _is_beyond_jackson(members):
        return {"limits of Spark's parser"}
    cells = zip(COLUMNS[ours.place], ours.row[2:], theirs.row[2:])
    return {_of_cells(members[name], our, their) for name, our, their in cells if our != their}


def _is_beyond_jackson(members):
    """More than 1,000 characters of a number or 50,000 of a name."""
    number = re.compile(r"-?\d[-+.\deE]{1000,}")
    return any(len(name) > 50_000 or number.fullmatch(text) for name, text in members.items())


def _of_cells(text, ours, theirs):
    unexplained = f"no class for {text[:200]}: {ours!r:.200} here, {theirs!r:.200} there"
    assert ours is not None and theirs is not None, unexplained
    if text[0] == '"':
        # Java writes a question mark for what UTF-8 can't hold.
        decoded = json.loads(text)
        assert ours == with_replacements(decoded), unexplained
        assert theirs == re.sub("[\ud800-\udfff]", "?", decoded), unexplained
        return "half a surrogate pair"
    if text[0] in "[{":
        assert ours == compact(text), unexplained
        assert _meaning(ours) == _meaning(theirs), unexplained
        return "objects and arrays"
    assert ours == text, unexplained
    number = float(text)
    if math.isinf(number) or (number == 0 and re.search("[1-9]", re.split("[eE]", text)[0])):
        # JSON has no infinity, so Spark makes it a string, quotes and all.
        assert theirs == (str(number) if number == 0 else f'"{_word(number)}"'), unexplained
        return "numbers beyond doubles"
    assert float(theirs) == number, unexplained
    return "number text"


def _meaning(text):
    """A value without its spelling: every number a double, what no double holds the word for it."""

    def number(token):
        double = float(token)
        return _word(double) if math.isinf(double) else double

    return json.loads(text, parse_int=number, parse_float=number, object_pairs_hook=list)


def _word(infinity):
    return "Infinity" if infinity > 0 else "-Infinity"
