"""Seeds faults into topics that are right: each must be seen, and nothing in those without."""
import copy
import random

import verdict as check
from workload import PARTITIONS, Request, Row, WINDOW_MILLIS, time_text


def make_run(rng):
    """Requests with their receipts, and what the topics hold then."""
    topics = {"events": [], "mid": [], "out": []}
    ends = {(topic, p): 0 for topic in (*topics, "counts") for p in range(PARTITIONS)}
    clock = [0]

    def append(topic, partition, value):
        clock[0] += rng.choice([0, 0, 1])
        offset = ends[topic, partition]
        ends[topic, partition] += 1
        topics[topic].append((partition, offset, f"2026-01-02T00:00:00.{clock[0]:06}Z", value))
        return offset

    next_seq, requests, taken = {}, [], []
    for i in range(60):
        producer = f"p{i % 3}"
        rows = []
        for _ in range(rng.choice([1, 2, 5])):
            key = f"{producer}-{rng.randrange(4)}"
            rows.append(Row(key, next_seq.setdefault(key, 0), rng.randrange(100), i * 150 + rng.randrange(300)))
            next_seq[key] += 1
        request = Request(producer, 0, i, rows)
        requests.append(request)
        if i % 20 == 19:
            continue  # was never appended
        places = []
        for row in rows:
            partition = sum(map(ord, row.k)) % PARTITIONS
            offset = append("events", partition, {"k": row.k, "seq": row.seq, "v": row.v, "at": time_text(row.at)})
            places.append((partition, offset, offset))
            if row.taken():
                value = {"k": row.k, "seq": row.seq, "v": row.v * 2, "at": time_text(row.at)}
                append("mid", partition, value)
                append("out", partition, {x: value[x] for x in ("k", "seq", "v")})
                taken.append(row)
        request.ranges = None if i % 10 == 8 else places
    topics["counts"] = []
    windows = {}
    for row in taken:
        windows.setdefault((row.at - row.at % WINDOW_MILLIS, row.k), []).append(row)
    for (start, key), rows in sorted(windows.items()):
        append("counts", sum(map(ord, key)) % PARTITIONS, {
            "window_start": time_text(start), "k": key, "n": len(rows), "total": sum(x.v * 2 for x in rows),
            "low": min(x.seq for x in rows), "high": max(x.seq for x in rows)})
    return requests, topics


def judge(requests, topics, seen):
    verdict = check.Verdict()
    for name, rows in topics.items():
        check.check_offsets(verdict, name, sorted(rows, key=lambda x: x[:2]))
        check.check_seen(verdict, name, seen.get(name, {}), rows)
    check.check_topics(verdict, {x: x for x in topics}, requests, topics, 10 ** 12)
    return set(verdict.counts)


def renumber(rows):
    at = {}
    out = []
    for partition, _, time, value in rows:
        out.append((partition, at.get(partition, 0), time, value))
        at[partition] = at.get(partition, 0) + 1
    return out


def drop(rng, topics, name):
    del topics[name][rng.randrange(len(topics[name]))]
    topics[name] = renumber(topics[name])


def double(rng, topics, name):
    i = rng.randrange(len(topics[name]))
    topics[name].insert(i, topics[name][i])
    topics[name] = renumber(topics[name])


def change(rng, topics, name, field):
    i = rng.randrange(len(topics[name]))
    partition, offset, time, value = topics[name][i]
    topics[name][i] = partition, offset, time, dict(value, **{field: value[field] + 1})


def swap(topics, name):
    """Two neighbours of one key."""
    rows = topics[name]
    for i, a in enumerate(rows):
        for j in range(i + 1, len(rows)):
            b = rows[j]
            if b[3]["k"] == a[3]["k"]:
                rows[i], rows[j] = (*a[:3], b[3]), (*b[:3], a[3])
                return


def move(topics, name):
    """A key's last row in another partition."""
    rows = topics[name]
    partition, _, time, value = rows.pop()
    rows.append(((partition + 1) % PARTITIONS, 0, time, value))
    topics[name] = renumber(rows)


def tear(requests, topics):
    request = next(x for x in requests if x.ranges is None and len(x.rows) > 1
                   and any(v["k"] == x.rows[0].k and v["seq"] == x.rows[0].seq for _, _, _, v in topics["events"]))
    row = request.rows[-1]
    topics["events"] = renumber([x for x in topics["events"] if (x[3]["k"], x[3]["seq"]) != (row.k, row.seq)])


def cut(topics, name):
    partition = topics[name][0][0]
    topics[name] = [x for x in topics[name] if x[:2] != (partition, 0)]


def faults(rng):
    """(name, what it does, kinds of which one must be seen)"""
    for name in ("events", "mid", "out", "counts"):
        yield f"a row of {name} lost", lambda r, t, n=name: drop(rng, t, n), {"lost"}
        yield f"a row of {name} twice", lambda r, t, n=name: double(rng, t, n), {"doubled"}
        yield f"a gap in the offsets of {name}", lambda r, t, n=name: cut(t, n), {"offsets"}
        yield f"a row of {name} changed after it was read", None, {"changed"}
    for name in ("events", "mid", "out"):
        yield f"a value of {name} wrong", lambda r, t, n=name: change(rng, t, n, "v"), {"wrong", "foreign"}
        yield f"two rows of {name} out of order", lambda r, t, n=name: swap(t, n), {"order"}
        yield f"a key of {name} in two partitions", lambda r, t, n=name: move(t, n), {"partition"}
    for field in ("n", "total", "low", "high"):
        yield f"{field} of a window wrong", lambda r, t, f=field: change(rng, t, "counts", f), {"wrong"}
    yield "part of a request without acknowledgement", lambda r, t: tear(r, t), {"torn"}
    yield "a receipt of other rows", lambda r, t: setattr(r[0], "ranges", r[1].ranges), {"receipt"}


def run(seed):
    """What the checks miss, or see where nothing is; nothing is good."""
    rng = random.Random(seed)
    complaints = []
    for name, spoil, kinds in faults(rng):
        requests, topics = make_run(rng)
        seen = {x: {(row[0], row[1]): row for row in rows} for x, rows in topics.items()}
        found = judge(requests, topics, seen)
        if found:
            complaints.append(f"{found} in topics that are right")
        spoiled = copy.deepcopy(topics)
        if spoil is None:
            topic = name.split()[3]
            partition, offset, time, value = spoiled[topic][-1]
            spoiled[topic][-1] = partition, offset, time, dict(value, k="other")
        else:
            spoil(requests, spoiled)
        # What readers saw is a check of its own.
        found = judge(requests, spoiled, seen if spoil is None else {})
        if not found & kinds:
            complaints.append(f"{name}: not seen ({found})")
    return complaints
