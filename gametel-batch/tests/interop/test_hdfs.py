"""What is written to HDFS: Spark reads it where it is, the other readers once Hadoop's own shell has fetched it."""
import os
import subprocess
import uuid
from pathlib import Path

import pytest

import readers
import record_rules
import seed_events
import topics

CLUSTER = Path(__file__).parents[3] / "examples" / "cluster" / "cluster"


@pytest.fixture(scope="module")
def landed(brokers, batch):
    records = seed_events.golden()
    topic = topics.create(brokers, "hdfs")
    topics.send(brokers, topic, records)
    output = f"{os.environ['GAMETEL_INTEROP_HDFS']}/tmp/{uuid.uuid4().hex}"
    batch(f"kafka://{brokers}/{topic}", output)
    return records, output


def shell(*arguments):
    """Hadoop's own FsShell."""
    done = subprocess.run([CLUSTER, "fs", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("dataset", record_rules.COLUMNS)
def test_three_readers_read_what_was_sent(spark, landed, tmp_path, dataset):
    records, output = landed
    sent = [record_rules.row(r) for r in records if record_rules.landing(r.value)[0] == dataset]
    names = ["raw_event", "timestamp", *record_rules.COLUMNS[dataset]]
    schema, rows = readers.by_spark(spark, f"{output}/{dataset}")
    assert (schema, rows) == ([(name, "string") for name in names], sent)
    shell("-get", f"{output}/{dataset}", str(tmp_path))
    assert readers.by_all(spark, tmp_path / dataset) == (schema, rows)


def test_hadoops_shell_lists_the_datasets_and_hides_nothing_else(landed):
    _, output = landed
    names = {line.rsplit("/", 1)[1] for line in shell("-ls", output).splitlines() if "/" in line}
    assert names == {*record_rules.COLUMNS, "quarantine", "_gametel"}
    files = [line for line in shell("-ls", "-R", f"{output}/equipment_purchases").splitlines() if "/" in line]
    assert files and all(line.endswith(".parquet") for line in files)
