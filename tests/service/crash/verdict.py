"""What topics must hold, from what was acknowledged; shares no code with ebb."""
import collections

from workload import PARTITIONS, WINDOW_MILLIS, millis_of, moment

SHOWN = 8


class Verdict:
    def __init__(self):
        self.counts = collections.Counter()
        self.violations = []

    def say(self, kind, text):
        self.counts[kind] += 1
        if self.counts[kind] <= SHOWN:
            self.violations.append(f"{kind}: {text}")


def check_offsets(verdict, topic, rows):
    """Every partition's offsets begin at 0 and have no gaps; append times do not fall."""
    at = collections.defaultdict(int)
    times = collections.defaultdict(float)
    for partition, offset, text, _ in rows:
        time = moment(text)
        if offset != at[partition]:
            verdict.say("offsets", f"{topic}/{partition}: {offset} after {at[partition] - 1}")
        if time < times[partition]:
            verdict.say("append times", f"{topic}/{partition}@{offset}: {text} after {times[partition]}")
        at[partition] = offset + 1
        times[partition] = time
        if not 0 <= partition < PARTITIONS:
            verdict.say("offsets", f"{topic}: partition {partition}")


def check_seen(verdict, topic, seen, rows):
    now = {(p, o): (p, o, time, value) for p, o, time, value in rows}
    for place, row in seen.items():
        if now.get(place) != row:
            verdict.say("changed", f"{topic}/{place[0]}@{place[1]} was {row[3]}, is {now.get(place)}")


def fields(value):
    return value["k"], value["seq"], value["v"], millis_of(value["at"])


def check_events(verdict, requests, events):
    """Acknowledged: each row once, where the receipt says. Not acknowledged: whole and once, or not at
    all. By key in order. Nothing else is there."""
    by_row = collections.defaultdict(list)
    at_place = {}
    for partition, offset, _, value in events:
        row = fields(value)
        by_row[row[0], row[1]].append((partition, offset, row))
        at_place[partition, offset] = row
    known = set()
    for request in requests:
        name = f"{request.producer}/{request.epoch}/{request.sequence}"
        present = 0
        for row in request.rows:
            known.add((row.k, row.seq))
            places = by_row.get((row.k, row.seq), [])
            present += len(places) > 0
            if len(places) > 1:
                verdict.say("doubled", f"events: {row.k} {row.seq} of {name} {len(places)} times: {places}")
            elif not places and request.ranges is not None:
                verdict.say("lost", f"events: {row.k} {row.seq} of {name}, acknowledged as {request.ranges}")
            elif places and places[0][2] != (row.k, row.seq, row.v, row.at):
                verdict.say("wrong", f"events: {places[0]} where {row} was sent")
        if request.ranges is None:
            if present not in (0, len(request.rows)):
                verdict.say("torn", f"events: {present} of {len(request.rows)} rows of {name}")
        else:
            told = sorted(at_place.get((p, o), ()) for p, first, last in request.ranges
                          for o in range(first, last + 1))
            if told != sorted((r.k, r.seq, r.v, r.at) for r in request.rows):
                verdict.say("receipt", f"{name} was told {request.ranges}, which holds other rows")
    for key in by_row.keys() - known:
        verdict.say("foreign", f"events: {key} was never sent")


def check_order(verdict, topic, rows):
    """By key: one partition, numbers rise."""
    last = {}
    home = {}
    for partition, offset, _, value in sorted(rows, key=lambda x: (x[0], x[1])):
        key, seq = value["k"], value["seq"]
        if home.setdefault(key, partition) != partition:
            verdict.say("partition", f"{topic}: {key} in {home[key]} and {partition}")
        if key in last and seq <= last[key]:
            verdict.say("order", f"{topic}/{partition}@{offset}: {key} {seq} after {last[key]}")
        last[key] = seq


def check_copy(verdict, topic, rows, expected, shape):
    """Each expected row once and nothing else."""
    found = collections.Counter(shape(value) for _, _, _, value in rows)
    for row, times in found.items():
        if row not in expected:
            verdict.say("foreign", f"{topic}: {row}")
        elif times > 1:
            verdict.say("doubled", f"{topic}: {row} {times} times")
    for row in expected:
        if row not in found:
            verdict.say("lost", f"{topic}: {row}")


def check_windows(verdict, topic, rows, taken, close_from):
    """Each window that has ended once with what is in it; those that the last rows opened not yet."""
    windows = {}
    for row in taken:
        k, seq, v, at = row
        start = at - at % WINDOW_MILLIS
        if start >= close_from:
            continue
        n, total, low, high = windows.get((start, k), (0, 0, seq, seq))
        windows[start, k] = n + 1, total + v * 2, min(low, seq), max(high, seq)
    found = collections.Counter()
    for _, _, _, value in rows:
        key = millis_of(value["window_start"]), value["k"]
        found[key] += 1
        is_now = value["n"], int(value["total"]), value["low"], value["high"]
        if key not in windows:
            verdict.say("foreign", f"{topic}: {value}")
        elif found[key] > 1:
            verdict.say("doubled", f"{topic}: window {key} {found[key]} times")
        elif is_now != windows[key]:
            verdict.say("wrong", f"{topic}: window {key} is {is_now}, must be {windows[key]}")
    for key in windows.keys() - found.keys():
        verdict.say("lost", f"{topic}: window {key} {windows[key]}")
    return len(windows)


def check_topics(verdict, names, requests, topics, close_from):
    """All that the four topics of a chain say of each other; the number of windows. Keys: events, mid,
    out, counts."""
    check_events(verdict, requests, topics["events"])
    taken = [fields(value) for _, _, _, value in topics["events"] if value["v"] % 4 != 0]
    check_copy(verdict, names["mid"], topics["mid"], {(k, seq, v * 2, at) for k, seq, v, at in taken}, fields)
    check_copy(verdict, names["out"], topics["out"], {(k, seq, v * 2) for k, seq, v, _ in taken},
               lambda x: (x["k"], x["seq"], x["v"]))
    for name in ("events", "mid", "out"):
        check_order(verdict, names[name], topics[name])
    return check_windows(verdict, names["counts"], topics["counts"], taken, close_from)
