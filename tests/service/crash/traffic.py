"""Producers that retry until they are answered, and an observer that reads along."""
import http.client
import json
import threading
import time

from service_process import Unanswered, call, get
from workload import JITTER_MILLIS, Request, Row


class Pace:
    """Lets all producers of a chain talk and be silent at the same times, so that streams fall
    asleep, and be woken at any moment of it."""

    def __init__(self, rng, idle_after, busy_share):
        self.rng = rng
        self.idle_after = idle_after
        self.busy_share = busy_share
        self.lock = threading.Lock()
        self.until = 0.0
        self.talking = False

    def may_talk(self):
        with self.lock:
            now = time.monotonic()
            if now >= self.until:
                self.talking = not self.talking
                if self.talking:
                    span = self.rng.choice([0.001, 0.05, 0.3]) if self.rng.random() > self.busy_share \
                        else self.rng.uniform(0.5, 4)
                else:
                    span = max(self.idle_after, 0.5) * self.rng.choice([0.3, 0.9, 1.0, 1.1, 1.5, 2, 3]) \
                        + self.rng.uniform(0, 0.2)
                self.until = now + span
            return self.talking


class Producer(threading.Thread):
    KEYS = 3
    SIZES = (1, 1, 1, 2, 5, 20, 60)

    def __init__(self, name, service, topic, clock, pace, rng, stop, faults=True):
        super().__init__(name=name, daemon=True)
        self.service, self.topic, self.clock, self.pace, self.rng = service, topic, clock, pace, rng
        self.stopping = stop
        self.faults = faults
        self.link = None
        self.epoch = 0
        self.sequence = rng.choice([0, 0, 1000])
        self.keys = [f"{name}-{i}" for i in range(self.KEYS)]
        self.next_seq = dict.fromkeys(self.keys, 0)
        self.requests = []
        self.retries = 0
        self.duplicates = 0
        self.repeated = 0
        self.complaints = []
        self.given_up = []  # tickets of requests that may still come in

    def run(self):
        try:
            while not self.stopping.is_set():
                if self.pace.may_talk():
                    self.send(self.make(self.rng.choice(self.SIZES)))
                    time.sleep(self.rng.choice([0, 0.001, 0.005, 0.02, 0.1]))
                else:
                    time.sleep(0.003)
        except Exception as problem:  # a fault of this test: it must not pass
            self.complaints.append(f"producer {self.name} ended: {problem!r}")
        finally:
            self.cut()

    def make(self, count, at=None):
        ticket, now = self.clock.take()
        rows = []
        for _ in range(count):
            key = self.rng.choice(self.keys)
            rows.append(Row(key, self.next_seq[key], self.rng.randrange(1000),
                            now - self.rng.randrange(JITTER_MILLIS) if at is None else at))
            self.next_seq[key] += 1
        return ticket, rows

    def send(self, made):
        """Until it is acknowledged, or given up for good (then a later one fences it)."""
        ticket, rows = made
        request = Request(self.name, self.epoch, self.sequence, rows, sent=time.time())
        self.requests.append(request)
        body = "".join(row.text() for row in rows).encode()
        while True:
            request.attempts += 1
            status, headers, answer = self.attempt(request, body)
            if status == 200:
                receipt = json.loads(answer)
                request.answered = time.time()
                request.ranges = [(x["partition"], x["first"], x["last"]) for x in receipt["partitions"]]
                self.duplicates += bool(receipt.get("duplicate"))
                break
            self.retries += 1
            if status not in (None, 429, 503):
                self.complaints.append(f"{self.name} epoch {self.epoch} sequence {request.sequence}, attempt "
                                       f"{request.attempts}: {status} {answer[:300]!r}")
                # Without an answer to rely on, but the run goes on.
                self.give_up(ticket)
                return
            if self.faults and not self.stopping.is_set() and self.rng.random() < 0.03:
                self.give_up(ticket)
                return
            time.sleep(self.rng.choice([0.005, 0.02, 0.1, 0.3]))
        self.sequence += len(rows)
        # Fenced, if they did not come in before.
        for old in self.given_up:
            self.clock.give_back(old)
        self.given_up.clear()
        self.clock.give_back(ticket)
        if self.rng.random() < 0.05:
            self.repeat()

    def repeat(self):
        """An old request once more: the same receipt, as a duplicate. The last 1,024 are known."""
        known = [x for x in self.requests[-1000:] if x.epoch == self.epoch and x.ranges is not None]
        if not known:
            return
        request = self.rng.choice(known)
        status, _, answer = self.attempt(request, "".join(row.text() for row in request.rows).encode())
        if status in (None, 429, 503):
            return
        self.repeated += 1
        receipt = json.loads(answer) if status == 200 else {}
        ranges = [(x["partition"], x["first"], x["last"]) for x in receipt.get("partitions", [])]
        if ranges != request.ranges or not receipt.get("duplicate"):
            self.complaints.append(f"{self.name} epoch {self.epoch} sequence {request.sequence} again: "
                                   f"{status} {answer[:300]!r}, was {request.ranges}")

    def give_up(self, ticket):
        self.given_up.append(ticket)
        self.epoch += 1
        self.sequence = self.rng.choice([0, 7, self.sequence])

    def attempt(self, request, body):
        """(status, headers, body); (None, None, None) where nobody knows what became of it."""
        cut = self.faults and self.rng.random() < 0.02
        try:
            if self.link is None:
                self.link = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=8)
            self.link.request("POST", f"/v1/topics/{self.topic}/messages", body, {
                "Content-Type": "application/x-ndjson", "Ebb-Producer": request.producer,
                "Ebb-Producer-Epoch": str(request.epoch), "Ebb-Sequence": str(request.sequence)})
            if cut:
                time.sleep(self.rng.choice([0, 0.001, 0.01]))
                raise ConnectionError("cut by the test")
            answer = self.link.getresponse()
            text = answer.read()
            if answer.will_close:
                self.cut()
            return answer.status, answer.headers, text
        except (OSError, http.client.HTTPException):
            self.cut()
            return None, None, None

    def cut(self):
        if self.link is not None:
            self.link.close()
            self.link = None


def read_topic(port, topic, partition=None, start=None, timeout=120):
    """Rows as (partition, offset, time, value)."""
    path = f"/v1/topics/{topic}/messages?meta=true"
    if partition is not None:
        path += f"&partition={partition}"
    if start is not None:
        path += f"&from={start}"
    status, _, body = call(port, "GET", path, timeout=timeout)
    if status != 200:
        raise Unanswered(f"{path}: {status} {body[:200]!r}")
    rows = []
    for line in body.splitlines():
        x = json.loads(line)
        rows.append((x["partition"], x["offset"], x["time"], x["value"]))
    return rows


class Observer(threading.Thread):
    """Reads what comes into topics meanwhile, and looks for streams that have failed. What anybody
    has seen must stay."""

    def __init__(self, service, topics, partitions, stop, streams):
        super().__init__(daemon=True)
        self.service, self.stopping, self.streams = service, stop, streams
        self.complaints = []
        self.seen = {topic: {} for topic in topics}  # (partition, offset) -> row
        self.next = {(topic, p): 0 for topic in topics for p in range(partitions)}

    def run(self):
        while not self.stopping.is_set():
            for (topic, partition), start in self.next.items():
                try:
                    for row in read_topic(self.service.port, topic, partition, start, timeout=10):
                        self.seen[topic][row[0], row[1]] = row
                        self.next[topic, partition] = row[1] + 1
                except (Unanswered, ValueError):
                    pass
            for stream in self.streams:
                self.look(stream)
            self.stopping.wait(0.4)

    def look(self, stream):
        try:
            status = get(self.service.port, f"/v1/streams/{stream}")["status"]
        except (Unanswered, ValueError):
            return
        if status["phase"] in ("Failed", "Stopped"):
            text = f"{stream} is {status['phase']}: {status['reason']}, {status['message']}"
            if text not in self.complaints:
                self.complaints.append(text)
