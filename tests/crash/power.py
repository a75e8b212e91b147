"""Power failures: what a disk may hold when the power goes is built from a record of all calls, and
the stream goes on from that. Only what was synced is certain: of the other writes any may be there,
a write in part as well; of the names of a folder that was not synced, any number of the first
changes. This is what replaying dm-log-writes does, without the kernel's help."""
import pathlib
import posixpath
import random
import shutil
import subprocess

from cases import Case
from process import run_to_end
from verdict import judge

SOURCE = pathlib.Path(__file__).with_name("io_record.c")
SECTOR = 512


def build_recorder(folder):
    recorder = folder / "io_record.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", recorder, SOURCE, "-ldl", "-lpthread"], check=True)
    return recorder


def read_record(path):
    """[(operation, offset, bytes, path, second path)]"""
    data = path.read_bytes()
    at = 0
    calls = []
    while at < len(data):
        end = data.index(b"\n", at)
        operation, offset, size, name = data[at:end].decode().split(" ", 3)
        at = end + 1
        size = int(size)
        first, second = (posixpath.normpath(x) if x else x for x in name.partition("\t")[::2])
        calls.append((operation, int(offset), data[at:at + size], first, second))
        at += size
    return calls


class Inode:
    def __init__(self):
        self.durable = b""
        self.pending = []  # (offset, bytes) or (size, None) for a cut


def applied(content, offset, data):
    if data is None:
        return content[:offset].ljust(offset, b"\0")
    if len(content) < offset:
        content = content.ljust(offset, b"\0")
    return content[:offset] + data + content[offset + len(data):]


class Disk:
    """What is certain, and what is under way."""

    def __init__(self, root):
        self.root = str(root)
        self.names = {}  # as the process sees them: path → Inode, or None for a folder
        self.durable = {}
        self.changes = {}  # by folder, not yet synced: lists of (path, Inode | None, made)

    def _change(self, *changes):
        self._settle([changes], self.names)
        self.changes.setdefault(changes[0][0].rpartition("/")[0], []).append(changes)

    def call(self, operation, offset, data, path, second):
        if operation in ("create", "folder"):
            if path not in self.names:
                self._change((path, Inode() if operation == "create" else None, True))
        elif operation == "remove":
            if path in self.names:
                self._change((path, self.names[path], False))
        elif operation == "rename":
            if path in self.names:
                inode = self.names[path]
                changes = ((second, inode, True), (path, inode, False))
                if path.rpartition("/")[0] == second.rpartition("/")[0]:
                    self._change(*changes)
                else:
                    self._change(changes[0])
                    self._change(changes[1])
        elif operation in ("write", "cut", "durable"):
            inode = self.names.get(path)
            if inode is None:
                return
            if operation == "durable":
                inode.durable = applied(inode.durable, offset, data)
            inode.pending.append((offset, None if operation == "cut" else data))
        elif operation == "sync":
            if path in self.changes:
                self._settle(self.changes.pop(path), self.durable)
            inode = self.names.get(path)
            if inode is not None:
                for offset, data in inode.pending:
                    inode.durable = applied(inode.durable, offset, data)
                inode.pending = []

    @staticmethod
    def _settle(changes, names):
        for together in changes:
            for path, inode, made in together:
                if made:
                    names[path] = inode
                else:
                    names.pop(path, None)

    def after_power_failure(self, rng, keep):
        """{path: bytes, None for a folder}; `keep`: how likely an uncertain write is there."""
        names = dict(self.durable)
        for changes in self.changes.values():
            count = len(changes) if keep == 1 else 0 if keep == 0 else rng.randint(0, len(changes))
            self._settle(changes[:count], names)
        image = {}
        for path, inode in names.items():
            if inode is None:
                image[path] = None
                continue
            content = inode.durable
            for offset, data in inode.pending:
                if rng.random() >= keep:
                    continue
                if data and keep < 1 and rng.random() < 0.3:
                    data = data[:rng.randrange(0, len(data) + 1) // SECTOR * SECTOR]
                content = applied(content, offset, data)
            image[path] = content
        return {path: content for path, content in image.items() if self._has_folders(path, image)}

    def _has_folders(self, path, image):
        parent = path.rpartition("/")[0]
        while len(parent) > len(self.root):
            if parent not in image and parent != f"{self.root}/hop":
                return False
            parent = parent.rpartition("/")[0]
        return True


def clear(folder):
    for path in (folder / "data", folder / "hop"):
        shutil.rmtree(path, ignore_errors=True)
    for path in (folder / "join.ndjson", folder / "sessions.csv"):
        path.unlink(missing_ok=True)
    (folder / "hop").mkdir()


def put(folder, image):
    clear(folder)
    for path in sorted(image):
        if image[path] is None:
            pathlib.Path(path).mkdir(parents=True, exist_ok=True)
    for path, content in image.items():
        if content is not None:
            pathlib.Path(path).write_bytes(content)


def fail_power(small, folder, recorder, seed, images):
    """One run, recorded; then many disks."""
    arguments = small.prepare(folder, seconds=1.0, interval="50ms")
    record = folder.parent / f"{folder.name}.record"
    code, said = run_to_end(small.ebb, folder, arguments,
                            {"LD_PRELOAD": str(recorder), "IO_RECORD_FOLDER": str(folder),
                             "IO_RECORD_TO": str(record)})
    assert code == 0, f"exit {code}: {said}"
    small.check_whole(folder)
    calls = [call for call in read_record(record) if not call[3].endswith(("/stderr", "/stdout", ".sock"))]
    record.unlink()
    rng = random.Random(seed)
    syncs = [i for i, call in enumerate(calls) if call[0] == "sync"]
    assert len(syncs) > 50, f"only {len(syncs)} syncs"
    # Right before and after a sync, and anywhere.
    chosen = sorted(rng.choice([rng.choice(syncs), rng.choice(syncs) + 1, rng.randrange(len(calls))])
                    for _ in range(images))
    disk = Disk(folder)
    done = 0
    problems = []
    for stop in chosen:
        for call in calls[done:stop]:
            disk.call(*call)
        done = stop
        keep = rng.choice([0, 0, 0.5, 0.9, 1])
        image = disk.after_power_failure(rng, keep)
        put(folder, image)
        code, said = run_to_end(small.ebb, folder, arguments)
        what = f"power failure at call {stop} of {len(calls)}, kept {keep}"
        if code != 0:
            problems.append(f"{what}: exit {code}: {said[-800:]}")
            continue
        verdict = judge(folder, small.expected)
        if verdict.bad():
            problems.append(f"{what}: {verdict}: {verdict.examples[:2]}")
    print(f"power: {len(chosen)} failures at {len(calls)} calls, {len(syncs)} syncs, {len(problems)} wrong")
    assert not problems, "\n".join(problems[:6])


def cases(small, folder, seed, thorough):
    folder.mkdir(parents=True, exist_ok=True)
    recorder = build_recorder(folder)
    for part in range(10 if thorough else 2):
        yield Case(f"power:{part}",
                   lambda at, x=part: fail_power(small, at, recorder, f"{seed}/{x}", 30 if thorough else 6))
