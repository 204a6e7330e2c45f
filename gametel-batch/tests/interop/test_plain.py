"""Plain datasets: three readers, one schema, the rows that were sent."""
from pathlib import Path

import pytest

import readers
import record_rules
import seed_events
import seed_job
import topics
from differences import explain
from outcomes import ours, theirs

GENERATED = 3_000


@pytest.fixture(scope="module")
def landed(brokers, batch, tmp_path_factory):
    """A topic of the old server's events, and the datasets that were made of it."""
    records = seed_events.golden()
    records += seed_events.generated(GENERATED, start=records[-1].millis)
    topic = topics.create(brokers, "seed")
    topics.send(brokers, topic, records)
    tables = tmp_path_factory.mktemp("plain")
    report = batch(f"kafka://{brokers}/{topic}", tables)
    return topic, records, tables, report


@pytest.mark.parametrize("dataset", record_rules.COLUMNS)
def test_three_readers_read_what_was_sent(spark, landed, dataset):
    _, records, tables, report = landed
    schema, rows = readers.by_all(spark, tables / dataset)
    names = ["raw_event", "timestamp", *record_rules.COLUMNS[dataset]]
    assert schema == [(name, "string") for name in names]
    sent = [record for record in records if record_rules.landing(record.value)[0] == dataset]
    assert rows == [record_rules.row(record) for record in sent]
    counted = {entry["name"]: entry["rows"] for entry in report["datasets"]}
    assert counted[dataset] == len(sent)
    assert (len(sent) > 400) == (dataset != "guild_joins"), "the old server had no guilds"


def test_the_seeds_job_writes_the_same_rows_but_for_number_text(brokers, spark, landed, tmp_path, capsys):
    topic, records, tables, _ = landed
    seed_job.main(brokers, topic, tmp_path)
    printed = capsys.readouterr().out
    here, there = ours(records, tables), theirs(records, tmp_path)
    compared = equal = number_text = 0
    for record in records:
        our, their = here[record.millis], there[record.millis]
        classes = explain(record, our, their)
        if our.row is None and their.row is None:
            continue
        compared += 1
        equal += not classes
        number_text += classes == {"number text"}
        assert not our.row or [
            name for name, a, b in zip(record_rules.COLUMNS[our.place], our.row[2:], their.row[2:]) if a != b
        ] in ([], ["event_ts"])
    with capsys.disabled():
        print(f"\nthe old server's events: {compared} rows compared, {equal} equal, {number_text} number text")
    assert compared == equal + number_text
    assert min(equal, number_text) > 500, "both kinds were there to compare"
    # The job keeps the order of a partition, and so do we.
    for dataset in ("equipment_purchases", "consumable_purchases"):
        order = [row[:2] for row in readers.by_pyarrow(tables / dataset)[1]]
        assert order == [row[:2] for row in readers.by_pyarrow(tmp_path / dataset)[1]]
    # It prints the schemas that `gametel-batch schema` prints.
    assert printed.count("root\n |-- raw_event: string (nullable = true)\n") == 2
