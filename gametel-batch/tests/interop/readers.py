"""The three readers: each gives a dataset's schema, as names and types, and its rows, as lists of values.

Types have Spark's names. A timestamp is the microseconds since 1970, a double its bits, so that no
two values are equal that a reader could tell apart.
"""
import struct

import duckdb
import pyarrow.dataset
import pyarrow.parquet

ARROW_TYPES = {
    "string": "string",
    "int32": "int",
    "int64": "bigint",
    "double": "double",
    "bool": "boolean",
    "binary": "binary",
    "date32[day]": "date",
    "timestamp[us, tz=UTC]": "timestamp",
}
DUCKDB_TYPES = {
    "VARCHAR": "string",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "DOUBLE": "double",
    "BOOLEAN": "boolean",
    "BLOB": "binary",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}


def by_pyarrow(folder):
    table = pyarrow.parquet.read_table(str(folder))
    schema = [(field.name, ARROW_TYPES[str(field.type)]) for field in table.schema]
    columns = [
        column.cast(pyarrow.int64()) if kind == "timestamp" else column
        for column, (_, kind) in zip(table.columns, schema)
    ]
    return schema, _rows(zip(*(column.to_pylist() for column in columns)) if columns else [], schema)


def by_duckdb(folder):
    with duckdb.connect() as connection:
        read = f"read_parquet('{_quoted(folder)}/**/*.parquet')"
        described = connection.sql(f"DESCRIBE FROM {read}").fetchall()
        schema = [(name, DUCKDB_TYPES[kind]) for name, kind, *_ in described]
        columns = [
            f'epoch_us("{name}")' if kind == "timestamp" else f'"{name}"' for name, kind in schema
        ]
        return schema, _rows(connection.sql(f"SELECT {', '.join(columns)} FROM {read}").fetchall(), schema)


def _quoted(path):
    return str(path).replace("'", "''")


def by_spark(spark, folder):
    from pyspark.sql.functions import col, unix_micros

    frame = spark.read.parquet(str(folder))
    columns = [
        unix_micros(col(f"`{name}`")) if kind == "timestamp" else col(f"`{name}`")
        for name, kind in frame.dtypes
    ]
    return frame.dtypes, _rows(map(tuple, frame.select(columns).collect()), frame.dtypes)


def _rows(rows, schema):
    kinds = [kind for _, kind in schema]
    return [[_value(value, kind) for value, kind in zip(row, kinds)] for row in rows]


def _value(value, kind):
    if value is None:
        return None
    if kind == "double":
        return struct.pack(">d", value).hex()
    return bytes(value) if kind == "binary" else value


def by_all(spark, folder):
    """The schema and the rows that the three readers agree on."""
    schema, rows = by_pyarrow(folder)
    for name, (other_schema, other_rows) in {
        "DuckDB": by_duckdb(folder),
        "Spark": by_spark(spark, folder),
    }.items():
        assert other_schema == schema, f"{name} reads another schema than pyarrow from {folder}"
        assert len(other_rows) == len(rows), f"{name} reads another number of rows from {folder}"
        for place, (other, row) in enumerate(zip(other_rows, rows)):
            assert other == row, f"row {place} of {folder}: {name} reads another one than pyarrow"
    return schema, rows
