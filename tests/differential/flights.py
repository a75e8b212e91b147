#!/usr/bin/python3
"""The five flights examples against a real PostgreSQL 15 on the same records.

    flights.py EBB [--year] [--only hourly,routes]

Each manifest of deployments/examples/flights runs at parallelism 1 and 3 as it is; its rows (of the one that
writes changes: what they leave) must be those of a query here that is written as one would for a table.
Reads the January that is shipped; with --year all of 2013, which is fetched once (tools/flights) and skipped
where that cannot be. Ends in `N passed, N failed`.
"""
import argparse
import csv
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from changes import Malformed, apply_changes
from postgres import Postgres, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "lib"))
import flights_data  # noqa: E402  pylint: disable=wrong-import-position

TABLES = {
    "flights": "time_hour TIMESTAMP, carrier TEXT, flight INTEGER, tailnum TEXT, origin TEXT, dest TEXT, dep_delay INTEGER",
    "weather": "origin TEXT, time_hour TIMESTAMP, wind_speed NUMERIC, precip NUMERIC, visib NUMERIC",
    "planes": "tailnum TEXT, manufacturer TEXT, seats INTEGER",
}
# What PostgreSQL is asked: windows as date_trunc, sessions as gaps and islands, joins by equality.
QUERIES = {
    "hourly": """
        SELECT date_trunc('hour', time_hour) AS hour, carrier, count(*) AS flights,
               count(*) - count(dep_delay) AS cancelled, count(*) FILTER (WHERE dep_delay > 15) AS late,
               round(avg(dep_delay), 1) AS mean_delay,
               round(percentile_cont(0.9) WITHIN GROUP (ORDER BY dep_delay)::numeric, 1) AS p90_delay
        FROM flights GROUP BY 1, 2""",
    "turnarounds": """
        WITH departures AS (
          SELECT *, time_hour - lag(time_hour) OVER by_time <= INTERVAL '10 hours' AS goes_on
          FROM flights WHERE tailnum IS NOT NULL AND dep_delay IS NOT NULL
          WINDOW by_time AS (PARTITION BY tailnum ORDER BY time_hour, dep_delay, dest)
        ), numbered AS (
          SELECT *, sum(CASE WHEN goes_on THEN 0 ELSE 1 END)
                    OVER (PARTITION BY tailnum ORDER BY time_hour, dep_delay, dest ROWS UNBOUNDED PRECEDING) AS day
          FROM departures
        )
        SELECT tailnum, min(time_hour) AS began, max(time_hour) AS ended, count(*) AS departures,
               (array_agg(dep_delay ORDER BY time_hour, dep_delay, dest))[1] AS first_delay, max(dep_delay) AS worst_delay,
               string_agg(origin || '-' || dest, ' ' ORDER BY time_hour, dep_delay, dest) AS routes
        FROM numbered GROUP BY tailnum, day
        HAVING count(*) > 1 AND max(dep_delay) >= 60
           AND (array_agg(dep_delay ORDER BY time_hour, dep_delay, dest))[1] <= 15""",
    "weather": """
        SELECT f.time_hour::date AS day, f.origin,
               CASE WHEN w.origin IS NULL THEN 'unknown' WHEN w.visib < 3 THEN 'fog' WHEN w.precip > 0 THEN 'rain'
                    WHEN w.wind_speed > 20 THEN 'wind' ELSE 'fair' END AS weather,
               count(*) AS flights, count(*) - count(dep_delay) AS cancelled, round(avg(dep_delay), 1) AS mean_delay
        FROM flights AS f LEFT JOIN weather AS w ON w.origin = f.origin AND w.time_hour = f.time_hour
        GROUP BY 1, 2, 3""",
    "planes": """
        SELECT coalesce(split_part(p.manufacturer, ' ', 1), 'unknown') AS maker, count(*) AS flights,
               round(avg(f.dep_delay), 1) AS mean_delay, max(p.seats) AS most_seats
        FROM flights AS f LEFT JOIN planes AS p USING (tailnum) GROUP BY 1""",
    "routes": """
        SELECT day, place, origin, dest, departures, mean_delay FROM (
          SELECT time_hour::date AS day, origin, dest, count(dep_delay) AS departures, round(avg(dep_delay), 1) AS mean_delay,
                 rank() OVER (PARTITION BY time_hour::date ORDER BY round(avg(dep_delay), 1) DESC, origin, dest) AS place
          FROM flights GROUP BY 1, 2, 3 HAVING count(dep_delay) >= 3
        ) AS ranked WHERE place <= 3""",
}
# Groups of the changes that an example writes.
KEYS = {"planes": ["maker"]}
# From a look at the answers: the sizes cannot shrink unseen on both sides.
ROWS = {False: {"hourly": 5133, "turnarounds": 395, "weather": 179, "planes": 29, "routes": 96},
        True: {"hourly": 60142, "turnarounds": 5785, "weather": 1872, "planes": 32, "routes": 1098}}


def load(cursor, folder):
    for table, columns in TABLES.items():
        cursor.execute(f"CREATE TABLE {table} ({columns})")
        names = [column.split()[0] for column in columns.split(", ")]
        for path in sorted(folder.glob(f"{table}*.csv.gz")):
            with flights_data.gzip.open(path, "rt", encoding="utf-8") as file:
                text = io.StringIO()
                out = csv.writer(text)
                out.writerows([row[name] for name in names] for row in csv.DictReader(file))
                text.seek(0)
                cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT csv, NULL 'NA')", text)
    cursor.execute("ANALYZE")


def expected(cursor, sql):
    out = io.StringIO()
    cursor.copy_expert(f"COPY (SELECT row_to_json(r) FROM ({sql}) AS r) TO STDOUT", out)
    rows = (json.loads(line.replace("\\\\", "\\"), parse_float=str, parse_int=str) for line in out.getvalue().splitlines())
    return sorted([None if value is None else str(value) for value in row.values()] for row in rows)


def written(folder, name):
    """Sorted rows of the file that an example has written, values as text."""
    if name in KEYS:
        rows, _ = apply_changes(folder / f"{name}.ndjson", KEYS[name])
        found = [list(json.loads(row).values()) for row, count in rows.items() for _ in range(count)]
    else:
        with open(folder / f"{name}.csv", encoding="utf-8", newline="") as file:
            found = list(csv.reader(file))[1:]
    return sorted([value if value != "" else None for value in row] for row in found)


def compare(ebb, folder, name, parallelism, wanted):
    """What differs, or None."""
    done = subprocess.run([ebb, "run", f"{name}.yaml", "--stats", "stats.json", "--parallelism", str(parallelism)],
                          cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        return done.stderr
    stats = json.loads((folder / "stats.json").read_text())
    late = sum(operator["lateRows"] for operator in stats["streams"][0]["operators"])
    if late:
        return f"{late} late rows"
    try:
        got = written(folder, name)
    except Malformed as bad:
        return str(bad)
    if got != wanted:
        have, want = {json.dumps(x) for x in got}, {json.dumps(x) for x in wanted}
        return f"{len(got)} rows for {len(wanted)}; missing {sorted(want - have)[:2]}, too many {sorted(have - want)[:2]}"
    print(f"{name}, parallelism {parallelism}: {len(got)} rows, {stats['wallSeconds']:.2f} s, {stats['cpuSeconds']:.2f} CPU s", flush=True)
    return None


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--year", action="store_true")
    arguments.add_argument("--only", default="")
    options = arguments.parse_args()
    ebb = os.path.abspath(options.program)
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="ebb-flights-") as temporary:
        folder = pathlib.Path(temporary) / "flights"
        if options.year:
            try:
                flights_data.whole_year(folder)
            except flights_data.Unavailable as problem:
                print(f"skipped: {problem}")
                return 77
        else:
            shutil.copytree(flights_data.EXAMPLES, folder)
        with Postgres() as server:
            cursor = server.connect().cursor()
            load(cursor, folder)
            for name in options.only.split(",") if options.only else QUERIES:
                wanted = expected(cursor, QUERIES[name])
                for parallelism in (1, 3):
                    found = (compare(ebb, folder, name, parallelism, wanted) if len(wanted) == ROWS[options.year][name]
                             else f"PostgreSQL has {len(wanted)} rows, the data set {ROWS[options.year][name]}")
                    passed += found is None
                    failed += found is not None
                    if found is not None:
                        print(f"DIFFERENT {name}, parallelism {parallelism}: {found[:2000]}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    run(main)
