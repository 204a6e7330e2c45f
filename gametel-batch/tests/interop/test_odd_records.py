"""Odd records: what we have of each, what the old job has, and that every difference is a documented one."""
import re
from collections import Counter
from pathlib import Path

import pytest

import differences
import odd_records
import readers
import record_rules
import seed_job
import topics
from outcomes import ours, spared, theirs

README = Path(__file__).parents[2] / "README.md"
RANDOM = 600


@pytest.fixture(scope="module")
def landed(brokers, batch, tmp_path_factory):
    records = odd_records.records(RANDOM, partitions=3)
    topic = topics.create(brokers, "odd", partitions=3)
    topics.send(brokers, topic, records)
    tables = tmp_path_factory.mktemp("odd")
    report = batch(f"kafka://{brokers}/{topic}", tables)
    return topic, records, tables, report


def in_order(records):
    """As the job reads them: one partition after the other."""
    return sorted((record for record in records if not record.aborted), key=lambda record: record.partition)


@pytest.mark.parametrize("dataset", record_rules.COLUMNS)
def test_three_readers_read_what_was_sent(spark, landed, dataset):
    _, records, tables, _ = landed
    schema, rows = readers.by_all(spark, tables / dataset)
    names = ["raw_event", "timestamp", *record_rules.COLUMNS[dataset]]
    assert schema == [(name, "string") for name in names]
    sent = [
        record
        for record in in_order(records)
        if record.value is not None and record_rules.landing(record.value)[0] == dataset
    ]
    assert len(sent) > 50
    expected = [record_rules.row(record) for record in sent]
    for place, (row, wanted) in enumerate(zip(rows, expected)):
        assert row == wanted, f"row {place}"
    assert len(rows) == len(expected)


def test_three_readers_read_the_quarantine_and_its_bytes(spark, landed):
    topic, records, tables, report = landed
    schema, rows = readers.by_all(spark, tables / "quarantine")
    assert schema == [
        ("raw_event", "binary"),
        ("topic", "string"),
        ("partition", "int"),
        ("offset", "bigint"),
        ("timestamp", "string"),
        ("reason", "string"),
        ("detail", "string"),
    ]
    offsets, expected = Counter(), []
    for record in in_order(records):
        offset = offsets[record.partition]
        offsets[record.partition] += 1
        place, reason = ("tombstone", None) if record.value is None else record_rules.landing(record.value)
        if place == "quarantine":
            at = record_rules.timestamp(record.millis)
            expected.append([record.value, topic, record.partition, offset, at, reason])
    assert [row[:6] for row in rows] == expected
    assert all(row[6] for row in rows), "each has a detail"
    assert report["quarantined"] == Counter(row[5] for row in rows)
    assert len(report["quarantined"]) == 5, "every reason but that of typed columns"


def test_the_counts_are_those_of_what_was_sent(landed):
    _, records, _, report = landed
    landings = [record_rules.landing(r.value) for r in records if r.value is not None and not r.aborted]
    unselected = Counter(
        record_rules.column(found["event_type"]) for place, found in landings if place == "unselected"
    )
    assert report["unselected"] == unselected
    assert report["tombstones"] == 2
    assert report["read"] == len(records) - 1, "all but the aborted one"


@pytest.fixture(scope="module")
def explained(brokers, spark, landed, tmp_path_factory):
    """Each record's outcomes and the classes of their differences."""
    topic, records, tables, _ = landed
    folder = tmp_path_factory.mktemp("spark")
    seed_job.main(brokers, topic, folder, guard=spared)
    here, there = ours(records, tables), theirs(records, folder)
    found = {}
    for record in records:
        our, their = here[record.millis], there[record.millis]
        try:
            classes = differences.explain(record, our, their)
        except AssertionError as unexplained:
            classes = {str(unexplained)}
        found[record] = our, their, classes
    return found


def test_each_record_differs_from_the_seeds_job_as_documented_and_no_more(landed, explained):
    wrong = [
        f"{record.value and record.value[:120]!r}: {sorted(found)}, not {sorted(classes)}: {here!r:.300} {there!r:.300}"
        for record, classes in landed[1].items()
        for here, there, found in [explained[record]]
        if found != classes and (classes is not None or not found <= set(differences.CLASSES))
    ]
    assert not wrong, f"{len(wrong)} differ otherwise:\n" + "\n".join(wrong)


def test_every_class_of_difference_is_seen_and_the_figures_add_up(explained, capsys):
    by_class = Counter()
    rows = equal = 0
    for here, there, classes in explained.values():
        rows += here.row is not None and there.row is not None
        equal += not classes
        by_class.update(classes)
    with capsys.disabled():
        print(f"\nodd records: {len(explained)} compared, {rows} of them rows in both, {equal} equal in all")
        for name in differences.CLASSES:
            print(f"  {name}: {by_class[name]}")
    assert set(by_class) == set(differences.CLASSES)
    assert equal > 200
    assert equal + sum(bool(classes) for _, _, classes in explained.values()) == len(explained)


def test_the_readme_has_each_class_of_difference_and_no_other():
    section = README.read_text().split("\n## Beside Spark\n", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^\| \*\*(.+?)\*\* \|", section, re.M) == differences.CLASSES


@pytest.mark.parametrize(
    "value, error",
    [
        (b"{oops", "JSONDecodeError"),
        (b"[]", "TypeError"),
        (b"{}", "KeyError"),
        (None, "TypeError"),
        (b'{"event_type":"default","x":' + b"[" * 2_000 + b"]" * 2_000 + b"}", "RecursionError"),
    ],
)
def test_one_such_record_ends_the_seeds_job(brokers, spark, tmp_path, value, error):
    topic = topics.create(brokers, "death")
    sword = b'{"event_type":"purchase_sword"}'
    topics.send(brokers, topic, [topics.Record(sword, odd_records.START), topics.Record(value, odd_records.START + 1)])
    with pytest.raises(Exception, match=error):
        seed_job.main(brokers, topic, tmp_path)
    assert not list(tmp_path.glob("*/*.parquet")), "it wrote nothing"
