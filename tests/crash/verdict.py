"""Compares what lies in the outputs with what must be there, and watches that it only grows."""
import dataclasses
import hashlib
import re

import workload

PART = re.compile(r"^(?P<uid>.+)-(?P<lane>\d+)-(?P<epoch>\d+)(\.\w+)*$")


@dataclasses.dataclass
class Verdict:
    """Counts over all streams; `examples` are for people."""
    rows: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    reordered: int = 0
    examples: list = dataclasses.field(default_factory=list)

    def bad(self):
        return self.lost + self.doubled + self.wrong + self.reordered

    def __str__(self):
        return (f"{self.rows} rows, {self.lost} lost, {self.doubled} doubled, {self.wrong} wrong, "
                f"{self.reordered} reordered")

    def say(self, text):
        if len(self.examples) < 12:
            self.examples.append(text[:300])


def parts_of(folder):
    """The parts of a folder in order of epochs."""
    found = []
    for path in folder.iterdir() if folder.exists() else []:
        match = PART.match(path.name)
        if match and not is_temporary(path.name):
            found.append((int(match["epoch"]), int(match["lane"]), path))
    return [path for _, _, path in sorted(found)]


def drop_older_parts(folder):
    """Removes the parts of streams before: all but those with the newest one's uid."""
    parts = parts_of(folder / "hop")
    if parts:
        newest = max(parts, key=lambda path: path.stat().st_mtime_ns)
        for path in parts:
            if PART.match(path.name)["uid"] != PART.match(newest.name)["uid"]:
                path.unlink()


def is_temporary(name):
    return name.startswith(".") or name.endswith((".part", ".tmp"))


@dataclasses.dataclass
class Output:
    """What a stream has written: whole rows, and what follows the last of them in its one file."""
    lines: list = dataclasses.field(default_factory=list)
    cut: str = ""
    complaint: str | None = None
    has_header: bool = True  # or needs none


def output_of(folder, stream):
    if stream == "hop":
        files = parts_of(folder / "hop")
    else:
        files = [folder / {"join": "join.ndjson", "sessions": "sessions.csv"}[stream]]
        files = [file for file in files if file.exists()]
    output = Output()
    for file in files:
        *whole, output.cut = file.read_text(encoding="utf-8").split("\n")
        output.lines += whole
        if output.cut and stream == "hop":  # a part is whole when it appears
            return Output(output.lines, complaint=half_a_line(file.name, output.cut))
    if stream == "sessions":
        output.has_header = bool(output.lines)
        if output.lines and output.lines.pop(0) != workload.SESSIONS_HEADER:
            output.complaint = "sessions.csv does not begin with its header"
    return output


def half_a_line(name, cut):
    return f"{name} ends in half a line: {cut[-80:]!r}"


def judge(folder, expected, streams=workload.STREAMS, whole=True, amid_append=False):
    """Compares the outputs in `folder`; without `whole` rows may be missing. With `amid_append` a
    process is appending, or was when it was killed: the last line of a file may be the beginning
    of one that may come next."""
    verdict = Verdict()
    for stream in streams:
        wanted = expected[stream]
        output = output_of(folder, stream)
        if output.complaint:
            verdict.wrong += 1
            verdict.say(output.complaint)
        seen = set()
        last = {}
        for line in output.lines:
            place = wanted.get(line)
            if place is None:
                verdict.wrong += 1
                verdict.say(f"{stream}: wrong: {line}")
                continue
            if line in seen:
                verdict.doubled += 1
                verdict.say(f"{stream}: doubled: {line}")
                continue
            seen.add(line)
            key, sequence = place
            before = last.get(key)
            if before is not None and before > sequence:
                verdict.reordered += 1
                verdict.say(f"{stream}: reordered: {line}")
            last[key] = sequence
        if output.cut and not (amid_append and begins_a_next_line(output, wanted, seen, last)):
            verdict.wrong += 1
            verdict.say(half_a_line(stream, output.cut))
        verdict.rows += len(output.lines)
        if whole and len(seen) != len(wanted):
            verdict.lost += len(wanted) - len(seen)
            for line in wanted:
                if line not in seen:
                    verdict.say(f"{stream}: lost: {line}")
                    if len(verdict.examples) >= 12:
                        break
    return verdict


def begins_a_next_line(output, wanted, seen, last):
    """Whether a line that is missing, and would not be out of order, begins so."""
    if not output.has_header:
        return workload.SESSIONS_HEADER.startswith(output.cut)
    return any(line.startswith(output.cut) and line not in seen and last.get(key, sequence) <= sequence
               for line, (key, sequence) in wanted.items())


class GrowingFile:
    """A file of which what was read once must stay."""

    def __init__(self, path):
        self.path = path
        self.size = 0
        self.hash = hashlib.blake2b(digest_size=16)

    def look(self):
        """Reads what is new. A complaint, or None."""
        try:
            with open(self.path, "rb") as file:
                file.seek(0, 2)
                size = file.tell()
                if size < self.size:
                    return f"{self.path.name} shrank from {self.size} to {size} bytes"
                file.seek(self.size)
                while block := file.read(1 << 20):
                    self.hash.update(block)
                    self.size += len(block)
        except FileNotFoundError:
            return f"{self.path.name} is gone" if self.size else None
        return None

    def verify(self):
        """Reads again what was read before. A complaint, or None."""
        if not self.size:
            return None
        again = hashlib.blake2b(digest_size=16)
        left = self.size
        try:
            with open(self.path, "rb") as file:
                while left and (block := file.read(min(left, 1 << 20))):
                    again.update(block)
                    left -= len(block)
        except FileNotFoundError:
            return f"{self.path.name} is gone"
        if left or again.digest() != self.hash.digest():
            return f"{self.path.name}: the first {self.size} bytes are not what they were"
        return None


class Watch:
    """All outputs of a round."""

    def __init__(self, folder):
        self.folder = folder
        self.files = {}
        self.complaints = []

    def _paths(self):
        for name in ("join.ndjson", "sessions.csv"):
            yield self.folder / name, True
        yield from ((path, False) for path in parts_of(self.folder / "hop"))

    def look(self):
        for path, grows in self._paths():
            file = self.files.get(path.name)
            if file is None:
                file = self.files[path.name] = GrowingFile(path)
            elif not grows:
                continue  # a part is whole when it appears; `verify` reads it again
            if complaint := file.look():
                self.complaints.append(complaint)

    def verify(self):
        """Between runs. What was seen is still there, parts have not even grown."""
        for file in self.files.values():
            if complaint := file.verify():
                self.complaints.append(complaint)
            elif file.path.parent.name == "hop" and file.path.stat().st_size != file.size:
                self.complaints.append(f"{file.path.name} changed after it had been published")
        self.look()
