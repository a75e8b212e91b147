#!/usr/bin/env python3
"""The examples of a service, as their pages in docs/ tell them.

    service_examples.py EBB [TEST…]

Each page is carried out against a real `ebb up`: its ```sh blocks by a shell, in their order; the ```text block
after one is what must come out (… stands for anything). Then what the streams made is compared with an
independent computation. Ends in `N passed, N failed`.
"""
import collections
import csv
import datetime
import os
import re
import shutil
import signal
import subprocess
import sys

import e2e
from service import Service, wait_for

FENCE = re.compile(r"^```(sh|text)\n(.*?)^```", re.S | re.M)


class Page:
    """A page of docs/, or a section of one, carried out step by step."""

    def __init__(self, name, section=""):
        text = (e2e.ROOT / "docs" / name).read_text(encoding="utf-8")
        if section:
            text = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.S | re.M)[1]
        self.steps = []
        for match in FENCE.finditer(text):
            if match[1] == "sh":
                self.steps.append([match[2], None])
            else:
                self.steps[-1][1] = match[2]
        up = next(step for step in self.steps if "ebb up" in step[0])
        self.before = self.steps[:self.steps.index(up)]
        del self.steps[:len(self.before) + 1]
        words = up[0].split("#")[0].split()
        self.up = words[words.index("up") + 1:]
        folder = e2e.FOLDER / "bin"
        folder.mkdir()
        (folder / "ebb").symlink_to(e2e.EBB)
        os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"

    def service(self):
        for script, _ in self.before:
            subprocess.run(["bash", "-euc", script], cwd=e2e.FOLDER, timeout=60, check=True)
        at = self.up.index("--data") if "--data" in self.up else None
        data = self.up[at + 1] if at is not None else "ebb-data"
        rest = [x for i, x in enumerate(self.up) if at is None or i not in (at, at + 1)]
        return Service(*rest, data=data)

    def play(self, until=""):
        """Does the next steps, up to the first that holds `until`; all of them without. What came out."""
        came = ""
        while self.steps:
            script, wanted = self.steps.pop(0)
            run = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=e2e.FOLDER, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
            came = run.stdout
            assert run.returncode == 0, (script, came)
            if wanted:
                pattern = lines_pattern(wanted)
                assert re.search(pattern, came + "\n"), f"{script}\ngave\n{came}\nwanted\n{wanted}"
            if until and until in script:
                return came
        assert not until, f"no step has {until}"
        return came


def line_pattern(line):
    """Spaces as many as there are, … anything."""
    return ".*".join(r"\s+".join(re.escape(word) for word in part.split(" ") if word)
                     for part in re.split(r" *… *", line.strip()))


def lines_pattern(text):
    """A line … stands for any number of lines."""
    pattern = ""
    for line in text.splitlines():
        pattern += r"(?:.*\n)*?\s*" if line.strip() == "…" else line_pattern(line) + r"\s*\n\s*"
    return pattern


def examples(*names):
    for name in names:
        shutil.copytree(e2e.EXAMPLES / name, e2e.FOLDER / "deployments" / "examples" / name)


def hourly_delays(flights):
    """(hour, carrier) -> flights, mean delay."""
    found = collections.defaultdict(list)
    for flight in flights:
        found[flight["time_hour"][:13] + ":00:00", flight["carrier"]].append(flight["dep_delay"])
    made = {}
    for key, delays in found.items():
        known = [float(x) for x in delays if x not in ("NA", None)]
        made[key] = (len(delays), sum(known) / len(known) if known else None)
    return made


def check_delays(rows, wanted):
    got = {(row["window_start"], row["carrier"]): row for row in rows}
    assert len(got) == len(rows), "a window came twice"
    assert set(got) == set(wanted), set(got) ^ set(wanted)
    for key, (count, mean) in wanted.items():
        assert got[key]["flights"] == count, key
        have = got[key]["mean_delay"]
        assert have is None if mean is None else abs(have - mean) < 1e-9, (key, have, mean)


def test_flights():
    examples("flights", "flights-service")
    page = Page("example-flights.md")
    records = e2e.flights()
    newest = max(x["time_hour"] for x in records)
    closed = datetime.datetime.fromisoformat(newest.rstrip("Z")) - datetime.timedelta(days=1)
    all_hours = hourly_delays(records)
    with page.service() as service:
        page.play("ebb why")
        before = service.ask("GET", "/v1/streams/delays/wakes").json()["items"]
        page.play("ebb inspect")
        early = {k: v for k, v in all_hours.items()
                 if datetime.datetime.fromisoformat(k[0]) + datetime.timedelta(hours=1) <= closed}
        check_delays(service.messages("hourly"), early)
        assert service.phase("delays") == "Asleep"
        assert service.ask("GET", "/v1/streams/delays/wakes").json()["items"] == before, "a look has woken it"
        page.play("ebb send flights -")
        wait_for(lambda: len(service.messages("hourly")) == len(all_hours))
        check_delays(service.messages("hourly"), all_hours)
        page.play("ebb get wakes")
        wakes = service.ask("GET", "/v1/streams/delays/wakes").json()["items"]
        assert wakes[0]["cause"] == "InputArrived" and wakes[1:] == before, wakes
        page.play()
        assert service.ask("GET", "/v1/topics/hourly").status == 404


def sessions(clicks, gap=datetime.timedelta(minutes=30)):
    found = []
    by_account = collections.defaultdict(list)
    for click in clicks:
        by_account[click["account"]].append((datetime.datetime.fromisoformat(click["at"]), click["page"]))
    for account, visits in by_account.items():
        visits.sort(key=lambda x: x[0])
        open_one = []
        for at, page in visits:
            if open_one and at - open_one[-1][0] > gap:
                found.append((account, open_one))
                open_one = []
            open_one.append((at, page))
        found.append((account, open_one))
    return {(account, x[0][0].isoformat()): (x[-1][0].isoformat(), len(x), any(p == "/thanks" for _, p in x)) for account, x in found}


def test_clicks():
    examples("clicks")
    page = Page("example-clicks.md")
    clicks = e2e.rows_of("deployments/examples/clicks/clicks.ndjson")
    with page.service() as service:
        page.play()
        rows = service.messages("visits")
        got = {(x["account"], x["began"]): (x["ended"], x["clicks"], x["bought"]) for x in rows}
        assert len(got) == len(rows)
        wanted = sessions(clicks)
        assert got == wanted, (set(got.items()) ^ set(wanted.items()))
        assert 99 not in {x["account"] for x in rows}, "a visit that is not over came out"


def test_orders():
    examples("orders")
    page = Page("example-orders.md")
    orders = e2e.rows_of("deployments/examples/orders/orders.ndjson")
    with page.service() as service:
        page.play()
        # All processes are killed while all streams sleep; the next order wakes them as before.
        service.kill()
        for pid in service.workers():
            os.kill(pid, signal.SIGKILL)
        service.start()
        sent = orders + [{"id": 61, "at": "2024-03-01T12:00:00", "customer": "eve", "amount": 5000},
                         {"id": 62, "at": "2024-03-01T12:30:00", "customer": "fay", "amount": 7000}]
        assert service.ask("POST", "/v1/topics/orders/messages", sent[-1]).status == 200
        wait_for(lambda: "62,fay" in (e2e.FOLDER / "files" / "alerts.csv").read_text())
        large = [x for x in sent if x["amount"] >= 100]
        assert [x["id"] for x in service.messages("large-orders")] == [x["id"] for x in large]
        totals = collections.defaultdict(lambda: [0, 0])
        for x in large[:-2]:
            entry = totals[x["at"][:13] + ":00:00", x["customer"]]
            entry[0] += 1
            entry[1] += round(x["amount"] * 100)
        got = {(x["hour"], x["customer"]): [x["orders"], round(x["amount"] * 100)]
               for x in service.messages("totals")}
        assert got == dict(totals), (got, totals)
        with open(e2e.FOLDER / "files" / "alerts.csv", encoding="utf-8") as file:
            alerts = [int(x["id"]) for x in csv.DictReader(file)]
        assert alerts == [x["id"] for x in sent if x["amount"] >= 1000]


def test_readme_service():
    examples("flights-service")
    page = Page("../README.md", "A service")
    with page.service():
        page.play()


def test_the_page_for_who_runs_it():
    examples("orders")
    page = Page("service.md")
    with page.service() as service:
        page.play()
        assert service.phase("totals") in ("Running", "Asleep")
        second = e2e.ebb("up", "--data", "data", "--listen", "127.0.0.1:0")
        assert second.returncode == 4 and str(service.process.pid) in second.stderr, second.stderr
    run = e2e.ebb("verify", "--data", "data")
    assert run.returncode == 0 and "good" in run.stdout, run


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
