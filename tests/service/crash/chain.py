"""One chain of two streams with its producers, from the manifest to the verdict."""
import collections
import json
import random
import threading
import time

import verdict as check
from service_process import Unanswered, call, get
from traffic import Observer, Pace, Producer, read_topic
from workload import CLOSE_MILLIS, EventClock, PARTITIONS, Row, WINDOW_MILLIS, manifests, moment


def duration_seconds(text):
    for unit, seconds in (("ms", 0.001), ("s", 1.0)):
        if text.endswith(unit):
            return float(text[:-len(unit)]) * seconds
    raise ValueError(text)


class Chain:
    TOPICS = ("events", "mid", "out", "counts")
    STREAMS = ("take", "split")

    def __init__(self, service, suffix, seed, producers, idle_after, interval, parallelism, busy_share,
                 faults, workers=1):
        self.service, self.suffix = service, suffix
        self.topics = {x: f"{x}{suffix}" for x in self.TOPICS}
        self.streams = [f"{x}{suffix}" for x in self.STREAMS]
        self.manifests = manifests(suffix, idle_after, interval, parallelism, workers=workers)
        self.clock = EventClock()
        self.stopping = threading.Event()
        self.reading_stops = threading.Event()
        pace = Pace(random.Random(f"{seed}-pace{suffix}"), duration_seconds(idle_after), busy_share)
        self.producers = [
            Producer(f"p{suffix}-{i}", service, self.topics["events"], self.clock, pace,
                     random.Random(f"{seed}-{suffix}-{i}"), self.stopping, faults)
            for i in range(producers)]
        self.observer = Observer(service, [self.topics[x] for x in ("mid", "out", "counts")], PARTITIONS,
                                 self.reading_stops, self.streams)
        self.latencies = []
        self.windows = 0
        self.rows = collections.Counter()

    def begin(self):
        for thread in (*self.producers, self.observer):
            thread.start()

    def end_traffic(self):
        """All that was sent is answered or fenced; then rows end all windows."""
        self.stopping.set()
        for producer in self.producers:
            producer.join(120)
            if producer.is_alive():
                producer.complaints.append(f"producer {producer.name} has no answer after 120 s")
        # What a producer gave up last must not come in behind the rows that close.
        for producer in self.producers:
            producer.faults = False
            if producer.given_up and not producer.is_alive():
                producer.send(producer.make(1))
            producer.cut()
        closer = Producer(f"close{self.suffix}", self.service, self.topics["events"], self.clock, None,
                          random.Random(1), self.stopping, faults=False)
        # Some in each partition, whatever the hash.
        rows = [Row(f"close-{i}", 0, 1, CLOSE_MILLIS) for i in range(64)]
        closer.send((0, rows))
        closer.cut()
        self.producers.append(closer)

    def state(self):
        phases = [get(self.service.port, f"/v1/streams/{x}")["status"]["phase"] for x in self.streams]
        ends = [get(self.service.port, f"/v1/topics/{x}")["status"]["rows"] for x in self.topics.values()]
        return phases, ends

    def wait_quiet(self, seconds):
        """Until all sleep and nothing comes for a while; what hinders it, else nothing."""
        end = time.monotonic() + seconds
        still_since, before = time.monotonic(), None
        while time.monotonic() < end:
            try:
                now = self.state()
            except (Unanswered, KeyError) as problem:
                now = str(problem)
            if now != before or now[0] != ["Asleep"] * len(self.streams):
                still_since, before = time.monotonic(), now
            elif time.monotonic() - still_since > 1.5:
                return None
            time.sleep(0.1)
        reasons = []
        for stream in self.streams:
            try:
                reasons += get(self.service.port, f"/v1/streams/{stream}/why")["sentences"]
            except (Unanswered, KeyError) as problem:
                reasons.append(str(problem))
        return f"not quiet after {seconds} s: {before}; {' '.join(reasons)}"

    def judge(self, verdict):
        """Reads all topics as they are now."""
        self.reading_stops.set()
        self.observer.join(60)
        for thread in (*self.producers, self.observer):
            for complaint in thread.complaints:
                verdict.say("refused", complaint)
        topics = {x: read_topic(self.service.port, name) for x, name in self.topics.items()}
        self.rows.update({x: len(rows) for x, rows in topics.items()})
        for name, rows in topics.items():
            per_partition = sorted(rows, key=lambda x: (x[0], x[1]))
            check.check_offsets(verdict, self.topics[name], per_partition)
            seen = self.observer.seen.get(self.topics[name])
            if seen:
                check.check_seen(verdict, self.topics[name], seen, rows)
        requests = [x for producer in self.producers for x in producer.requests]
        if {p for p, _, _, value in topics["mid"] if value["k"].startswith("close-")} != set(range(PARTITIONS)):
            verdict.say("test", "the closing rows are not in every partition")
        close_from = CLOSE_MILLIS - CLOSE_MILLIS % WINDOW_MILLIS
        self.windows = check.check_topics(verdict, self.topics, requests, topics, close_from)
        appended = {(v["k"], v["seq"]): moment(time) for _, _, time, v in topics["events"]}
        self.latencies = sorted((moment(time) - appended[v["k"], v["seq"]], moment(time), f"{v['k']} {v['seq']}")
                                for _, _, time, v in topics["out"] if (v["k"], v["seq"]) in appended)

    def wakes(self):
        found = []
        for stream in self.streams:
            found += [dict(x, stream=stream) for x in
                      get(self.service.port, f"/v1/streams/{stream}/wakes?limit=1000")["items"]]
        return found

    def errors(self):
        found = collections.Counter()
        for stream in self.streams:
            for x in get(self.service.port, f"/v1/streams/{stream}/errors?limit=1000")["items"]:
                found[f"{stream}: {x.get('message', x)}"] += 1
        return found

    def keep_events(self, folder):
        """Decisions and errors as files, for who looks into a violation."""
        for stream in self.streams:
            for kind in ("decisions", "errors", "wakes"):
                items = get(self.service.port, f"/v1/streams/{stream}/{kind}?limit=1000")["items"]
                (folder / f"{stream}-{kind}.ndjson").write_text("".join(json.dumps(x) + "\n" for x in items))

    def failed(self):
        return [f"{x}: {get(self.service.port, f'/v1/streams/{x}')['status']}" for x in self.streams
                if get(self.service.port, f"/v1/streams/{x}")["status"]["phase"] in ("Failed", "Stopped")]


def apply(service, chains):
    text = "---\n".join(x.manifests for x in chains)
    status, _, body = call(service.port, "POST", "/v1/apply", text, "application/yaml", timeout=60)
    if status != 200:
        raise RuntimeError(f"apply: {status} {body[:500]!r}")
