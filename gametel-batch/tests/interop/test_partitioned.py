"""Partitioned datasets: folders as Hive and Spark name them, which the three readers read as a column."""
import json
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet
import pytest

import readers
import topics

CATALOG = Path(__file__).parent / "partitioned.toml"
START = 1_795_500_000_000  # 2026-11-24 06:00 UTC
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"

# The JSON of `event_ts`, and the day that it puts an event into.
DAYS = {
    None: "2026-11-24",
    "null": "2026-11-24",
    '"noon"': "2026-11-24",
    "1795500000000": "2026-11-24",
    "1795478399.999999": "2026-11-23",
    "1795478400": "2026-11-24",
    '"2026-11-24T23:30:00-01:00"': "2026-11-25",
    "-0.5": "1969-12-31",
    '"1582-10-10T00:00:00Z"': "1582-10-10",
    "-62135596800": "0001-01-01",
    '"9999-12-31T23:59:59Z"': "9999-12-31",
}
GUILDS = [
    *["Owls", "owls", "red dragons", " blank ", "Ünïcödé", "猫と犬", "😀", "e\u0301", "\u00a0"],
    *["a/b", "a=b", "50%", "%2F", "%zz", "a:b", 'a"b', "a'b", "a\\b", "a*b?", "a#b", "a^b", "{a}", "[a]"],
    *["a+b", "a&b;c", "a,b", "a|b", "<a>", "$a", "~a", "`a`", "-", ".", "..", "_a", "a\tb", "a\nb", "\x01\x7f"],
    *["7", "007", "1e3", "0x10", "true", "null", "NaN", "2026-11-24", "2026-11-24 06:00:00", "x" * 200],
]
# Strings without a folder of their own: to Hive an empty one is none, and its name for none is none, too.
NO_GUILDS = [None, "null", '""', json.dumps(NO_VALUE)]
RANKS = {"0": 0, "-7": -7, "3.0": 3, "9223372036854775807": 2**63 - 1, "-9223372036854775808": -(2**63)}
FLAGS = {"true": True, "false": False}


def events(event_type, name, values):
    """Two events of each value: one early, one late, so that no folder's rows come together."""
    for again in (1, 2):
        for value in values:
            member = "" if value is None else f',"{name}":{value}'
            yield f'{{"event_type":"{event_type}","again":{again}{member}}}'.encode(), value


@pytest.fixture(scope="module")
def landed(brokers, batch, tmp_path_factory):
    """What was sent of each dataset: the bytes and the JSON of what it is partitioned by."""
    sent = {
        "days": list(events("by_day", "event_ts", DAYS)),
        "guilds": list(events("by_guild", "guild", [*map(json.dumps, GUILDS), *NO_GUILDS])),
        "ranks": list(events("by_rank", "rank", [*RANKS, None, "null"])),
        "flags": list(events("by_flag", "flag", [*FLAGS, None])),
        "nothing": [],
    }
    topic = topics.create(brokers, "partitioned")
    values = [value for of_one in sent.values() for value, _ in of_one]
    topics.send(brokers, topic, [topics.Record(value, START + place) for place, value in enumerate(values)])
    tables = tmp_path_factory.mktemp("partitioned")
    batch(f"kafka://{brokers}/{topic}", tables, "--catalog", CATALOG)
    return sent, tables


@pytest.mark.parametrize(
    "dataset, column, kind, value_of",
    [
        ("days", "event_date", "date", lambda sent: date.fromisoformat(DAYS[sent])),
        ("guilds", "guild", "string", lambda sent: None if sent in NO_GUILDS else json.loads(sent)),
        ("ranks", "rank", "bigint", lambda sent: RANKS.get(sent)),
        ("flags", "flag", "boolean", lambda sent: FLAGS.get(sent)),
        ("nothing", "event_date", "date", None),
    ],
)
def test_three_readers_read_what_was_sent(spark, landed, dataset, column, kind, value_of):
    sent, tables = landed
    schema, rows = readers.by_all(spark, tables / dataset, partition=(column, kind))
    assert schema[0] == ("raw_event", "string") and schema[-1] == (column, kind)
    assert sorted(row[0] for row in rows) == sorted(value.decode() for value, _ in sent[dataset])
    values = {value.decode(): value_of(part) for value, part in sent[dataset]}
    assert {row[0]: row[-1] for row in rows} == values


def test_the_folders_are_those_that_spark_writes(spark, landed, tmp_path):
    _, tables = landed
    for dataset, column, kind in [("guilds", "guild", "string"), ("ranks", "rank", "bigint"), ("flags", "flag", "boolean")]:
        frame = readers.spark_frame(spark, tables / dataset, (column, kind))
        frame.write.partitionBy(column).parquet(str(tmp_path / dataset))
        folders = lambda root: {path.name for path in root.iterdir() if path.is_dir()}
        assert folders(tables / dataset) == folders(tmp_path / dataset)
        assert len(folders(tables / dataset)) > 2


def test_spark_and_duckdb_find_the_type_of_a_partition_by_themselves(spark, landed):
    """But for a boolean, which Spark's own tables don't get back either."""
    _, tables = landed
    for dataset, kind in [("days", "date"), ("guilds", "string"), ("ranks", "bigint"), ("flags", "string")]:
        assert spark.read.parquet(str(tables / dataset)).dtypes[-1][1] == kind
        with duckdb.connect() as connection:
            read = f"read_parquet('{tables / dataset}/**/*.parquet', hive_partitioning = true)"
            assert readers.DUCKDB_TYPES[connection.sql(f"DESCRIBE FROM {read}").fetchall()[-1][1]] == kind


def test_the_files_do_not_have_the_column_of_their_folder(landed):
    _, tables = landed
    for dataset, rest in [
        ("days", ["raw_event", "timestamp", "event_ts"]),
        ("guilds", ["raw_event", "timestamp"]),
        ("nothing", ["raw_event", "timestamp"]),
    ]:
        files = list((tables / dataset).glob("*/*.parquet"))
        assert files and not list((tables / dataset).glob("*.parquet"))
        assert all(pyarrow.parquet.read_schema(file).names == rest for file in files)
