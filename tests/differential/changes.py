"""Tables of which rows come and go: their changes as ebb reads them, their last rows for PostgreSQL."""
import json
import os
import shutil

COLUMNS = ["id INTEGER NOT NULL", "k INTEGER", "g INTEGER NOT NULL", "n NUMERIC(8,2)", "s TEXT", "t TIMESTAMP"]
NAMES = [column.split()[0] for column in COLUMNS]
TYPES = {"id": "int", "k": "int", "g": "int", "n": "num", "s": "text", "t": "time"}


def random_row(random, number):
    """Few values, so that groups and joins have many rows; NULLs in all but id and g."""
    def maybe(value, share=0.12):
        return None if random.random() < share else value
    return [number, maybe(random.randrange(6)), random.randrange(4),
            maybe(f"{random.randrange(-300, 300) / 100:.2f}"), maybe(random.choice(["", "a", "b", "ab", "é", "Z"])),
            maybe(f"2024-01-0{random.randrange(1, 5)} {random.randrange(24):02}:00:00")]


def as_json(row):
    return None if row is None else {name: (float(value) if name == "n" and value is not None else
                                            value.replace(" ", "T") if name == "t" and value is not None else value)
                                     for name, value in zip(NAMES, row)}


class Table:
    """`kind`: append (CSV), changes (Debezium, whole rows), keyed (Debezium, PRIMARY KEY), upsert (CSV)."""

    def __init__(self, name, kind, random, steps, folder):
        self.name, self.kind = name, kind
        self.rows = []
        lines = []
        for number in range(steps):
            lines += getattr(self, kind)(random, number)
        # Every file makes a batch of its own, so that rows are taken back that have gone on.
        self.folder = os.path.join(folder, name)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.mkdir(self.folder)
        head = ",".join(NAMES) + "\n" if self.is_csv else ""
        number = 0
        while lines:
            count = random.randrange(1, max(2, steps // 6))
            part, lines = lines[:count], lines[count:]
            with open(os.path.join(self.folder, f"{number:04}"), "w", encoding="utf-8") as out:
                out.write(head + "".join(line + "\n" for line in part))
            number += 1

    @property
    def is_csv(self):
        return self.kind in ("append", "upsert")

    @staticmethod
    def _csv(row):
        return ",".join("" if value is None else f'"{value}"' for value in row)

    @staticmethod
    def _change(op, before, after):
        return json.dumps({"op": op, "before": as_json(before), "after": as_json(after)}, ensure_ascii=False)

    def append(self, random, number):
        self.rows.append(random_row(random, number))
        return [self._csv(self.rows[-1])]

    def changes(self, random, number):
        # Equal rows occur, and some changes change nothing.
        if self.rows and random.random() < 0.35:
            gone = self.rows.pop(random.randrange(len(self.rows)))
            if random.random() < 0.5:
                return [self._change("d", gone, None)]
            self.rows.append(random_row(random, gone[0]) if random.random() < 0.9 else list(gone))
            return [self._change("u", gone, self.rows[-1])]
        row = list(random.choice(self.rows)) if self.rows and random.random() < 0.1 else random_row(random, number)
        self.rows.append(row)
        return [self._change(random.choice("cr"), None, row)]

    def keyed(self, random, number):
        if self.rows and random.random() < 0.5:
            at = random.randrange(len(self.rows))
            before = self.rows[at]
            if random.random() < 0.4:
                self.rows.pop(at)
                return [self._change("d", [before[0]] + [None, before[2], None, None, None], None)]
            changes_key = random.random() < 0.1
            self.rows[at] = random_row(random, number + 100_000 if changes_key else before[0])
            return [self._change("u", before if changes_key or random.random() < 0.5 else None, self.rows[at])]
        self.rows.append(random_row(random, number))
        return [self._change("c", None, self.rows[-1])]

    def upsert(self, random, number):
        row = random_row(random, random.randrange(max(1, number // 2 + 1)))
        self.rows = [old for old in self.rows if old[0] != row[0]] + [row]
        return [self._csv(row)]

    @property
    def source(self):
        """As it stands in a manifest."""
        keyed = self.kind in ("keyed", "upsert")
        source = {"name": self.name, "schema": ", ".join(COLUMNS) + (", PRIMARY KEY (id)" if keyed else ""),
                  "file": {"path": self.folder, "format": "csv" if self.is_csv else "debezium"}}
        if self.kind == "upsert":
            source["onConflict"] = "replace"
        return source

    def load(self, cursor):
        cursor.execute(f"DROP TABLE IF EXISTS {self.name}; CREATE TABLE {self.name} ({', '.join(COLUMNS)})")
        for row in self.rows:
            cursor.execute(f"INSERT INTO {self.name} VALUES ({', '.join(['%s'] * len(row))})", row)


class Malformed(Exception):
    """A changelog that takes back what is not there."""


def apply_changes(path, unique=None):
    """The rows (JSON text) that a Debezium file leaves, with their counts, and how many records of each op.
    `unique`: columns of which no two rows may agree at any time."""
    rows, ops, keys = {}, {"c": 0, "u": 0, "d": 0}, set()

    def key_of(row):
        return tuple(str(row[name]) for name in unique)

    def text(row):
        return json.dumps(row, ensure_ascii=False)
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            change = json.loads(line, parse_float=str, parse_int=str)
            op, before, after = change["op"], change["before"], change["after"]
            ops[op] += 1
            if (op in "ud") != (before is not None) or (op in "cu") != (after is not None):
                raise Malformed(f"line {number}: op {op} with {line.strip()}")
            if before is not None:
                key = text(before)
                if rows.get(key, 0) == 0:
                    raise Malformed(f"line {number}: takes back what is not there: {key}")
                rows[key] -= 1
                if unique is not None:
                    keys.discard(key_of(before))
            if after is not None:
                if unique is not None:
                    if key_of(after) in keys:
                        raise Malformed(f"line {number}: a second row of key {key_of(after)}")
                    keys.add(key_of(after))
                rows[text(after)] = rows.get(text(after), 0) + 1
    return {row: count for row, count in rows.items() if count}, ops
