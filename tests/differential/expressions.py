"""Random typed SQL expressions over table `t`, with every function, operator and cast in turn.

A production is (name, result type, template, arguments). `{0}` in the template stands for the first
argument. An argument is
  a type        an expression of that type;
  `=type`       a column or literal of that type;
  `$name`       that column;
  `'type`       a literal without a type, whose text is a value of that type;
  `@type`       text that reads as a value of that type, mostly;
  `'@type`      the same as a literal without a type;
  `#small`      a small integer, constant or not; `#position` from 1 on; `#month` about 1 to 12;
  a list        one of these, as written;
  a function    what it returns for the random generator;
  `either(...)` one of these two, where wrong ones come only at the root: ebb refuses a wrong constant
                (a broken pattern, say) at once, PostgreSQL when a row reaches it.

Every node but the root has a column somewhere below it: PostgreSQL folds a constant part before it
looks at any row, so that an error in a branch which no row reaches would fail the whole query.
"""
import dataclasses

import grammar_arrays
import grammar_casts
import grammar_logic
import grammar_numbers
import grammar_texts
import grammar_times
import spellings
import values
from grammar_types import COLUMNS, SPELLED, Either

GRAMMARS = (grammar_logic, grammar_numbers, grammar_casts, grammar_texts, grammar_times, grammar_arrays)
ARRAY_LEAVES = {
    "integer[]": ["ARRAY[i, j, 3]", "ARRAY[id]", "ARRAY[i, NULL, 1, j]"],
    "text[]": ["ARRAY[x, y]", "string_to_array(x, ',')", "ARRAY[x, NULL, 'a,b']"],
    "numeric[]": ["ARRAY[n, m, 1.50]", "ARRAY[o]"], "boolean[]": ["ARRAY[b, c, NULL]", "ARRAY[b]"],
    "double precision[]": ["ARRAY[d, e]", "ARRAY[d, 0.5]"], "timestamp[]": ["ARRAY[ts, tu]", "ARRAY[ts]"],
}
SPECIAL = {
    "#small": ["i % 7", "s % 5", "0", "1", "2", "3", "-1", "5"],
    "#position": ["1", "2", "3", "1 + abs(i % 5)", "5", "0"],
    "#month": ["1 + abs(i % 12)", "2", "12", "1 + id % 12", "13"],
}
# How much a use counts that gives no value in any row; and one of these, which ebb refuses at times.
WITHOUT_VALUE = 0.05
BY_NAME = 0.92 # how often the name used least comes next, not the production
OFTEN_REFUSED = ("regexp", "~", "!~", "substring regex", "cast text to timestamp", "timezone", "AT TIME ZONE")


@dataclasses.dataclass(frozen=True)
class Production:
    name: str
    result: str
    template: str
    args: tuple
    inexact: bool


@dataclasses.dataclass
class Expression:
    """One expression; `productions` lists the indices of those used, with repeats."""
    sql: str
    kind: str
    productions: list
    inexact: bool = False
    reads: bool = True


def all_productions():
    out = []

    def add(name, result, template, *args, inexact=False):
        out.append(Production(name, result, template, args, inexact))

    for grammar in GRAMMARS:
        grammar.productions(add)
    return out


class Generator:
    """Makes expressions; `credit` tells it which ones had some value, so that rare ones come again.
    `only` names the outermost calls, separated by commas; empty = all."""

    def __init__(self, rnd, only=""):
        self.rnd = rnd
        self.all = all_productions()
        self.by_result = {}
        self.by_name = {}
        for k, production in enumerate(self.all):
            self.by_result.setdefault(production.result, []).append(k)
            self.by_name.setdefault(production.name, []).append(k)
        wanted = only.split(",")
        self.outermost = [k for k, p in enumerate(self.all) if not only or any(p.name.startswith(name) for name in wanted)]
        self.names = list(dict.fromkeys(self.all[k].name for k in self.outermost))
        # Uses: with some value count one, others a bit, so that what always fails has an end.
        self.uses = [0.0] * len(self.all)
        self.name_uses = dict.fromkeys(self.by_name, 0.0)

    def count(self, k, uses):
        self.uses[k] += uses
        name = self.all[k].name
        self.name_uses[name] += uses * (0.6 if name.startswith(OFTEN_REFUSED) else 1)

    def credit(self, expression):
        for k in expression.productions:
            self.count(k, 1 - WITHOUT_VALUE)

    def column(self, kind):
        return self.rnd.choice(ARRAY_LEAVES[kind] if kind in ARRAY_LEAVES else COLUMNS[kind])

    def leaf(self, kind):
        if kind in ARRAY_LEAVES or self.rnd.random() < 0.7:
            return Expression(self.column(kind), kind, [])
        return Expression(values.literal(self.rnd, kind), kind, [], reads=False)

    def argument(self, arg, depth, wrong):
        rnd = self.rnd
        if isinstance(arg, Either):
            arg, wrong = (arg.wrong, False) if wrong else (arg.right, False)
        if callable(arg):
            return Expression(arg(rnd), "", [], reads=False)
        if isinstance(arg, (list, tuple)):
            # The first one never fails.
            return Expression(arg[0] if wrong else rnd.choice(arg), "", [], reads=False)
        if arg.startswith("#"):
            sql = rnd.choice(SPECIAL[arg])
            return Expression(sql, "integer", [], reads=not sql.lstrip("-").isdigit())
        if arg.startswith("'@"):
            return Expression(values.quoted(spellings.OF_TYPE[arg[2:]](rnd)), "", [], reads=False)
        if arg.startswith("'"):
            return Expression(values.quoted(values.OF_TYPE[arg[1:]](rnd)), "", [], reads=False)
        if arg.startswith("@"):
            column = SPELLED.get(arg[1:])
            if column and rnd.random() < 0.4:
                return Expression(column, "text", [])
            spelled = values.quoted(spellings.OF_TYPE[arg[1:]](rnd))
            return Expression(f"concat(left(x, 0), {spelled})", "text", [])
        if arg.startswith("="):
            return self.leaf(arg[1:])
        if arg.startswith("$"):
            return Expression(arg[1:], "", [])
        if depth == 0 or rnd.random() < 0.06:
            return self.leaf(arg)
        candidates = rnd.sample(self.by_result[arg], min(8, len(self.by_result[arg])))
        return self.apply(min(candidates, key=lambda k: self.name_uses[self.all[k].name]), depth, False)

    @staticmethod
    def can_read(arg):
        return isinstance(arg, str) and (arg in SPECIAL or arg.lstrip("=") in {**COLUMNS, **ARRAY_LEAVES})

    def apply(self, k, depth, root):
        production = self.all[k]
        self.count(k, WITHOUT_VALUE)
        wrong = root and self.rnd.random() < 0.15 and any(isinstance(arg, Either) for arg in production.args)
        # Beside a wrong constant no other argument may fail.
        below = 0 if wrong else depth - 1
        parts = [self.argument(arg, below, wrong) for arg in production.args]
        if not any(part.reads for part in parts) and not (root and self.rnd.random() < 0.2):
            n = self.rnd.choice([n for n, arg in enumerate(production.args) if self.can_read(arg)])
            kind = production.args[n].lstrip("=")
            parts[n] = Expression(SPECIAL[kind][0] if kind in SPECIAL else self.column(kind), kind, [])
        used = [k]
        for part in parts:
            used += part.productions
        return Expression(production.template.format(*(part.sql for part in parts)), production.result, used,
                          production.inexact or any(part.inexact for part in parts),
                          any(part.reads for part in parts))

    def of(self, name):
        """One expression whose root is of this name."""
        return self.apply(self.rnd.choice(self.by_name[name]), 1, True)

    def next(self):
        """One expression whose root is of the name used least, or the production used least."""
        rnd = self.rnd
        if rnd.random() < BY_NAME:
            least = min(self.name_uses[name] for name in self.names)
            name = rnd.choice([name for name in self.names if self.name_uses[name] <= least])
            candidates = self.by_name[name]
        else:
            candidates = self.outermost
        least = min(self.uses[k] for k in candidates)
        k = rnd.choice([k for k in candidates if self.uses[k] <= least])
        return self.apply(k, rnd.choice([1, 2, 2, 3, 3]), True)
