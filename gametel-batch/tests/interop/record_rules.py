"""What a record must become, written a second time, from the README's text and not from its code."""
import json
import re
import sys
from datetime import datetime, timedelta
from json.decoder import JSONDecodeError, scanstring

COLUMNS = {
    "equipment_purchases": ["Accept", "Host", "User-Agent", "event_ts", "event_type"],
    "consumable_purchases": ["Accept", "Host", "User-Agent", "description", "event_ts", "event_type"],
    "guild_joins": ["Accept", "Host", "User-Agent", "event_ts", "event_type", "guild"],
}
DATASETS = {
    "purchase_sword": "equipment_purchases",
    "purchase_shield": "equipment_purchases",
    "purchase_spear": "equipment_purchases",
    "purchase_potion": "consumable_purchases",
    "join_guild": "guild_joins",
}

SPACE = re.compile(r"[ \t\n\r]*")
STRING_OR_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\n\r]+', re.S)


def _refuse(constant):
    raise JSONDecodeError(f"{constant} is no JSON", constant, 0)


# Numbers stay the text that they are.
DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)


def members(text):
    """The JSON text of each top-level member of one object, by its name: the last of a name wins."""
    sys.setrecursionlimit(20_000)
    try:
        found, at = {}, _skip(text, 0)
        if text[at : at + 1] != "{":
            raise JSONDecodeError("no object", text, at)
        at = _skip(text, at + 1)
        while text[at : at + 1] != "}":
            if found:
                at = _skip(text, _expect(text, at, ","))
            name, at = scanstring(text, _expect(text, at, '"'))
            start = _skip(text, _expect(text, _skip(text, at), ":"))
            _, end = DECODER.raw_decode(text, start)
            found[name] = text[start:end]
            at = _skip(text, end)
        if _skip(text, at + 1) != len(text):
            raise JSONDecodeError("more than one value", text, at)
        return found
    finally:
        sys.setrecursionlimit(1_000)


def _skip(text, at):
    return SPACE.match(text, at).end()


def _expect(text, at, mark):
    if text[at : at + 1] != mark:
        raise JSONDecodeError(f"no {mark}", text, at)
    return at + 1


def compact(text):
    return STRING_OR_SPACE.sub(lambda found: found[1] or "", text)


def column(json_text):
    """What a string column holds for a member's JSON text."""
    if json_text is None or json_text == "null":
        return None
    if json_text[0] == '"':
        return with_replacements(json.loads(json_text))
    return compact(json_text) if json_text[0] in "[{" else json_text


def with_replacements(text):
    """Half a surrogate pair is no character."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def timestamp(millis):
    at = datetime(1970, 1, 1) + timedelta(milliseconds=millis)
    return at.strftime("%Y-%m-%d %H:%M:%S") + (f".{millis % 1000:03}".rstrip("0") if millis % 1000 else "")


def landing(value):
    """Where a value lands, and its members if that is a dataset; of quarantine also the reason."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return "quarantine", "invalid_utf8"
    try:
        found = members(text)
    except JSONDecodeError:
        return "quarantine", "not_an_object" if _is_json(text) else "invalid_json"
    if "event_type" not in found:
        return "quarantine", "missing_event_type"
    if found["event_type"][0] != '"':
        return "quarantine", "event_type_not_a_string"
    return DATASETS.get(column(found["event_type"]), "unselected"), found


def _is_json(text):
    try:
        return _skip(text, DECODER.raw_decode(text, _skip(text, 0))[1]) == len(text)
    except JSONDecodeError:
        return False


def row(record):
    """The row of a record that lands in a dataset."""
    dataset, found = landing(record.value)
    return [record.value.decode(), timestamp(record.millis)] + [
        column(found.get(name)) for name in COLUMNS[dataset]
    ]
