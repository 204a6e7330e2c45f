"""Typed columns: three readers, one type each, and the values that were sent."""
import struct
from pathlib import Path

import pytest

import readers
import topics

CATALOG = Path(__file__).parent / "typed.toml"
START = 1_795_500_000_000

# Of each column: the JSON that is sent, and what a table must hold.
WHOLE = {
    "0": 0,
    "-0": 0,
    "3.0": 3,
    "30e-1": 3,
    "1E3": 1_000,
    "9007199254740993": 9_007_199_254_740_993,
    "9223372036854775807": 2**63 - 1,
    "-9223372036854775808": -(2**63),
}
REAL = {
    "0": 0.0,
    "-0": -0.0,
    "1": 1.0,
    "0.1": 0.1,
    "1.10": 1.1,
    "5e-324": 5e-324,
    "1.7976931348623157e308": 1.7976931348623157e308,
    "9007199254740993": 9_007_199_254_740_992.0,
    "123456789.123456789123456789": 123456789.12345679,
}
FLAG = {"true": True, "false": False}
AT = {
    "0": 0,
    "1795486294.303275": 1_795_486_294_303_275,
    "1.795486294303275E9": 1_795_486_294_303_275,
    "1795486294.3032759": 1_795_486_294_303_275,
    "-0.000001": -1,
    '"2026-11-24T03:11:34.5+01:00"': 1_795_486_294_500_000,
    '"1969-12-31T23:59:59.999999Z"': -1,
    '"1582-10-10T00:00:00Z"': -12_219_724_800_000_000,
    "-62135596800": -62_135_596_800_000_000,
    '"9999-12-31T23:59:59.999999Z"': 253_402_300_799_999_999,
}
TEXT = {'"a"': "a", "1.50": "1.50", "true": "true", '""': "", r'"\u0000😀"': "\0😀", "[ 1 ]": "[1]"}
ANY = {'"a"': '"a"', "1.50": "1.50", '{ "a" : [] }': '{"a":[]}', r'"\u00e9"': r'"\u00e9"'}
# Of this column what does not fit is null, and counted.
NULLED = ['"three"', "3.5", "[]", "1e400"]
GUESS = {"3": 3, **dict.fromkeys(NULLED)}
COLUMNS = {"text": TEXT, "whole": WHOLE, "real": REAL, "flag": FLAG, "at": AT, "any": ANY, "guess": GUESS}

# What fits no column of the type: the whole record is in quarantine.
MISFITS = [
    *(("whole", value) for value in ["3.5", "9223372036854775808", '"3"', "true", "[]", "1e19"]),
    *(("real", value) for value in ["1e400", '"1"', "false", "{}"]),
    *(("flag", value) for value in ["0", '"true"', "[true]"]),
    *(("at", value) for value in ["1795486294303", '"yesterday"', "true", '"10000-01-01T00:00:00Z"']),
]


def event(members):
    members = {"event_type": '"measured"', **members}
    return ("{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}").encode()


def rows_sent():
    """Members of a record, and the values of its row: each value of each column once, among nulls."""
    yield {}, {}
    yield dict.fromkeys(COLUMNS, "null"), {}
    for name, values in COLUMNS.items():
        for sent, held in values.items():
            yield {name: sent}, {name: held}
    longest = max(map(len, COLUMNS.values()))
    for place in range(longest):
        pick = {name: list(values.items())[place % len(values)] for name, values in COLUMNS.items()}
        yield {name: sent for name, (sent, _) in pick.items()}, {name: held for name, (_, held) in pick.items()}


@pytest.fixture(scope="module")
def landed(brokers, batch, tmp_path_factory):
    sent = list(rows_sent())
    values = [event(members) for members, _ in sent] + [event({name: value}) for name, value in MISFITS]
    topic = topics.create(brokers, "typed")
    topics.send(brokers, topic, [topics.Record(value, START + place) for place, value in enumerate(values)])
    tables = tmp_path_factory.mktemp("typed")
    report = batch(f"kafka://{brokers}/{topic}", tables, "--catalog", CATALOG)
    return [held for _, held in sent], values, tables, report


def test_three_readers_agree_on_types_and_values(spark, landed):
    held, _, tables, _ = landed
    schema, rows = readers.by_all(spark, tables / "measurements")
    assert schema == [
        ("timestamp", "timestamp"),
        ("event_type", "string"),
        ("text", "string"),
        ("whole", "bigint"),
        ("real", "double"),
        ("flag", "boolean"),
        ("at", "timestamp"),
        ("any", "string"),
        ("guess", "bigint"),
    ]
    for place, (row, values) in enumerate(zip(rows, held)):
        real = values.get("real")
        bits = None if real is None else struct.pack(">d", real).hex()
        wanted = [(START + place) * 1_000, "measured"]
        wanted += [bits if name == "real" else values.get(name) for name in COLUMNS]
        assert row == wanted, f"row {place}"
    assert len(rows) == len(held)


def test_three_readers_read_the_bytes_of_what_did_not_fit(spark, landed):
    held, values, tables, report = landed
    _, rows = readers.by_all(spark, tables / "quarantine")
    assert [row[0] for row in rows] == values[len(held) :]
    assert [row[3] for row in rows] == list(range(len(held), len(values)))
    assert {row[5] for row in rows} == {"column_type_mismatch"}
    assert report["quarantined"] == {"column_type_mismatch": len(MISFITS)}


def test_what_may_be_null_instead_is_counted(landed):
    _, values, _, report = landed
    sent = sum(f'"guess":{value}'.encode() in sent for sent in values for value in NULLED)
    assert sent > len(NULLED)
    counted = {entry["name"]: entry.get("nulled") for entry in report["datasets"]}
    assert counted["measurements"] == {"guess": sent}
