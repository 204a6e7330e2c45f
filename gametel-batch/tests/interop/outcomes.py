"""What became of each record, here and in the old job."""
from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.parquet

import seed_job
from record_rules import COLUMNS, timestamp


@dataclass(frozen=True)
class Outcome:
    """A dataset and a row of it; or quarantine and a reason; or `unselected`, `tombstone`, `unread`;
    or `dies` and the name of the error that ends the old job."""

    place: str
    row: list | None = None
    reason: str | None = None


def ours(records, tables):
    """By the record's milliseconds."""
    found = {}
    for dataset in COLUMNS:
        for row in _rows(tables / dataset):
            _once(found, row[1], Outcome(dataset, row))
    quarantine = pyarrow.parquet.read_table(tables / "quarantine").to_pylist()
    for row in quarantine:
        _once(found, row["timestamp"], Outcome("quarantine", reason=row["reason"]))
    return {record.millis: found.get(timestamp(record.millis)) or _no_row(record) for record in records}


def _no_row(record):
    if record.aborted:
        return Outcome("unread")
    return Outcome("tombstone" if record.value is None else "unselected")


def theirs(records, folder):
    """By the record's milliseconds. `folder` is what the job wrote with the guard `spared`."""
    found = {}
    for dataset in ("equipment_purchases", "consumable_purchases"):
        for row in _rows(folder / dataset):
            _once(found, row[1], Outcome(dataset, row))
    return {
        record.millis: found.get(timestamp(record.millis)) or _without_row(record) for record in records
    }


def _without_row(record):
    """Why the job has no row of a record: asked of the job's own functions."""
    value = record.value if record.value is None else record.value.decode(errors="replace")
    for choose in (seed_job.is_equipment_purchase, seed_job.is_consumable_purchase):
        try:
            assert not choose(value), f"the job chose {record.value[:200]!r}, and lost it"
        except AssertionError:
            raise
        except Exception as error:
            return Outcome("dies", reason=type(error).__name__)
    return Outcome("unselected")


def spared(choose):
    """A guard for the job: what it would die of, it leaves out."""

    def chosen(event_as_json):
        try:
            return choose(event_as_json)
        except Exception:
            return False

    return chosen


def _once(found, name, outcome):
    assert name not in found, f"two outcomes of the record of {name}: {found[name]} and {outcome}"
    found[name] = outcome


def _rows(folder: Path):
    """Rows of strings. Spark may have written some that are no UTF-8: those keep their bytes."""
    table = pyarrow.parquet.read_table(folder)
    columns = [column.cast(pyarrow.binary()).to_pylist() for column in table.columns]
    text = lambda cell: None if cell is None else cell.decode(errors="surrogateescape")
    return [[text(cell) for cell in row] for row in zip(*columns)]
