"""Runs scripts in one Spark session with Hive support and prints the rows of each query as JSON lines.

    python analytics/spark/run.py [--metastore FOLDER] PLAN.json

PLAN.json is a list of steps, done in order:
    {"script": "analytics/hive/excursions.hql", "variables": {"tenant": "ten_north"}}
    {"sql": "SELECT * FROM atrium.readings", "name": "everything"}

A line of output is {"step": NAME, "row": {...}}: instants in ISO 8601 with UTC, absent values left out. On a cluster none
of this is needed: `spark-sql --hivevar tenant=ten_north -f excursions.hql` does the same.
"""

import argparse
import json
import pathlib
import sys

from pyspark.sql import SparkSession


def session(metastore: str) -> SparkSession:
    folder = pathlib.Path(metastore).absolute()
    return (
        SparkSession.builder.appName("atrium")
        .master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config(
            "spark.hadoop.javax.jdo.option.ConnectionURL",
            f"jdbc:derby:;databaseName={folder / 'metastore'};create=true",
        )
        .enableHiveSupport()
        .getOrCreate()
    )


def statements(text: str) -> list[str]:
    """The statements of a script: each ends with a semicolon at the end of a line."""
    found, lines = [], []
    for line in text.splitlines():
        if line.strip().startswith("--"):
            continue
        lines.append(line)
        if line.rstrip().endswith(";"):
            found.append("\n".join(lines).strip().rstrip(";"))
            lines = []
    if "".join(lines).strip():
        raise ValueError("the last statement of the script has no end")
    return found


def run(spark: SparkSession, step: dict) -> None:
    for name, value in step.get("variables", {}).items():
        spark.sql(f"SET hivevar:{name}={value}")
    name = step.get("name", step.get("script"))
    if "sql" in step:
        todo = [step["sql"]]
    else:
        todo = statements(pathlib.Path(step["script"]).read_text(encoding="utf-8"))
    for statement in todo:
        for row in spark.sql(statement).toJSON().toLocalIterator():
            sys.stdout.write(json.dumps({"step": name, "row": json.loads(row)}) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs scripts in Spark with Hive support.")
    parser.add_argument("--metastore", default="metastore", help="folder of the embedded metastore")
    parser.add_argument("plan", help="what to run: see above")
    options = parser.parse_args()
    spark = session(options.metastore)
    for step in json.loads(pathlib.Path(options.plan).read_text(encoding="utf-8")):
        run(spark, step)
    spark.stop()


if __name__ == "__main__":
    main()
