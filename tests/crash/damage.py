"""Damaged, cut and missing files under the data folder: a byte of every class of page. The start is
refused and names the file, or the answer is right in the end; never a wrong row. Repaired, the
stream goes on: what was refused has cost nothing."""
import random
import shutil

from cases import Case
from process import Run, run_to_end

PAGE = 4096
# LMDB's page flags.
BRANCH, LEAF, OVERFLOW, META = 1, 2, 4, 8
HARMLESS = {"control.lock", "control.sock", "control.mdb-lock", "run.log"}


def page_classes(data):
    """{class: [(begin, end)]}: LMDB's pages by their headers, and what lies behind the last."""
    found = {}
    number = overflow = 0
    for number in range(len(data) // PAGE):
        page = data[number * PAGE:(number + 1) * PAGE]
        flags = int.from_bytes(page[10:12], "little")
        if overflow:
            overflow -= 1
            name = "overflow"
        elif int.from_bytes(page[:8], "little") != number or flags not in (BRANCH, LEAF, OVERFLOW, META):
            break
        else:
            name = {BRANCH: "branch", LEAF: "leaf", OVERFLOW: "overflow", META: "meta"}[flags]
            if flags == OVERFLOW:
                overflow = int.from_bytes(page[12:16], "little") - 1
        found.setdefault(name, []).append((number * PAGE, (number + 1) * PAGE))
    else:
        number += 1
    if number * PAGE < len(data):
        found["behind"] = [(number * PAGE, len(data))]
    return found


def places(path, data, rng, thorough):
    """(what, offset) of bytes to flip: of each class of page its header and its contents."""
    if not data:  # killed between the creation and the first write
        return
    if path.suffix not in (".mdb", ".seg"):
        yield from (("bytes", at) for at in sorted({0, len(data) // 2, len(data) - 1}))
        return
    for name, ranges in page_classes(data).items():
        chosen = ranges if len(ranges) <= 2 else rng.sample(ranges, 4 if thorough else 1)
        for begin, end in chosen:
            if name == "behind":
                offsets = {begin, (begin + end) // 2, end - 1, end - 40, end - 100}
                offsets |= {rng.randrange(begin, end) for _ in range(8 if thorough else 1)}
            else:
                # Header, first pointers, and the end, where the entries lie.
                offsets = {begin + 10, begin + 16 + rng.randrange(8), end - 1 - rng.randrange(64)}
                if thorough:
                    offsets |= {rng.randrange(begin, end) for _ in range(4)}
            yield from ((name, at) for at in sorted(offsets) if begin <= at < end)


class Template:
    """A folder with state, in a place where it can be put again and again."""

    def __init__(self, small, folder, how):
        self.small = small
        self.kept = folder / f"template-{how}"
        self.place = folder / f"place-{how}"
        self.arguments = small.prepare(self.place, seconds=1.2)
        if how == "killed":
            run = Run(small.ebb, self.place, self.arguments)
            assert run.wait(0.9) is None, f"ended by itself: {run.said()}"
            run.kill()
        else:
            # Committed output waits. How many records there are depends on the machine.
            for nth in (9, 6, 4):
                code, said = run_to_end(small.ebb, self.place, self.arguments,
                                        {"EBB_FAILPOINT": f"control.commit:after:{nth}"})
                if code != 0:
                    break
                shutil.rmtree(self.place)
                small.prepare(self.place, seconds=1.2)
            assert code == 137, f"exit {code}: {said}"
        (self.place / "data" / "control.sock").unlink(missing_ok=True)
        shutil.copytree(self.place, self.kept)
        self.files = sorted(path.relative_to(self.kept) for path in (self.kept / "data").rglob("*")
                            if path.is_file() and path.name not in HARMLESS)

    def put(self):
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.kept, self.place)


def attempt(template, name, change, repair):
    """One damage: `change(path)` does it, `repair(path)` undoes it."""
    small = template.small
    template.put()
    watch = small.watch(template.place)
    path = template.place / name
    change(path)
    code, said = run_to_end(small.ebb, template.place, template.arguments, seconds=60)
    assert code in (0, 1, 2), f"exit {code}: {said[-1500:]}"
    if code == 0:
        small.check_whole(template.place, watch)
        return "right"
    assert path.name in said or str(name.parent) in said, f"the error does not name {path.name}: {said[-1500:]}"
    small.check_so_far(template.place, watch)
    repair(path)
    small.finish(template.place, template.arguments, watch)
    return "refused"


def flip(template, name, at, bit):
    def turn(path):
        with open(path, "r+b") as file:
            file.seek(at)
            old = file.read(1)[0]
            file.seek(at)
            file.write(bytes([old ^ bit]))

    def back(path):
        # The control database may have written elsewhere meanwhile: the byte alone is not enough.
        shutil.copy(template.kept / name, path)
    return attempt(template, name, turn, back)


def replaced(template, name, size):
    """Cuts the file; `size` None removes it."""
    def change(path):
        if size is None:
            path.unlink()
        else:
            with open(path, "r+b") as file:
                file.truncate(size)

    def back(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(template.kept / name, path)
    return attempt(template, name, change, back)


def damages(template, seed, thorough):
    """(text, function) for all files of the template."""
    rng = random.Random(seed)
    seen = {}
    for name in template.files:
        data = (template.kept / name).read_bytes()
        # Of segments and outputs, a few are like the others.
        kind = (name.parts[1], len(name.parts), name.parent.name, name.suffix)
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] > (6 if thorough else 1):
            continue
        for what, at in places(name, data, rng, thorough):
            bit = 1 << rng.randrange(8)
            yield f"{name}: {what} page, byte {at} ^ {bit}", lambda t=(name, at, bit): flip(template, *t)
        for size in sorted({0, len(data) // 2, max(0, len(data) - 1)}):
            yield f"{name}: cut to {size} of {len(data)} bytes", lambda t=(name, size): replaced(template, *t)
        yield f"{name}: removed", lambda t=(name,): replaced(template, *t, None)


def damage_all(small, folder, how, seed, thorough, share, shares):
    """One of `shares` parts of all damages."""
    template = Template(small, folder, how)
    counts = {"right": 0, "refused": 0}
    problems = []
    for text, function in list(damages(template, seed, thorough))[share::shares]:
        try:
            counts[function()] += 1
        except AssertionError as error:
            problems.append(f"{text}: {error}")
    print(f"damage, {how}: {counts['refused']} refused, {counts['right']} right, {len(problems)} wrong")
    assert counts["refused"], "nothing was refused: the damage is not seen"
    assert not problems, "\n".join(problems[:8])


def cases(small, seed, thorough):
    shares = 4 if thorough else 2
    for how in ("killed", "unapplied"):
        for share in range(shares):
            yield Case(f"damage:{how}:{share}",
                       lambda folder, x=(how, seed, thorough, share, shares): damage_all(small, folder, *x))
