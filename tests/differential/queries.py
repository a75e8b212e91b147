"""Random queries with windows, joins, top-N and OVER; PostgreSQL gets the windows spelled out."""
import collections
import re

COLUMNS = ["id INTEGER NOT NULL", "ts TIMESTAMP NOT NULL", "k TEXT", "g INTEGER", "v INTEGER",
           "w NUMERIC", "f DOUBLE PRECISION", "l BIGINT"]
TOLERANCE = NEAR_ZERO = 1e-9
EPOCH = "TIMESTAMP '1970-01-01'"

AGGREGATES = [
    "count(*)", "count(v)", "count(k)", "sum(v)", "sum(l)", "sum(w)", "sum(f)", "avg(v)", "avg(l)",
    "avg(w)", "avg(f)", "min(v)", "max(v)", "min(k)", "max(k)", "min(w)", "max(f)", "min(ts)",
    "max(ts)", "bool_and(v > 0)", "bool_or(v > 5)", "count(DISTINCT g)", "count(DISTINCT k)",
    "sum(DISTINCT v)", "count(*) FILTER (WHERE v > 2)", "sum(w) FILTER (WHERE k IS NOT NULL)",
    "string_agg(k, ',' ORDER BY id)", "string_agg(k, '|' ORDER BY k DESC, id)",
    "array_agg(v ORDER BY id)", "stddev(v)", "stddev_pop(w)", "var_samp(f)", "var_pop(v)",
    "variance(l)", "stddev_samp(f)", "every(v < 9)", "bit_and(v)", "bit_or(g)", "max(v) - min(v)",
    "sum(v) * 2 + count(*)", "coalesce(sum(v), 0)", "round(avg(w), 2)", "avg(v + g)",
    "sum(CASE WHEN k = 'a' THEN 1 ELSE 0 END)", "max(abs(v))", "min(length(k))",
    # Of small numbers: the last digits depend on the order of the rows, and where what is added up
    # cancels out, all of them do (NEAR_ZERO).
    *[
        "corr(v, f)", "corr(f, g)", "covar_pop(v, f)", "covar_samp(f, v)", "regr_avgx(v, id)", "regr_avgy(v, f)",
        "regr_intercept(f, v)", "regr_intercept(v, g)", "regr_r2(v, f)", "regr_r2(g, v)", "regr_slope(v, f)",
        "regr_slope(id, g)", "regr_sxx(v, f)", "regr_sxy(v, f)", "regr_sxy(g, id)", "regr_syy(f, v)",
        "covar_pop(DISTINCT v, g)", "regr_slope(v, f) FILTER (WHERE g > 1)"],
    "regr_count(v, f)", "regr_count(g, w)", "regr_count(DISTINCT l, v)",
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY v)", "percentile_cont(0.9) WITHIN GROUP (ORDER BY f DESC)",
    "percentile_cont(0.25) WITHIN GROUP (ORDER BY ts - TIMESTAMP '2020-01-01')",
    "percentile_cont(ARRAY[0.1, NULL, 1, 0.75]) WITHIN GROUP (ORDER BY w)",
    "percentile_disc(0.5) WITHIN GROUP (ORDER BY k)", "percentile_disc(0.3) WITHIN GROUP (ORDER BY ts DESC)",
    "percentile_disc(ARRAY[0, 0.4, 1]) WITHIN GROUP (ORDER BY l)", "percentile_disc(0.8) WITHIN GROUP (ORDER BY w)",
    "percentile_disc(NULL) WITHIN GROUP (ORDER BY v)", "mode() WITHIN GROUP (ORDER BY v)",
    "mode() WITHIN GROUP (ORDER BY k DESC)", "mode() WITHIN GROUP (ORDER BY v > 3)",
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY v) FILTER (WHERE k IS NOT NULL)",
    "mode() WITHIN GROUP (ORDER BY g DESC) FILTER (WHERE v > 2)",
]
PREDICATES = ["v > 0", "k IS NOT NULL", "k = 'a'", "g IN (1, 2)", "w >= 0 OR v IS NULL", "f < 5",
              "k LIKE 'a%'", "v % 2 = 0", "ts >= TIMESTAMP '2020-01-01 00:00:30'", "l <> 3"]
# How often each kind comes in a row of queries: all are dealt before the first comes again.
KINDS = {"windowed": 4, "session": 1, "distinct": 1, "window_join": 4, "interval_join": 4, "stream_join": 1,
         "top": 3, "over": 4, "union": 1, "nested": 1, "plain": 1}
WINDOWS = ["tumble", "tumble with offset", "hop", "cumulate"]
JOINS = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]
RANKS = ["row_number", "rank", "dense_rank"]
FRAMES = {"no frame": "", "ROWS UNBOUNDED": " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
          "ROWS n": " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW",
          "ROWS before": " ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING",
          "RANGE": " RANGE BETWEEN INTERVAL '3 seconds' PRECEDING AND CURRENT ROW"}
KEYS = ["k", "g", "k, g", "v % 3", "upper(k)", "v > 3", "date_trunc('minute', ts)", "l", "w"]


def table_rows(rnd, count):
    def pick(values, nulls=0.1):
        return None if rnd.random() < nulls else str(rnd.choice(values))

    rows = []
    # No two rows at one time: ROWS frames over equal times have no one right answer.
    times = rnd.sample(range(180_000), count)
    for k in range(count):
        micros = times[k] * 1000
        seconds, rest = divmod(micros, 1_000_000)
        rows.append([str(k), f"2020-01-01 00:{seconds // 60:02}:{seconds % 60:02}.{rest:06}",
                     pick(["a", "ab", "b", "c", "", "é"]), pick([1, 2, 3]), pick(range(-2, 10)),
                     pick(["0", "1.50", "-2.25", "3.000", "1e10"]), pick(["0.5", "1.25", "-3", "8"]),
                     pick([1, 2, 3, 4_000_000_000])])
    return rows


def aggregate_name(call):
    """What a call is counted as: `count`, `count(DISTINCT)`, `sum FILTER`."""
    name = re.match(r"\w+", call).group()
    if name in ("coalesce", "round"):
        return aggregate_name(call[len(name) + 1:])
    return name + ("(DISTINCT)" if "(DISTINCT " in call else " FILTER" if " FILTER " in call else "")


AGGREGATE_NAMES = collections.defaultdict(list)
for aggregate in AGGREGATES:
    AGGREGATE_NAMES[aggregate_name(aggregate)].append(aggregate)


class Maker:
    """Makes pairs of ebb's SQL and PostgreSQL's SQL; `names` tells what the last one is made of."""

    def __init__(self, rnd):
        self.rnd = rnd
        self.dealt = []
        self.chosen = collections.Counter()
        self.names = []

    def pick(self, values):
        return self.rnd.choice(values)

    def rare(self, values, kind):
        """One of those chosen least so far, counted with its kind in front."""
        least = min(self.chosen[kind + value] for value in values)
        value = self.pick([value for value in values if self.chosen[kind + value] == least])
        self.chosen[kind + value] += 1
        self.names.append(kind + value)
        return value

    def window(self, table):
        """(ebb's table function, PostgreSQL's subquery)"""
        kind = self.rare(WINDOWS, "")
        if kind == "tumble":
            size = self.pick(["5 seconds", "10 seconds", "1 minute", "1 hour"])
            start = f"date_bin('{size}', ts, {EPOCH})"
            return (f"tumble({table}, ts, INTERVAL '{size}')",
                    f"(SELECT *, {start} AS window_start, {start} + INTERVAL '{size}' AS window_end "
                    f"FROM {table}) AS {table}")
        if kind == "tumble with offset":
            start = f"date_bin('10 seconds', ts, {EPOCH} + INTERVAL '3 seconds')"
            return (f"tumble({table}, ts, INTERVAL '10 seconds', INTERVAL '3 seconds')",
                    f"(SELECT *, {start} AS window_start, {start} + INTERVAL '10 seconds' AS window_end "
                    f"FROM {table}) AS {table}")
        if kind == "hop":
            slide, size = self.pick([(2, 10), (5, 10), (4, 10), (10, 60), (7, 7), (3, 10)])
            count = -(-size // slide)
            return (f"hop({table}, ts, INTERVAL '{slide} seconds', INTERVAL '{size} seconds')",
                    f"(SELECT {table}.*, s AS window_start, s + INTERVAL '{size} seconds' AS window_end "
                    f"FROM {table}, LATERAL (SELECT date_bin('{slide} seconds', ts, {EPOCH}) "
                    f"- n * INTERVAL '{slide} seconds' AS s FROM generate_series(0, {count - 1}) n) x "
                    f"WHERE s + INTERVAL '{size} seconds' > ts) AS {table}")
        step, size = self.pick([(5, 20), (10, 60), (20, 60)])
        start = f"date_bin('{size} seconds', ts, {EPOCH})"
        return (f"cumulate({table}, ts, INTERVAL '{step} seconds', INTERVAL '{size} seconds')",
                f"(SELECT {table}.*, {start} AS window_start, e AS window_end FROM {table}, "
                f"LATERAL (SELECT {start} + n * INTERVAL '{step} seconds' AS e "
                f"FROM generate_series(1, {size // step}) n) x WHERE e > ts) AS {table}")

    def aggregates(self):
        chosen = [self.pick(AGGREGATE_NAMES[self.rare(list(AGGREGATE_NAMES), "aggregate ")])
                  for _ in range(self.pick([3, 4, 5, 6, 7]))]
        return ", ".join(f"{a} AS a{i}" for i, a in enumerate(chosen))

    def where(self):
        return f" WHERE {self.pick(PREDICATES)}" if self.rnd.random() < 0.4 else ""

    def windowed(self):
        mine, theirs = self.window("e1")
        keys = self.pick(KEYS + [""])
        columns = self.pick(["window_start, window_end", "window_start", "window_end"])
        group = columns + (f", {keys}" if keys else "")
        named = columns + "".join(f", {key} AS k{i}" for i, key in enumerate(split(keys)))
        having = self.pick(["", "", "", " HAVING count(*) > 1", " HAVING max(v) > 3"])
        text = f"SELECT {named}, {self.aggregates()} FROM {{}}{self.where()} GROUP BY {group}{having}"
        return text.format(mine), text.format(theirs)

    def session(self):
        gap = self.pick(["1 second", "3 seconds", "200 milliseconds"])
        key = self.pick(["k", "g"])
        where, aggregates = self.where(), self.aggregates()
        mine = (f"SELECT window_start, window_end, {key}, {aggregates} FROM session(e1, ts, "
                f"INTERVAL '{gap}'){where} GROUP BY window_start, window_end, {key}")
        theirs = (f"WITH a AS (SELECT *, CASE WHEN ts - lag(ts) OVER (PARTITION BY {key} ORDER BY ts, id)"
                  f" <= INTERVAL '{gap}' THEN 0 ELSE 1 END AS fresh FROM e1{where}), "
                  f"b AS (SELECT *, sum(fresh) OVER (PARTITION BY {key} ORDER BY ts, id) AS nr FROM a) "
                  f"SELECT min(ts) AS window_start, max(ts) + INTERVAL '{gap}' AS window_end, {key}, "
                  f"{aggregates} FROM b GROUP BY {key}, nr")
        return mine, theirs

    def distinct(self):
        mine, theirs = self.window("e1")
        text = f"SELECT DISTINCT window_start, window_end, {self.pick(['k', 'g', 'k, g'])} FROM {{}}{self.where()}"
        return text.format(mine), text.format(theirs)

    def window_join(self):
        size = self.pick(["5 seconds", "10 seconds"])
        kind = self.rare(JOINS, "window ")
        residual = self.pick(["", "", " AND a.v > b.v"]) if kind == "JOIN" else ""
        key = self.pick(["k", "g"])

        def side(table, alias):
            start = f"date_bin('{size}', ts, {EPOCH})"
            return (f"(SELECT window_start, window_end, {key}, v, id FROM tumble({table}, ts, "
                    f"INTERVAL '{size}')) AS {alias}",
                    f"(SELECT {start} AS window_start, {start} + INTERVAL '{size}' AS window_end, "
                    f"{key}, v, id FROM {table}) AS {alias}")

        (a1, a2), (b1, b2) = side("e1", "a"), side("e2", "b")
        text = (f"SELECT a.window_start AS ws, b.window_end AS we, a.{key} AS ka, b.id AS ib, a.id AS ia "
                f"FROM {{}} {kind} {{}} ON a.window_start = b.window_start AND a.window_end = "
                f"b.window_end AND a.{key} = b.{key}{residual}")
        return text.format(a1, b1), text.format(a2, b2)

    def interval_join(self):
        kind = self.rare(JOINS, "interval ")
        low, high = self.pick([("2 seconds", "2 seconds"), ("0 seconds", "5 seconds"),
                               ("1 second", "0 seconds")])
        residual = self.pick(["", " AND e1.v <> e2.v"])
        text = (f"SELECT e1.id AS a, e2.id AS b, e1.ts AS ta, e2.v AS vb FROM e1 {kind} e2 "
                f"ON e1.k = e2.k AND e1.ts BETWEEN e2.ts - INTERVAL '{low}' AND e2.ts + "
                f"INTERVAL '{high}'{residual}")
        return text, text

    def stream_join(self):
        text = (f"SELECT e1.id AS a, e2.id AS b, e1.v + e2.v AS s FROM e1 JOIN e2 ON e1.k = e2.k AND "
                f"e1.g = e2.g{self.pick(['', ' AND e1.v > e2.v', ' WHERE e2.w > 0'])}")
        return text, text

    def top(self):
        mine, theirs = self.window("e1")
        rank = self.rare(RANKS, "")
        part = self.pick(["window_start, window_end", "window_start, window_end, k",
                          "window_end, window_start, g"])
        order = self.pick(["v DESC NULLS LAST, id", "w, id", "k DESC, id"])
        if rank != "row_number":
            order = order.replace(", id", "")
        text = (f"SELECT window_start, id, k, v, rn FROM (SELECT *, {rank}() OVER (PARTITION BY {part} "
                f"ORDER BY {order}) AS rn FROM {{}}) AS ranked WHERE rn <= {self.pick([1, 2, 3])}")
        return text.format(mine), text.format(theirs)

    def over(self):
        frame = FRAMES[self.rare(list(FRAMES), "OVER with ")]
        call = self.pick(["sum(v)", "count(*)", "max(v)", "avg(w)", "min(k)", "regr_count(v, f)", "regr_avgx(f, v)"])
        part = self.pick(["k", "g"])
        text = f"SELECT id, {call} OVER (PARTITION BY {part} ORDER BY ts{frame}) AS x FROM e1"
        return text, text

    def union(self):
        start = f"date_bin('10 seconds', ts, {EPOCH})"
        inner = "SELECT ts, k, v FROM e1 UNION ALL SELECT ts, upper(k), v + 1 FROM e2"
        text = f"SELECT window_start, k, {self.pick(['count(*)', 'sum(v)', 'max(v)'])} AS n FROM {{}} GROUP BY window_start, k"
        return (f"WITH both_tables AS ({inner}) " + text.format("tumble(both_tables, ts, INTERVAL '10 seconds')"),
                f"WITH both_tables AS ({inner}) " + text.format(
                    f"(SELECT *, {start} AS window_start FROM both_tables) AS q"))

    def nested(self):
        mine, theirs = self.window("e1")
        text = (f"SELECT window_start, window_end, {self.pick(['max(n)', 'sum(n)', 'count(*)', 'avg(n)'])} AS m "
                f"FROM (SELECT window_start, window_end, {self.pick(['k', 'g'])}, count(*) AS n FROM {{}} "
                f"GROUP BY 1, 2, 3) AS inner_windows GROUP BY window_start, window_end")
        return text.format(mine), text.format(theirs)

    def plain(self):
        text = (f"SELECT id, v + coalesce(g, 0) AS a, CASE WHEN k = 'a' THEN w ELSE -w END AS b, "
                f"upper(k) || '!' AS c FROM e1 WHERE {self.pick(PREDICATES)} AND {self.pick(PREDICATES)}")
        return text, text

    def next(self):
        if not self.dealt:
            self.dealt = [kind for kind, times in KINDS.items() for _ in range(times)]
            self.rnd.shuffle(self.dealt)
        kind = self.dealt.pop()
        self.names = [kind.replace("_", " ")]
        return kind, *getattr(self, kind)()


def split(keys):
    """Top-level parts of a list of expressions."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(keys):
        depth += {"(": 1, ")": -1}.get(c, 0)
        if c == "," and depth == 0:
            parts.append(keys[start:i])
            start = i + 1
    return [p.strip() for p in parts + [keys[start:]] if p.strip()]


def normal(rows):
    """Sorted rows with numbers and times in one spelling."""
    def one(value):
        if value is None:
            return None
        value = {"t": "true", "f": "false"}.get(value, value)
        value = re.sub(r"(\d)T(\d)", r"\1 \2", value)
        value = re.sub(r"(:\d\d\.\d*?)0+$", r"\1", value).rstrip(".") if ":" in value else value
        return value

    def key(row):
        return [(v is None, re.sub(r"(\.\d{6})\d+", r"\1", v or "")) for v in row]

    return sorted(([one(v) for v in row] for row in rows), key=key)


def unmatched(rows, others):
    """Two rows without an equal one among the others."""
    from compare import same

    return [r for r in rows if not any(same([r], [other], TOLERANCE, NEAR_ZERO) for other in others)][:2]


def all_names():
    """What every query is made of, to be counted."""
    return ([kind.replace("_", " ") for kind in KINDS] + WINDOWS + RANKS + ["aggregate " + name for name in AGGREGATE_NAMES]
            + [side + join for side in ("window ", "interval ") for join in JOINS] + ["OVER with " + name for name in FRAMES])


def compare_queries(rnd, count, ebb, cursor, tally):
    from compare import same

    tally.uses.update(dict.fromkeys(all_names(), 0))

    for table in ("e1", "e2"):
        rows = table_rows(rnd, 200)
        ebb.set_table(table, COLUMNS, rows, {"column": "ts", "maxDelay": "1h"})
        cursor.execute(f"CREATE TABLE {table} ({', '.join(COLUMNS)})")
        for row in rows:
            cursor.execute(f"INSERT INTO {table} VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", row)
    maker = Maker(rnd)
    for _ in range(count):
        tally.asked += 1
        kind, mine, theirs = maker.next()
        cursor.execute(f"SELECT to_json(array(SELECT NULL::text)), q.* FROM ({theirs}) AS q LIMIT 0")
        names = [d[0] for d in cursor.description][1:]
        cursor.execute("SELECT " + ", ".join(f'q."{n}"::text' for n in names) + f" FROM ({theirs}) AS q")
        wanted = normal([list(row) for row in cursor.fetchall()])
        got, problem = ebb.query(mine, rnd.choice([1, 1, 2, 5]),
                                 [t for t in ("e1", "e2") if re.search(rf"\b{t}\b", mine)])
        if problem is not None:
            if problem.refused:
                tally.refuse(mine, problem)
            else:
                tally.fail(mine, f"ebb fails: {problem.text}")
            continue
        got = normal(got)
        if not same(got, wanted, TOLERANCE, NEAR_ZERO):
            extra = unmatched(got, wanted)
            missing = unmatched(wanted, got)
            tally.fail(mine, f"{kind}: {len(got)} rows for {len(wanted)}; only ebb {extra}; only PostgreSQL {missing}")
            continue
        tally.passed += 1
        if wanted:
            tally.uses.update(set(maker.names))
        else:
            tally.empty += 1
