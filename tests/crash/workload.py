"""Three streams, their input and what they must write.

- hop: Nexmark bids, sliding windows, into a folder of parts.
- join: orders from three CSV files (one compressed) with payments from JSON lines that may be
  written while the stream runs, an interval join, into one file.
- sessions: clicks from a generator, sessions, into one CSV file.
"""
import dataclasses
import gzip
import json
import pathlib
import random
import subprocess

import oracle
from oracle import SECOND

STREAMS = ("hop", "join", "sessions")
SLIDE, SIZE = 5 * SECOND, 20 * SECOND
MOST = 5 * SECOND
GAP = 4 * SECOND
FIRST = 1_704_067_200 * SECOND  # 2024-01-01
SESSIONS_HEADER = "user_id,window_start,window_end,clicks,total,first,last"


@dataclasses.dataclass(frozen=True)
class Size:
    events: int
    pace: int  # events a second of event time
    clicks: int
    orders: int
    payments: int


SMALL = Size(events=40_000, pace=400, clicks=20_000, orders=2_000, payments=6_000)
MEDIUM = Size(events=500_000, pace=5_000, clicks=200_000, orders=30_000, payments=90_000)
LARGE = Size(events=4_000_000, pace=20_000, clicks=1_000_000, orders=100_000, payments=300_000)


def click_user(n):
    return n * 7919 % 1009 % (1 + n % 61)


def click_at(n):
    return FIRST + (n * 10 - n * 31 % 97 * 40) * 1000


class Workload:
    def __init__(self, ebb, folder, seed, size):
        self.ebb = ebb
        self.folder = pathlib.Path(folder)
        self.seed = seed
        self.size = size
        self.folder.mkdir(parents=True, exist_ok=True)
        rng = random.Random(seed)
        self.orders = {}
        for i in range(size.orders):
            self.orders[i] = (f"customer {rng.randrange(500)}",
                              FIRST + i * 50_000 + rng.randrange(-20, 20) * 50_000)
        self.payments = []
        for n in range(size.payments):
            order = rng.randrange(size.orders)
            order = min(size.orders - 1, max(0, n * size.orders // size.payments + order % 201 - 100))
            at = FIRST + n * size.orders // size.payments * 50_000 + rng.randrange(-40, 40) * 50_000
            self.payments.append((n, order, rng.randrange(1, 100_000), at))
        self._write_orders()
        self.payment_lines = [json.dumps({"n": n, "order_id": order, "amount": amount,
                                          "at": oracle.text_of(at)}) + "\n"
                              for n, order, amount, at in self.payments]
        (self.folder / "payments.ndjson").write_text("".join(self.payment_lines))

    def _write_orders(self):
        folder = self.folder / "orders"
        folder.mkdir(exist_ok=True)
        for part in range(3):
            rows = "id,customer,at\n" + "".join(
                f"{i},{customer},{oracle.text_of(at)}\n"
                for i, (customer, at) in self.orders.items() if i % 3 == part)
            if part == 2:
                with gzip.open(folder / "2.csv.gz", "wt") as file:
                    file.write(rows)
            else:
                (folder / f"{part}.csv").write_text(rows)

    def _bids(self):
        """The bids that `hop` reads, as a plain copy of the source gives them."""
        copy = self.folder / "copy.yaml"
        copy.write_text(
            "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: copy}\nspec:\n  sources:\n"
            + self._nexmark("") + "  operators:\n    - name: q\n"
            "      sql: SELECT auction, price, date_time FROM bid\n"
            "  sinks:\n    - file: {path: bids.csv, format: csv}\n")
        subprocess.run([self.ebb, "run", str(copy)], check=True, capture_output=True)
        with open(self.folder / "bids.csv", encoding="utf-8") as file:
            next(file)
            for line in file:
                auction, price, at = line.rstrip("\n").split(",")
                yield int(auction), int(price), oracle.micros_of(at)

    def expected(self):
        """{stream: {line: (key, sequence)}}"""
        clicks = ((n, click_user(n), click_at(n)) for n in range(self.size.clicks))
        return {"hop": oracle.hop_lines(self._bids(), SLIDE, SIZE),
                "join": oracle.join_lines(self.orders, self.payments, MOST),
                "sessions": oracle.session_lines(clicks, GAP)}

    def _nexmark(self, rate):
        return ("    - name: bid\n      eventTime: {column: date_time}\n"
                f"      nexmark: {{table: bid, events: {self.size.events}, eventsPerSecond: {self.size.pace}, "
                f"seed: {self.seed % 1000}{rate}}}\n")

    def write_manifests(self, folder, interval="200ms", seconds=None, follow=False):
        """Into `folder`, the outputs too. `seconds`: how long the paced sources take (None = as
        fast as they go). `follow`: payments come from FOLDER/payments.ndjson, which may grow."""
        def rate(rows):
            return f", rate: {max(1, int(rows / seconds))}" if seconds else ""
        payments = folder / "payments.ndjson" if follow else self.folder / "payments.ndjson"
        bodies = {
            "hop": self._nexmark(rate(self.size.events)) + """  operators:
    - name: hops
      sql: |
        SELECT window_start, window_end, auction, count(*) AS bids, sum(price) AS total, max(price) AS top
        FROM hop(bid, date_time, INTERVAL '5 seconds', INTERVAL '20 seconds')
        GROUP BY window_start, window_end, auction
  sinks:
    - file: {path: hop/, format: json}
""",
            "join": f"""    - name: orders
      schema: id BIGINT, customer TEXT, at TIMESTAMP
      eventTime: {{column: at, maxDelay: 5s}}
      file: {{path: "{self.folder}/orders", format: csv}}
    - name: payments
      schema: n BIGINT, order_id BIGINT, amount BIGINT, at TIMESTAMP
      eventTime: {{column: at, maxDelay: 5s}}
      file: {{path: "{payments}", format: json, follow: {str(follow).lower()}}}
  operators:
    - name: paid
      sql: |
        SELECT o.id, o.customer, p.n, p.amount, o.at AS ordered, p.at AS paid
        FROM payments AS p JOIN orders AS o ON p.order_id = o.id
         AND p.at BETWEEN o.at - INTERVAL '5 seconds' AND o.at + INTERVAL '5 seconds'
  sinks:
    - file: {{path: join.ndjson, format: json}}
""",
            "sessions": f"""    - name: clicks
      schema: n BIGINT, user_id BIGINT, at TIMESTAMP
      eventTime: {{column: at, maxDelay: 5s}}
      generator:
        rows: {self.size.clicks}
{f"        rate: {max(1, int(self.size.clicks / seconds))}" if seconds else "        # no rate"}
        columns:
          n: "n"
          user_id: "n * 7919 % 1009 % (1 + n % 61)"
          at: "TIMESTAMP '2024-01-01' + (n * 10 - n * 31 % 97 * 40) * INTERVAL '1 millisecond'"
  operators:
    - name: visits
      sql: |
        SELECT user_id, window_start, window_end, count(*) AS clicks, sum(n) AS total, min(n) AS first, max(n) AS last
        FROM session(clicks, at, INTERVAL '4 seconds')
        GROUP BY user_id, window_start, window_end
  sinks:
    - file: {{path: sessions.csv, format: csv}}
""",
        }
        for name, body in bodies.items():
            (folder / f"{name}.yaml").write_text(
                f"apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {{name: {name}}}\nspec:\n"
                f"  checkpoint: {{interval: {interval}}}\n  sources:\n{body}")
        (folder / "hop").mkdir(exist_ok=True)
        return [f"{name}.yaml" for name in bodies]
