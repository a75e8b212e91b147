"""What PostgreSQL says about expressions over table `t`: types, a value or an error for every row."""
import dataclasses
import re

import psycopg2

TRY_ROW = """
CREATE FUNCTION try_row(expression text, row_id int) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE 'SELECT (' || expression || ')::text FROM t WHERE id = ' || row_id INTO answer;
  RETURN ARRAY['ok', answer];
EXCEPTION WHEN OTHERS THEN
  RETURN ARRAY['error', SQLERRM];
END $$
"""


@dataclasses.dataclass
class Verdict:
    """`values` and `errors` by row; `invalid` when the query cannot even be planned: its message;
    `folded` when a constant part fails, which PostgreSQL computes before it looks at any row."""
    values: dict = dataclasses.field(default_factory=dict)
    errors: dict = dataclasses.field(default_factory=dict)
    type: str = ""
    invalid: str = ""
    folded: str = ""
    slow: bool = False


class Oracle:
    def __init__(self, connection):
        self.cursor = connection.cursor()
        self.cursor.execute("SET statement_timeout = '5s'")
        self.cursor.execute(TRY_ROW)
        self.cursor.execute("SELECT oid, format_type(oid, NULL) FROM pg_type")
        self.types = dict(self.cursor.fetchall())

    def ask(self, chunk):
        """A verdict for each SQL text. Those without an error are asked together."""
        verdicts = self._together(chunk)
        if verdicts is not None:
            return verdicts
        alone = [self._together([sql]) for sql in chunk] if len(chunk) > 1 else [None]
        return [verdict[0] if verdict else self._alone(sql) for verdict, sql in zip(alone, chunk)]

    def _together(self, chunk):
        try:
            self.cursor.execute("SELECT " + ", ".join(f"({sql})" for sql in chunk) + " FROM t LIMIT 0")
            types = [self.types[column.type_code] for column in self.cursor.description]
            self.cursor.execute("SELECT id, " + ", ".join(f"({sql})::text" for sql in chunk)
                                + " FROM t ORDER BY id")
        except psycopg2.Error:
            return None
        rows = self.cursor.fetchall()
        return [Verdict({row[0]: row[n + 1] for row in rows}, type=types[n]) for n in range(len(chunk))]

    def _alone(self, sql):
        verdict = Verdict()
        try:
            self.cursor.execute(f"SELECT ({sql}) FROM t LIMIT 0")
            verdict.type = self.types[self.cursor.description[0].type_code]
        except psycopg2.Error as problem:
            # Class 42: syntax errors, unknown functions, types that do not match.
            if (problem.pgcode or "").startswith("42"):
                return Verdict(invalid=problem.diag.message_primary)
            verdict.folded = problem.diag.message_primary
        try:
            # As bytes, since an error may quote half a character.
            self.cursor.execute("SELECT id, a[1], convert_to(a[2], 'UTF8') FROM "
                                "(SELECT id, try_row(%s, id) AS a FROM t ORDER BY id) AS q", (sql,))
        except psycopg2.Error as problem:
            return Verdict(slow=True, invalid=str(problem))
        for row, state, answer in self.cursor.fetchall():
            if answer is not None:
                answer = bytes(answer).decode("utf-8", "replace")
            (verdict.values if state == "ok" else verdict.errors)[row] = answer
        return verdict

    def filter(self, sql):
        """Rows for which the condition holds."""
        self.cursor.execute(f"SELECT id FROM t WHERE {sql} ORDER BY id")
        return [row[0] for row in self.cursor.fetchall()]


def plain_type(name):
    """Without modifiers; VARCHAR counts as TEXT, which ebb's type is."""
    name = re.sub(r"\([\d, -]*\)", "", name)
    return {"character varying": "text", "character varying[]": "text[]", "unknown": "text"}.get(name, name)
