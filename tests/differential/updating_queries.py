"""Random queries of up to four operators whose results are revised."""
from changes import NAMES, TYPES

LITERALS = {"int": ["0", "1", "2", "3", "17"], "num": ["0", "1.25", "-0.5"], "text": ["'a'", "''", "'b'"],
            "time": ["TIMESTAMP '2024-01-02 00:00:00'", "TIMESTAMP '2024-01-03 12:00:00'"], "bool": ["true", "false"]}


class Queries:
    def __init__(self, random, tables):
        self.random, self.tables = random, tables
        self.kinds = set()

    def make(self, depth):
        """(SQL, types): columns are named c0, c1, …"""
        self.kinds = set()
        return self.query(depth)

    def query(self, depth):
        if depth == 0:
            return self.base()
        kind = self.random.choice(["filter", "group", "group", "total", "distinct", "join", "join", "outer", "exists",
                                   "in_value", "is_in", "scalar", "set", "set", "rank", "limit", "with_ties", "distinct_on",
                                   "over", "over", "by_key", "by_key"])
        self.kinds.add(kind)
        return getattr(self, kind)(depth)

    def base(self):
        names = self.random.sample(NAMES, self.random.randrange(2, 5))
        table = self.random.choice(self.tables)
        return (f"SELECT {', '.join(f'{n} AS c{i}' for i, n in enumerate(names))} FROM {table}",
                [TYPES[n] for n in names])

    def sub(self, depth, name):
        sql, types = self.query(depth - 1)
        return f"({sql}) AS {name}", types

    @staticmethod
    def columns(types, prefix="", first=0):
        return ", ".join(f"{prefix}c{i} AS c{first + i}" for i in range(len(types)))

    def condition(self, types, prefix=""):
        i = self.random.randrange(len(types))
        column = f"{prefix}c{i}"
        kind = self.random.randrange(4)
        if kind == 0:
            return f"{column} IS {self.random.choice(['', 'NOT '])}NULL"
        literal = self.random.choice(LITERALS[types[i]])
        if types[i] == "bool":
            return f"{column} = {literal}"
        return f"{column} {self.random.choice(['<', '<=', '>', '>=', '=', '<>'])} {literal}"

    def filter(self, depth):
        source, types = self.sub(depth, "q")
        extra, more = "", []
        if "int" in types and self.random.random() < 0.5:
            extra, more = f", c{types.index('int')} + 1 AS c{len(types)}", ["int"]
        return f"SELECT {self.columns(types)}{extra} FROM {source} WHERE {self.condition(types)}", types + more

    def aggregate(self, types):
        i = self.random.randrange(len(types))
        column, kind = f"c{i}", types[i]
        choices = [("count(*)", "int"), (f"count({column})", "int"), (f"count(DISTINCT {column})", "int")]
        if kind != "bool":
            choices += [(f"min({column})", kind), (f"max({column})", kind)]
        if kind == "int":
            choices += [(f"sum({column})", "int"), (f"round(avg({column}), 3)", "num"), (f"sum(DISTINCT {column})", "int")]
            choices += [(f"percentile_disc(0.3) WITHIN GROUP (ORDER BY {column} DESC)", "int"),
                        (f"mode() WITHIN GROUP (ORDER BY {column})", "int"), (f"regr_count({column}, {column})", "int"),
                        (f"round(corr({column}, {column} % 3)::numeric, 3)", "num")]
        if kind == "num":
            choices += [(f"round(percentile_cont(0.7) WITHIN GROUP (ORDER BY {column})::numeric, 3)", "num")]
            choices += [(f"round(sum({column}), 3)", "num"), (f"round(avg({column}), 3)", "num")]
        if kind == "text":
            choices += [(f"mode() WITHIN GROUP (ORDER BY {column} DESC)", "text")]
            choices += [(f"string_agg({column}, '+' ORDER BY {column})", "text"),
                        (f"string_agg(DISTINCT {column}, '+')", "text")]
        if kind == "bool":
            choices += [(f"bool_and({column})", "bool"), (f"bool_or({column})", "bool")]
        call, result = self.random.choice(choices)
        if self.random.random() < 0.3 and not call.startswith("round"):
            call += f" FILTER (WHERE {self.condition(types)})"
        return call, result

    def aggregates(self, types, first):
        calls = [self.aggregate(types) for _ in range(self.random.randrange(1, 4))]
        return (", ".join(f"{call} AS c{first + i}" for i, (call, _) in enumerate(calls)), [kind for _, kind in calls])

    def group(self, depth):
        source, types = self.sub(depth, "q")
        keys = sorted(self.random.sample(range(len(types)), self.random.randrange(1, min(3, len(types)) + 1)))
        calls, more = self.aggregates(types, len(keys))
        having = f" HAVING count(*) {self.random.choice(['>', '<', '='])} 2" if self.random.random() < 0.3 else ""
        return (f"SELECT {', '.join(f'c{k} AS c{i}' for i, k in enumerate(keys))}, {calls} FROM {source} "
                f"GROUP BY {', '.join(f'q.c{k}' for k in keys)}{having}", [types[k] for k in keys] + more)

    def total(self, depth):
        source, types = self.sub(depth, "q")
        calls, more = self.aggregates(types, 0)
        return f"SELECT {calls} FROM {source}", more

    def distinct(self, depth):
        source, types = self.sub(depth, "q")
        return f"SELECT DISTINCT {self.columns(types)} FROM {source}", types

    def pairs(self, left, right):
        return [(i, j) for i, a in enumerate(left) for j, b in enumerate(right) if a == b]

    def equalities(self, left, right):
        """At least one, if some columns can be compared."""
        pairs = self.pairs(left, right)
        if not pairs:
            return None
        chosen = self.random.sample(pairs, min(len(pairs), self.random.choice([1, 1, 2])))
        return " AND ".join(f"a.c{i} = b.c{j}" for i, j in chosen)

    def both(self, depth):
        left, left_types = self.sub(depth, "a")
        right, right_types = self.sub(self.random.randrange(1, depth + 1), "b")
        return left, left_types, right, right_types

    def join(self, depth, kind="JOIN"):
        left, left_types, right, right_types = self.both(depth)
        on = self.equalities(left_types, right_types)
        if on is None:
            return self.filter(depth)
        if self.random.random() < 0.35:
            pairs = [(i, j) for i, j in self.pairs(left_types, right_types) if left_types[i] != "bool"]
            if pairs:
                i, j = self.random.choice(pairs)
                on += f" AND a.c{i} {self.random.choice(['<', '>=', '<>'])} b.c{j}"
        left_types, right_types = left_types[:4], right_types[:4]
        return (f"SELECT {self.columns(left_types, 'a.')}, {self.columns(right_types, 'b.', len(left_types))} "
                f"FROM {left} {kind} {right} ON {on}", left_types + right_types)

    def outer(self, depth):
        kind = self.random.choice(["LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        self.kinds.add(kind)
        return self.join(depth, kind)

    def by_key(self, depth):
        """Rows with a primary key go to the subtasks by another column, which changes: their changes come from several."""
        def table():
            return self.random.choice(["people", "prices"])
        kept = self.random.random() < 0.5
        columns = f"a.id AS c0, {'a.k AS c1, ' if kept else ''}"
        types = ["int", "int", "text"] if kept else ["int", "text"]
        last = f"AS c{len(types) - 1}"
        way = self.random.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "scalar", "in", "over", "rank"])
        self.kinds.add(f"by_key {way}")
        if way == "scalar":
            return f"SELECT {columns}(SELECT b.s FROM {table()} AS b WHERE b.id = a.k) {last} FROM {table()} AS a", types
        if way == "in":
            return f"SELECT {columns}a.s {last} FROM {table()} AS a WHERE a.k IN (SELECT b.id FROM {table()} AS b)", types
        if way == "over":
            return f"SELECT {columns}max(a.s) OVER (PARTITION BY a.k) {last} FROM {table()} AS a", types
        if way == "rank":
            return (f"SELECT {columns}a.s {last} FROM (SELECT id, k, s, row_number() OVER (PARTITION BY k ORDER BY s, id) AS r "
                    f"FROM {table()}) AS a WHERE a.r <= {self.random.randrange(2, 5)}", types)
        if way in ("RIGHT JOIN", "FULL JOIN"):
            types = ["int"] + types
            return (f"SELECT a.id AS c0, b.id AS c1, {'a.k AS c2, ' if kept else ''}b.s AS c{len(types) - 1} "
                    f"FROM {table()} AS a {way} {table()} AS b ON b.id = a.k", types)
        return f"SELECT {columns}b.s {last} FROM {table()} AS a {way} {table()} AS b ON b.id = a.k", types

    def exists(self, depth):
        left, left_types, right, right_types = self.both(depth)
        on = self.equalities(left_types, right_types)
        if on is None:
            return self.filter(depth)
        return (f"SELECT {self.columns(left_types)} FROM {left} WHERE {self.random.choice(['', 'NOT '])}EXISTS "
                f"(SELECT 1 FROM {right} WHERE {on})", left_types)

    def membership(self, depth):
        left, left_types, right, right_types = self.both(depth)
        pairs = self.pairs(left_types, right_types)
        if not pairs:
            return None
        i, j = self.random.choice(pairs)
        where = ""
        if self.random.random() < 0.3:
            where = f" WHERE {self.equalities(left_types, right_types)}"
        test = f"a.c{i} {self.random.choice(['', 'NOT '])}IN (SELECT b.c{j} FROM {right}{where})"
        return left, left_types, test

    def is_in(self, depth):
        made = self.membership(depth)
        if made is None:
            return self.filter(depth)
        left, types, test = made
        return f"SELECT {self.columns(types)} FROM {left} WHERE {test}", types

    def in_value(self, depth):
        made = self.membership(depth)
        if made is None:
            return self.filter(depth)
        left, types, test = made
        if self.random.random() < 0.5:
            return f"SELECT {self.columns(types)} FROM {left} WHERE {test} OR {self.condition(types, 'a.')}", types
        return f"SELECT {self.columns(types)}, {test} AS c{len(types)} FROM {left}", types + ["bool"]

    def scalar(self, depth):
        left, left_types, right, right_types = self.both(depth)
        call, kind = self.aggregate(right_types)
        where = ""
        if self.random.random() < 0.5 and self.pairs(left_types, right_types):
            where = f" WHERE {self.equalities(left_types, right_types)}"
        value = f"(SELECT {call} FROM {right}{where})"
        if kind in left_types and kind != "bool" and self.random.random() < 0.5:
            return (f"SELECT {self.columns(left_types)} FROM {left} "
                    f"WHERE a.c{left_types.index(kind)} {self.random.choice(['<', '>=', '='])} {value}", left_types)
        return f"SELECT {self.columns(left_types)}, {value} AS c{len(left_types)} FROM {left}", left_types + [kind]

    def set(self, depth):
        left, left_types, right, right_types = self.both(depth)
        # Columns of one type, from both sides.
        pairs = self.pairs(left_types, right_types)
        if not pairs:
            return self.distinct(depth)
        chosen = self.random.sample(pairs, min(len(pairs), self.random.randrange(1, 4)))
        word = self.random.choice(["UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"])
        self.kinds.add(word)

        def value(column, kind):
            # Of equal numbers with other places, either side's may be the one that is shown: PostgreSQL's plan decides.
            return f"trim_scale({column})" if kind == "num" and word != "UNION ALL" else column

        from_left = ", ".join(f"{value(f'a.c{i}', left_types[i])} AS c{n}" for n, (i, _) in enumerate(chosen))
        from_right = ", ".join(value(f"b.c{j}", right_types[j]) for _, j in chosen)
        return f"SELECT {from_left} FROM {left} {word} SELECT {from_right} FROM {right}", [left_types[i] for i, _ in chosen]

    def order(self, types, all_columns=True):
        order = list(range(len(types)))
        self.random.shuffle(order)
        if not all_columns:
            order = order[:self.random.randrange(1, len(order) + 1)]
        return ", ".join(f"c{i}{self.random.choice(['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'])}" for i in order)

    def rank(self, depth):
        source, types = self.sub(depth, "q")
        function = self.random.choice(["row_number", "row_number", "rank", "dense_rank"])
        self.kinds.add(function)
        keys = self.random.sample(range(len(types)), self.random.randrange(0, min(2, len(types)) + 1))
        by = f"PARTITION BY {', '.join(f'c{k}' for k in keys)} " if keys else ""
        number = f"{function}() OVER ({by}ORDER BY {self.order(types, function == 'row_number')})"
        bound = self.random.choice(["<= 1", "<= 2", "<= 3", "= 1", "< 3", "= 2"])
        inner = f"(SELECT {self.columns(types)}, {number} AS r FROM {source}) AS z"
        if self.random.random() < 0.5:
            return f"SELECT {self.columns(types)}, r AS c{len(types)} FROM {inner} WHERE r {bound}", types + ["int"]
        return f"SELECT {self.columns(types)} FROM {inner} WHERE r {bound}", types

    def limit(self, depth):
        source, types = self.sub(depth, "q")
        offset = f" OFFSET {self.random.randrange(1, 4)}" if self.random.random() < 0.3 else ""
        return (f"SELECT {self.columns(types)} FROM {source} ORDER BY {self.order(types)} "
                f"LIMIT {self.random.randrange(1, 8)}{offset}", types)

    def with_ties(self, depth):
        """Only the columns of the order show: which of the rows that tie are skipped is left open."""
        source, types = self.sub(depth, "q")
        keys = self.random.sample(range(len(types)), self.random.randrange(1, min(2, len(types)) + 1))
        offset = f"OFFSET {self.random.randrange(1, 5)} " if self.random.random() < 0.7 else ""
        shown = ", ".join(f"q.c{k} AS c{i}" for i, k in enumerate(keys))
        order = ", ".join(f"q.c{k}{self.random.choice(['', ' DESC', ' NULLS FIRST'])}" for k in keys)
        return (f"SELECT {shown} FROM {source} ORDER BY {order} "
                f"{offset}FETCH FIRST {self.random.randrange(1, 6)} ROWS WITH TIES", [types[k] for k in keys])

    def distinct_on(self, depth):
        source, types = self.sub(depth, "q")
        rest = [i for i in range(1, len(types))]
        self.random.shuffle(rest)
        return (f"SELECT DISTINCT ON (c0) {self.columns(types)} FROM {source} "
                f"ORDER BY {', '.join(f'c{i}' for i in [0] + rest)}", types)

    def frame(self, ordered):
        """Of an OVER clause; RANGE without offsets."""
        kind = self.random.randrange(5)
        if kind == 0:
            return ""
        if kind == 1:
            return " " + self.random.choice(["RANGE BETWEEN CURRENT ROW AND CURRENT ROW",
                                             "RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
                                             "RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING"])
        if not ordered:
            return " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
        n, m = sorted(self.random.choices(range(4), k=2))
        return " ROWS BETWEEN " + self.random.choice([
            f"{n} PRECEDING AND {m} FOLLOWING", f"{m} PRECEDING AND {n} PRECEDING", f"{n} FOLLOWING AND {m} FOLLOWING",
            f"{m} PRECEDING AND CURRENT ROW", f"CURRENT ROW AND {n} FOLLOWING", f"UNBOUNDED PRECEDING AND {n} FOLLOWING",
            f"UNBOUNDED PRECEDING AND {n} PRECEDING", "UNBOUNDED PRECEDING AND CURRENT ROW",
            f"{n} PRECEDING AND UNBOUNDED FOLLOWING", f"{n} FOLLOWING AND UNBOUNDED FOLLOWING"])

    def by_values(self, kind):
        """A RANGE over one ORDER BY column of that type."""
        n, m = sorted(self.random.choices(range(4), k=2))
        unit = (lambda x: f"INTERVAL '{x * 7} hours'") if kind == "time" else str
        if kind == "int" and self.random.random() < 0.3:  # beyond what the type holds
            most = 2**63 - 1
            return " RANGE BETWEEN " + self.random.choice([
                f"{n} PRECEDING AND {most} FOLLOWING", f"{most} PRECEDING AND {n} PRECEDING",
                f"{most} FOLLOWING AND UNBOUNDED FOLLOWING"])
        return " RANGE BETWEEN " + self.random.choice([
            f"{unit(n)} PRECEDING AND {unit(m)} FOLLOWING", f"{unit(m)} PRECEDING AND {unit(n)} PRECEDING",
            f"{unit(m)} PRECEDING AND CURRENT ROW", f"UNBOUNDED PRECEDING AND {unit(n)} FOLLOWING",
            f"{unit(n)} FOLLOWING AND UNBOUNDED FOLLOWING"])

    def over_call(self, types):
        """A call whose value does not depend on the order of rows that are equal in all columns: (SQL, type, whether
        it goes by a frame)."""
        i = self.random.randrange(len(types))
        column, kind = f"c{i}", types[i]
        choice = self.random.randrange(8)
        if choice < 3 and not (kind == "bool" and choice == 2):
            call, result = self.random.choice([("count(*)", "int"), (f"count({column})", "int")] + (
                [(f"max({column})", kind), (f"min({column})", kind)] if kind != "bool" else []) + (
                [(f"sum({column})", "int")] * 2 if kind == "int" else []) + (
                [(f"round(avg({column}), 3)", "num")] if kind in ("int", "num") else []))
            if self.random.random() < 0.2 and not call.startswith("round"):
                call += f" FILTER (WHERE {self.condition(types)})"
            return call, result, True
        if choice < 5:
            name = self.random.choice(["lag", "lead"])
            more = self.random.choice(["", "", f", {self.random.randrange(4)}"])
            if more and kind == "int" and self.random.random() < 0.5:
                more += ", -7"
            return f"{name}({column}{more})", kind, False
        if choice < 7:
            call = self.random.choice([f"first_value({column})", f"last_value({column})", f"nth_value({column}, 2)"])
            return call, kind, True
        call, result = self.random.choice([("row_number()", "int"), ("rank()", "int"), ("dense_rank()", "int"),
                                           ("ntile(3)", "int"), ("round(percent_rank()::numeric, 3)", "num"),
                                           ("round(cume_dist()::numeric, 3)", "num")])
        return call, result, False

    @staticmethod
    def with_over(call, window):
        """OVER stands behind the call itself, not behind what rounds it."""
        if not call.startswith("round("):
            return f"{call} OVER ({window})"
        inner, digits = call[len("round("):].rsplit(", ", 1)
        inner, cast = (inner[:-len("::numeric")], "::numeric") if inner.endswith("::numeric") else (inner, "")
        return f"round((({inner} OVER ({window}))){cast}, {digits}"

    def over(self, depth):
        source, types = self.sub(depth, "q")
        keys = self.random.sample(range(len(types)), self.random.randrange(0, min(2, len(types)) + 1))
        by = f"PARTITION BY {', '.join(f'c{k}' for k in keys)} " if keys else ""
        calls = []
        # All columns tell all rows apart but those that are equal (and then one order for all calls, as which of them is
        # first is left open); else only what goes by peers is certain.
        order = self.order(types)
        shape = self.random.choice(["all", "all", "peers", "none", "values"])
        for _ in range(self.random.randrange(1, 4)):
            call, kind, framed = self.over_call(types)
            if shape == "all":
                window = f"{by}ORDER BY {order}{self.frame(True) if framed else ''}"
                calls.append((self.with_over(call, window), kind))
                continue
            column = self.random.randrange(len(types))
            call = self.random.choice(["count(*)", f"count(c{column})"]
                                      + ([f"max(c{column})", f"min(c{column})"] if types[column] != "bool" else []))
            kind = "int" if call.startswith("count") else types[column]
            if shape == "none":
                window = by
            elif shape == "peers":
                frame = self.random.choice(["", " RANGE BETWEEN CURRENT ROW AND CURRENT ROW",
                                            " RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING"])
                window = f"{by}ORDER BY {self.order(types, False)}{frame}"
            else:
                ranged = [i for i, x in enumerate(types) if x in ("int", "time")]
                if not ranged:
                    return self.filter(depth)
                i = self.random.choice(ranged)
                direction = self.random.choice(["", " DESC", " NULLS FIRST", " DESC NULLS LAST"])
                window = f"{by}ORDER BY c{i}{direction}{self.by_values(types[i])}"
            calls.append((f"{call} OVER ({window})", kind))
        self.kinds.add("over " + shape)
        named = ", ".join(f"{call} AS c{len(types) + i}" for i, (call, _) in enumerate(calls))
        return f"SELECT {self.columns(types)}, {named} FROM {source}", types + [kind for _, kind in calls]
