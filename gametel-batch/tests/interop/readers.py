"""The three readers: each gives a dataset's schema, as names and types, and its rows, as lists of values.

Types have Spark's names. A timestamp is the microseconds since 1970, a double its bits, so that no
two values are equal that a reader could tell apart.
"""
import struct

import duckdb
import pyarrow.dataset

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
ARROW_PARTITIONS = {
    "date": pyarrow.date32(),
    "string": pyarrow.string(),
    "bigint": pyarrow.int64(),
    "boolean": pyarrow.bool_(),
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


def by_pyarrow(folder, partition=None):
    """`partition` is the name and the type of the column that the folders are named after."""
    partitioning = None
    if partition:
        name, kind = partition
        wanted = pyarrow.schema([(name, ARROW_PARTITIONS[kind])])
        partitioning = pyarrow.dataset.partitioning(wanted, flavor="hive")
    table = pyarrow.dataset.dataset(str(folder), format="parquet", partitioning=partitioning).to_table()
    schema = [(field.name, ARROW_TYPES[str(field.type)]) for field in table.schema]
    columns = [
        column.cast(pyarrow.int64()) if kind == "timestamp" else column
        for column, (_, kind) in zip(table.columns, schema)
    ]
    return schema, _rows(zip(*(column.to_pylist() for column in columns)), schema)


def by_duckdb(folder, partition=None):
    with duckdb.connect() as connection:
        types = "NULL"
        if partition:
            name, kind = partition
            types = f"{{'{name}': {next(ours for ours, theirs in DUCKDB_TYPES.items() if theirs == kind)}}}"
        options = f"hive_partitioning = true, hive_types = {types}" if partition else "hive_partitioning = false"
        files = str(folder).replace("'", "''")
        read = f"read_parquet('{files}/**/*.parquet', {options})"
        described = connection.sql(f"DESCRIBE FROM {read}").fetchall()
        schema = [(name, DUCKDB_TYPES[kind]) for name, kind, *_ in described]
        columns = [f'epoch_us("{name}")' if kind == "timestamp" else f'"{name}"' for name, kind in schema]
        return schema, _rows(connection.sql(f"SELECT {', '.join(columns)} FROM {read}").fetchall(), schema)


def by_spark(spark, folder, partition=None):
    from pyspark.sql.functions import col, unix_micros

    frame = spark_frame(spark, folder, partition)
    columns = [
        unix_micros(col(f"`{name}`")) if kind == "timestamp" else col(f"`{name}`")
        for name, kind in frame.dtypes
    ]
    return frame.dtypes, _rows(map(tuple, frame.select(columns).collect()), frame.dtypes)


def spark_frame(spark, folder, partition=None):
    from pyspark.sql.types import StructType

    found = spark.read.parquet(str(folder))
    if not partition:
        return found
    name, kind = partition
    schema = StructType([field for field in found.schema if field.name != name])
    schema = schema.add(name, {"bigint": "long"}.get(kind, kind))
    return spark.read.schema(schema).parquet(str(folder))


def _rows(rows, schema):
    kinds = [kind for _, kind in schema]
    return [[_value(value, kind) for value, kind in zip(row, kinds)] for row in rows]


def _value(value, kind):
    if value is None:
        return None
    if kind == "double":
        return struct.pack(">d", value).hex()
    return bytes(value) if kind == "binary" else value


def by_all(spark, folder, partition=None):
    """The schema and the rows that the three readers agree on.

    The rows of one file are in its order. Those of several files have none, and are sorted.
    """
    sort = len(list(folder.rglob("*.parquet"))) > 1
    in_order = lambda rows: sorted(rows, key=repr) if sort else rows
    schema, rows = by_pyarrow(folder, partition)
    rows = in_order(rows)
    for name, (other_schema, other_rows) in {
        "DuckDB": by_duckdb(folder, partition),
        "Spark": by_spark(spark, folder, partition),
    }.items():
        assert other_schema == schema, f"{name} reads another schema than pyarrow from {folder}"
        assert len(other_rows) == len(rows), f"{name} reads another number of rows from {folder}"
        for place, (other, row) in enumerate(zip(in_order(other_rows), rows)):
            assert other == row, f"row {place} of {folder}: {name} reads another one than pyarrow"
    return schema, rows
