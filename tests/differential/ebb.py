"""Runs SQL through ebb: many small manifests in one process (run_manifests)."""
import dataclasses
import json
import os
import re
import subprocess
import tempfile


@dataclasses.dataclass
class Problem:
    """Why ebb gives no rows. `code` is its kind of error, `crash` when the process ended."""
    code: str
    message: str
    text: str

    @property
    def refused(self):
        """ebb understood and says that it does not do this."""
        return self.code == "unsupported"

    @property
    def early(self):
        """Found before any row was read."""
        return self.code == "invalid argument"

    @property
    def said(self):
        """The message without the operator and the record that it adds to PostgreSQL's text."""
        return re.sub(r" \(source t, file [^)]*, records? \d+(?: to \d+)?\)$", "",
                      re.sub(r"^operator \w+: ", "", self.message))

    @property
    def record(self):
        """Number of the source's record that the error names, or None."""
        found = re.search(r", record (\d+)\)$", self.message)
        return int(found.group(1)) if found else None


class Ebb:
    """`program` is the path of run_manifests. Use as a context manager."""

    def __init__(self, program):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="ebb-differential-")
        self.process = None
        self.count = 0
        self.sources = {}
        self.types = {}
        self.keys = {}  # of each query's rows: column names, or None

    def __enter__(self):
        self._start()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        subprocess.run(["rm", "-rf", self.folder], check=False)

    def _start(self):
        self.process = subprocess.Popen([self.program], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, encoding="utf-8")

    def set_table(self, name, columns, rows, event_time=None):
        """`columns`: SQL definitions; rows: lists of text or None, written as CSV."""
        path = os.path.join(self.folder, f"{name}.csv")
        with open(path, "w", encoding="utf-8", newline="") as out:
            out.write(",".join(c.split()[0] for c in columns) + "\n")
            for row in rows:
                out.write(",".join("" if v is None else '"' + v.replace('"', '""') + '"'
                                   for v in row) + "\n")
        source = {"name": name, "schema": ", ".join(columns),
                  "file": {"path": path, "format": "csv"}}
        if event_time:
            source["eventTime"] = event_time
        self.sources[name] = source

    def _run(self, spec, out):
        """Runs one stream; a Problem where it fails, and then `out` is gone."""
        self.count += 1
        path = os.path.join(self.folder, f"q-{self.count}.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"apiVersion": "ebb.dev/v1alpha1", "kind": "Stream", "metadata": {"name": "q"},
                       "spec": spec}, file)
        try:
            self.process.stdin.write(path + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        os.remove(path)
        if not line:
            code = self.process.wait()
            self._start()
            return Problem("crash", f"run_manifests ended with {code}", f"crash, exit {code}")
        answer = json.loads(line)
        if not answer["ok"]:
            if os.path.exists(out):
                os.remove(out)
            return Problem(answer["code"], answer["message"], answer["error"])
        self.types = answer["types"]
        self.keys = answer["keys"]
        return None

    def write_changes(self, sql, sources, out, parallelism=1):
        """Writes the changes of a SELECT over manifest sources to the Debezium file `out`, or
        returns a Problem."""
        return self.write(sql, sources, {"path": out, "format": "debezium"}, parallelism)

    def write(self, sql, sources, file, parallelism=1):
        """The same for any file sink."""
        return self._run({"parallelism": parallelism, "sources": sources, "operators": [{"name": "q", "sql": sql}],
                          "sinks": [{"file": file}]}, file["path"])

    def query(self, sql, parallelism=1, sources=None):
        """Rows (lists of text or None) of a SELECT, or a Problem (second value). `sql` may be a dict
        of queries by name, each of which may read the ones before; the last one is the result.
        Afterwards `types` holds the result types of each query."""
        out = os.path.join(self.folder, f"out-{self.count}.csv")
        queries = sql if isinstance(sql, dict) else {"q": sql}
        problem = self._run({"parallelism": parallelism,
                             "sources": [source for name, source in self.sources.items()
                                         if sources is None or name in sources],
                             "operators": [{"name": n, "sql": q} for n, q in queries.items()],
                             "sinks": [{"file": {"path": out, "format": "csv"}}]}, out)
        if problem is not None:
            return None, problem
        with open(out, encoding="utf-8", errors="replace", newline="") as file:
            rows = list(read_csv(file.read()))
        os.remove(out)
        return rows[1:], None


def read_csv(text):
    """Rows with None for an unquoted empty field, which Python's reader cannot tell from `""`."""
    row, at = [], 0
    while at < len(text):
        if text[at] == '"':
            value, at = [], at + 1
            while True:
                end = text.index('"', at)
                value.append(text[at:end])
                if text[end + 1:end + 2] != '"':
                    at = end + 1
                    break
                value.append('"')
                at = end + 2
            row.append("".join(value))
        else:
            end = at
            while end < len(text) and text[end] not in ",\n":
                end += 1
            row.append(text[at:end] or None)
            at = end
        if at >= len(text) or text[at] == "\n":
            yield row
            row = []
            at += 1
        else:
            at += 1
            if at >= len(text) or text[at] == "\n":
                row.append(None)
                yield row
                row = []
                at += 1
