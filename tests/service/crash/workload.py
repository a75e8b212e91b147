"""Two streams chained through topics, and what is written into them.

    events -> take (filter) -> mid -> split (pass-through and window counts) -> out, counts

The topics have equally many partitions and the same key, so a partition keeps the order of one
partition before it, also while one stream reads far behind. Event time is given by a clock that waits
for requests without answer: no row is late, however long a retry takes, so every count is known.
"""
import dataclasses
import datetime
import threading
import time

BASE = datetime.datetime(2026, 1, 1)
PARTITIONS = 3
WINDOW_MILLIS = 1000
# A request may be so far behind the newest one that was sent; its rows up to JITTER more.
SLACK_MILLIS = 1500
JITTER_MILLIS = 400
MAX_DELAY = "2s"
# Event time that ends all windows of the run.
CLOSE_MILLIS = 365 * 86400 * 1000


def manifests(chain, idle_after, interval, parallelism, retention="", workers=1):
    """YAML of one chain's topics and streams. With several workers each stream is spread over so many."""
    topic = f"spec:\n  partitions: {PARTITIONS}\n  key: k\n{retention}  schema: "
    head = "apiVersion: ebb.dev/v1alpha1\nkind: {}\nmetadata: {{name: {}}}\n"
    life = (f"spec:\n  sleep: {{idleAfter: {idle_after}}}\n  checkpoint: {{interval: {interval}}}\n"
            f"  parallelism: {parallelism}\n  workers: {workers}\n")
    documents = [
        head.format("Topic", f"events{chain}") + topic
        + "k TEXT NOT NULL, seq BIGINT NOT NULL, v BIGINT, at TIMESTAMP NOT NULL\n",
        head.format("Topic", f"mid{chain}") + topic + "k TEXT, seq BIGINT, v BIGINT, at TIMESTAMP\n",
        head.format("Topic", f"out{chain}") + topic + "k TEXT, seq BIGINT, v BIGINT\n",
        head.format("Topic", f"counts{chain}") + topic
        + "window_start TIMESTAMP, k TEXT, n BIGINT, total NUMERIC, low BIGINT, high BIGINT\n",
        head.format("Stream", f"take{chain}") + life + f"""  sources:
    - name: e
      schema: k TEXT NOT NULL, seq BIGINT NOT NULL, v BIGINT, at TIMESTAMP NOT NULL
      topic: {{name: events{chain}}}
  operators:
    - name: taken
      sql: SELECT k, seq, v * 2 AS v, at FROM e WHERE v % 4 <> 0
  sinks:
    - topic: {{name: mid{chain}}}
""",
        head.format("Stream", f"split{chain}") + life + f"""  sources:
    - name: m
      schema: k TEXT, seq BIGINT, v BIGINT, at TIMESTAMP
      eventTime: {{column: at, maxDelay: {MAX_DELAY}}}
      topic: {{name: mid{chain}}}
  operators:
    - name: passed
      sql: SELECT k, seq, v FROM m
    - name: counted
      sql: |
        SELECT window_start, k, count(*) AS n, sum(v) AS total, min(seq) AS low, max(seq) AS high
        FROM tumble(m, at, INTERVAL '{WINDOW_MILLIS} milliseconds') GROUP BY window_start, k
  sinks:
    - name: out
      from: passed
      topic: {{name: out{chain}}}
    - name: counts
      from: counted
      topic: {{name: counts{chain}}}
""",
    ]
    return "---\n".join(documents)


def time_text(millis):
    return (BASE + datetime.timedelta(milliseconds=millis)).isoformat()


def millis_of(text):
    return round((datetime.datetime.fromisoformat(text) - BASE).total_seconds() * 1000)


def moment(text):
    """Seconds of a time as the service writes it."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@dataclasses.dataclass
class Row:
    k: str
    seq: int
    v: int
    at: int  # milliseconds since BASE

    def taken(self):
        return self.v % 4 != 0

    def text(self):
        return f'{{"k":"{self.k}","seq":{self.seq},"v":{self.v},"at":"{time_text(self.at)}"}}\n'


@dataclasses.dataclass
class Request:
    producer: str
    epoch: int
    sequence: int
    rows: list
    attempts: int = 0
    ranges: list = None  # of the receipt: (partition, first, last); None: never acknowledged
    sent: float = 0.0    # by time.time()
    answered: float = 0.0


class EventClock:
    """Gives requests their event time: the wall clock's, but not far ahead of a request that still
    waits for its answer."""

    def __init__(self):
        self.begin = time.monotonic()
        self.lock = threading.Lock()
        self.open = {}
        self.last = 1000
        self.next_ticket = 0

    def take(self):
        """(ticket, milliseconds)"""
        with self.lock:
            now = int((time.monotonic() - self.begin) * 1000) + 1000
            if self.open:
                now = min(now, min(self.open.values()) + SLACK_MILLIS)
            self.last = max(self.last, now)
            self.next_ticket += 1
            self.open[self.next_ticket] = self.last
            return self.next_ticket, self.last

    def give_back(self, ticket):
        with self.lock:
            self.open.pop(ticket, None)
