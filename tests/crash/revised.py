"""Kills of streams whose results are revised: what their changelogs leave must be the answer, and no
record may take back what is not there, whatever was killed, restored or rescaled on the way."""
import collections
import json
import random
import time

from process import Run
from workload import click_user

CLICKS = 60_000
ORDERS, PAYMENTS = 3_000, 9_000
KEYS = {"totals": "g", "sizes": "clicks", "stock": "place", "shelf": "article"}
STREAMS = ("totals", "sizes", "latest", "paid", "stock", "shelf")


def write_inputs(folder, rng):
    """Orders and payments as CSV, stock as changes; returns their rows."""
    orders = {i: rng.randrange(400) for i in range(ORDERS)}
    payments = [(n, rng.randrange(ORDERS + 500), rng.randrange(1, 1000)) for n in range(PAYMENTS)]
    for name, head, rows in (("orders", "id,customer", orders.items()), ("payments", "n,order_id,amount", payments)):
        (folder / name).mkdir()
        rows = list(rows)
        for part in range(20):
            (folder / name / f"{part:02}.csv").write_text(
                head + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows[part::20]))
    stock, lines = {}, []
    for n in range(12_000):
        if stock and rng.random() < 0.5:
            article = rng.choice(list(stock)[-200:])
            before = {"article": article, "place": stock[article][0], "pieces": stock[article][1]}
            if rng.random() < 0.4:
                del stock[article]
                lines.append({"op": "d", "before": before, "after": None})
                continue
        else:
            article, before = n, None
        stock[article] = (f"p{rng.randrange(30)}", rng.randrange(100))
        after = {"article": article, "place": stock[article][0], "pieces": stock[article][1]}
        lines.append({"op": "u" if before else "c", "before": before, "after": after})
    (folder / "stock").mkdir()
    for part in range(20):
        piece = lines[part * len(lines) // 20:(part + 1) * len(lines) // 20]
        (folder / "stock" / f"{part:02}.ndjson").write_text("".join(json.dumps(line) + "\n" for line in piece))
    return orders, payments, stock


def row(**values):
    return json.dumps(values)


def expected(orders, payments, stock):
    clicks = [(n, click_user(n)) for n in range(CLICKS)]
    totals = collections.defaultdict(list)
    by_user = collections.defaultdict(list)
    for n, user in clicks:
        totals[user % 97].append((n, user))
        by_user[user].append(n)
    sizes = collections.Counter(len(seen) for seen in by_user.values())
    paid = collections.defaultdict(list)
    for n, order, amount in payments:
        paid[order].append((n, amount))
    places = collections.defaultdict(list)
    shelves = collections.defaultdict(list)
    for article, (place, pieces) in sorted(stock.items()):
        places[place].append(pieces)
        shelves[place].append((article, pieces))
    return {
        "totals": collections.Counter(
            row(g=g, clicks=len(seen), total=sum(n for n, _ in seen), first=min(n for n, _ in seen),
                users=len({u for _, u in seen}), even=len({u for n, u in seen if n % 2 == 0}))
            for g, seen in totals.items()),
        "sizes": collections.Counter(row(clicks=size, users=users) for size, users in sizes.items()),
        "latest": collections.Counter(row(user_id=user, n=n, place=place)
                                      for user, seen in by_user.items()
                                      for place, n in enumerate(sorted(seen, reverse=True)[:3], 1)),
        "paid": collections.Counter(row(id=order, customer=customer, n=n, amount=amount)
                                    for order, customer in orders.items()
                                    for n, amount in paid.get(order, [(None, None)])),
        "stock": collections.Counter(row(place=place, pieces=sum(found), least=min(found), most=max(found))
                                     for place, found in places.items()),
        "shelf": collections.Counter(
            row(article=article, place=place, pieces=pieces, next=on[i + 1][1] if i + 1 < len(on) else None,
                four=sum(p for _, p in on[max(0, i - 3):i + 1]), articles=len(on))
            for place, on in shelves.items() for i, (article, pieces) in enumerate(on)),
    }


def write_manifests(folder, seconds):
    clicks = f"""    - name: clicks
      schema: n BIGINT, user_id BIGINT
      generator:
        rows: {CLICKS}
        rate: {int(CLICKS / seconds)}
        columns:
          n: "n"
          user_id: "n * 7919 % 1009 % (1 + n % 61)"
"""
    queries = {
        "totals": (clicks, """SELECT user_id % 97 AS g, count(*) AS clicks, sum(n) AS total, min(n) AS first,
               count(DISTINCT user_id) AS users, count(DISTINCT user_id) FILTER (WHERE n % 2 = 0) AS even
        FROM clicks GROUP BY user_id % 97"""),
        "sizes": (clicks, """SELECT clicks, count(*) AS users
        FROM (SELECT user_id, count(*) AS clicks FROM clicks GROUP BY user_id) AS q GROUP BY clicks"""),
        "latest": (clicks, """SELECT * FROM (
          SELECT user_id, n, row_number() OVER (PARTITION BY user_id ORDER BY n DESC) AS place FROM clicks) AS q
        WHERE place <= 3"""),
        "paid": ("""    - {name: orders, schema: "id BIGINT, customer BIGINT", file: {path: orders, format: csv}}
    - {name: payments, schema: "n BIGINT, order_id BIGINT, amount BIGINT", file: {path: payments, format: csv}}
""", """SELECT o.id, o.customer, p.n, p.amount
        FROM orders AS o LEFT JOIN payments AS p ON p.order_id = o.id"""),
        "stock": ("""    - name: stock
      schema: article BIGINT NOT NULL, place TEXT, pieces BIGINT, PRIMARY KEY (article)
      file: {path: stock, format: debezium}
""", """SELECT place, sum(pieces) AS pieces, min(pieces) AS least, max(pieces) AS most
        FROM stock GROUP BY place"""),
    }
    queries["shelf"] = (queries["stock"][0], """SELECT article, place, pieces, lead(pieces) OVER (PARTITION BY place ORDER BY article) AS next,
               sum(pieces) OVER (PARTITION BY place ORDER BY article ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS four,
               count(*) OVER (PARTITION BY place) AS articles
        FROM stock""")
    for name, (source, sql) in queries.items():
        (folder / f"{name}.yaml").write_text(
            f"""apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {{name: {name}}}
spec:
  checkpoint: {{interval: 150ms}}
  sources:
{source}  operators:
    - name: q
      sql: |
        {sql}
  sinks:
    - file: {{path: {name}.ndjson, format: debezium}}
""")
    return [f"{name}.yaml" for name in queries]


def apply(path, killed=False):
    """The rows that the changelog leaves; fails where it takes back what is not there, or where two rows have a key. A kill in the middle of
    an epoch's publication leaves a beginning of it, which the next start completes: with `killed`, what follows
    the last end of line is left out."""
    rows, keys, key = collections.Counter(), set(), KEYS.get(path.stem)
    if not path.exists():
        return rows
    text = path.read_text()
    if killed:
        text = text[:text.rfind("\n") + 1]
    for number, line in enumerate(text.splitlines(), 1):
        change = json.loads(line)
        if change["before"] is not None:
            before = json.dumps(change["before"])
            assert rows[before] > 0, f"{path.name}, line {number}: takes back what is not there: {before}"
            rows[before] -= 1
            keys.discard(change["before"].get(key))
        if change["after"] is not None:
            rows[json.dumps(change["after"])] += 1
            if key is not None:
                value = change["after"][key]
                assert value not in keys, f"{path.name}, line {number}: a second row of {key} {value}"
                keys.add(value)
    return +rows


def one_round(ebb, folder, seed):
    rng = random.Random(seed)
    rows = write_inputs(folder, rng)
    answers = expected(*rows)
    manifests = write_manifests(folder, rng.choice([2, 4]))
    end = time.monotonic() + 20
    kills = 0
    while True:
        run = Run(ebb, folder, ["run", *manifests, "--data", "data", "--parallelism", rng.choice([1, 2, 3, 4])])
        if time.monotonic() < end:
            code = run.wait(rng.uniform(0.1, 1.5))
            if code is None:
                run.kill()
                kills += 1
                for name in STREAMS:
                    apply(folder / f"{name}.ndjson", killed=True)
                continue
        else:
            code = run.wait(120)
            if code is None:
                run.kill()
        assert code == 0, f"exit {code}: {run.said()[-1500:]}"
        break
    for name in STREAMS:
        left = apply(folder / f"{name}.ndjson")
        missing, extra = answers[name] - left, left - answers[name]
        assert not missing and not extra, \
            f"{name} after {kills} kills: missing {list(missing.items())[:3]}, too many {list(extra.items())[:3]}"


def cases(ebb, case, seed, everything):
    """`case`: the type of a case."""
    return [case(f"revised {n}", lambda folder, n=n: one_round(ebb, folder, seed * 1000 + n))
            for n in range(20 if everything else 4)]
