"""The services and the programs that the tests share. `.ci/interop` starts this, and says where they are."""
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
pytest.register_assert_rewrite("differences", "outcomes", "readers")
# Spark's workers are processes of their own, which must find the job's functions.
os.environ["PYTHONPATH"] = str(HERE)
# Nothing that is compared may depend on where the machine stands.
os.environ["TZ"] = "UTC"
time.tzset()


@pytest.fixture(scope="session")
def brokers():
    return os.environ["GAMETEL_INTEROP_BROKERS"]


@pytest.fixture(scope="session")
def spark():
    from pyspark.sql import SparkSession

    jars = sorted(Path(os.environ["GAMETEL_INTEROP_JARS"]).glob("*.jar"))
    assert jars, "there are no jars for Spark's Kafka source"
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.jars", ",".join(map(str, jars)))
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def batch():
    """Runs `gametel-batch run` from a source to an output, and gives its report."""
    binary = os.environ["GAMETEL_INTEROP_BINARY"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GAMETEL_")}

    def run(source, output, *options):
        command = [binary, "run", "--json", "--source", source, "--output", str(output), *map(str, options)]
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    return run
