"""However the files are written, three readers read the same rows."""
import pytest

import readers
import record_rules
import seed_events
import topics

DATASET = "equipment_purchases"


@pytest.fixture(scope="module")
def sent(brokers):
    # A file ends between two batches of 8,192 records, if at all.
    records = seed_events.generated(17_000, start=1_795_500_000_000)
    topic = topics.create(brokers, "files")
    topics.send(brokers, topic, records)
    rows = [record_rules.row(r) for r in records if record_rules.landing(r.value)[0] == DATASET]
    return f"kafka://{brokers}/{topic}", rows


@pytest.mark.parametrize(
    "options, files",
    [
        (["--compression", "none"], 1),
        (["--compression", "snappy"], 1),
        (["--compression", "zstd(3)", "--row-group-rows", "100"], 1),
        (["--target-file-size", "4KiB", "--row-group-rows", "500"], 3),
        (["--sort-by", "User-Agent,timestamp"], 1),
    ],
    ids=lambda value: "-".join(value).replace("--", "") if isinstance(value, list) else "",
)
def test_three_readers_read_what_was_sent(spark, batch, sent, tmp_path, options, files):
    source, expected = sent
    batch(source, tmp_path, *options)
    assert len(list((tmp_path / DATASET).glob("*.parquet"))) >= files
    _, rows = readers.by_all(spark, tmp_path / DATASET)
    assert sorted(rows, key=repr) == sorted(expected, key=repr)
    if "--sort-by" in options:
        # Within each file: how many there are follows from the memory.
        for file in (tmp_path / DATASET).glob("*.parquet"):
            _, rows = readers.by_pyarrow(file)
            assert rows == sorted(rows, key=lambda row: (row[4] is not None, row[4] or "", row[1]))
