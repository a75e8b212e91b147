"""Runs SQL through ebb: many small manifests in one process (run_manifests)."""
import json
import os
import subprocess
import tempfile


class Ebb:
    """`program` is the path of run_manifests. Use as a context manager."""

    def __init__(self, program):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="ebb-differential-")
        self.process = None
        self.count = 0
        self.sources = []

    def __enter__(self):
        self._start()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        subprocess.run(["rm", "-rf", self.folder], check=False)

    def _start(self):
        self.process = subprocess.Popen([self.program], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE)

    def add_table(self, name, columns, rows, event_time=None):
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
        self.sources.append(source)

    def query(self, sql, parallelism=1, sources=None):
        """Rows (lists of text or None) of one SELECT, or an error text (second value)."""
        self.count += 1
        out = os.path.join(self.folder, f"out-{self.count}.csv")
        manifest = {"apiVersion": "ebb.dev/v1alpha1", "kind": "Stream", "metadata": {"name": "q"},
                    "spec": {"parallelism": parallelism,
                             "sources": [s for s in self.sources
                                         if sources is None or s["name"] in sources],
                             "operators": [{"name": "q", "sql": sql}],
                             "sinks": [{"file": {"path": out, "format": "csv"}}]}}
        path = os.path.join(self.folder, f"q-{self.count}.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(manifest, file)
        self.process.stdin.write(path + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        os.remove(path)
        if not line:
            self.process.wait()
            self._start()
            return None, f"CRASH: run_manifests ended with {self.process.returncode} on: {sql}"
        answer = json.loads(line)
        if not answer["ok"]:
            return None, answer["error"]
        with open(out, encoding="utf-8", newline="") as file:
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
