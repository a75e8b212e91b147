"""The checker must see what it is there for: one row lost, doubled, swapped or changed, a file cut
or rewritten, a part replaced."""
import os

from cases import Case
from verdict import Watch, judge


def write_right(small, folder):
    """What ebb would write without a fault: the hop windows in three parts."""
    (folder / "hop").mkdir(parents=True, exist_ok=True)
    hop = sorted(small.expected["hop"], key=lambda line: small.expected["hop"][line][1])
    third = len(hop) // 3
    for epoch, lines in enumerate((hop[:third], hop[third:2 * third], hop[2 * third:]), 1):
        (folder / "hop" / f"uid-0-{epoch}.ndjson").write_text("".join(line + "\n" for line in lines))
    (folder / "join.ndjson").write_text("".join(line + "\n" for line in small.expected["join"]))
    sessions = sorted(small.expected["sessions"], key=lambda line: small.expected["sessions"][line][1])
    (folder / "sessions.csv").write_text(
        "user_id,window_start,window_end,clicks,total,first,last\n" + "".join(x + "\n" for x in sessions))


def edit_lines(path, change):
    lines = path.read_text().splitlines(keepends=True)
    change(lines)
    path.write_text("".join(lines))


def swap_of_one_key(small, stream):
    def change(lines):
        places = {}
        for i, line in enumerate(lines):
            key = small.expected[stream].get(line.rstrip("\n"), (None,))[0]
            if key is None:
                continue
            if key in places:
                first = places[key]
                lines[first], lines[i] = lines[i], lines[first]
                return
            places[key] = i
        raise AssertionError("no key twice")
    return change


def sees(small, folder, name, change, **counts):
    write_right(small, folder)
    right = judge(folder, small.expected)
    assert not right.bad(), f"finds fault with the right answer: {right}: {right.examples}"
    edit_lines(folder / name, change)
    found = judge(folder, small.expected)
    for field in ("lost", "doubled", "wrong", "reordered"):
        assert getattr(found, field) == counts.get(field, 0), f"{field}: {found}, wanted {counts}"
    assert found.examples, "says no example"


def cut_after(path, text, kept):
    """Leaves `kept` lines and what `text(next line)` makes of the one behind."""
    lines = path.read_text().splitlines()
    path.write_text("".join(x + "\n" for x in lines[:kept]) + text(lines[kept]))


def tells_cut_lines(small, folder):
    """Half a line is right at the end of a file that somebody is appending to, where a row that may
    come next begins so; nowhere else."""
    half = lambda line: line[:len(line) // 2]
    for name, text, kept, right in (("join.ndjson", half, 100, True),
                                    ("sessions.csv", half, 100, True),
                                    ("sessions.csv", half, 0, True),
                                    ("join.ndjson", lambda line: half(line) + "?", 100, False),
                                    ("sessions.csv", lambda line: half(line)[1:] + "?", 0, False),
                                    ("hop/uid-0-3.ndjson", half, 100, False)):
        write_right(small, folder)
        cut_after(folder / name, text, kept)
        found = judge(folder, small.expected, whole=False, amid_append=True)
        assert found.bad() == (0 if right else 1), f"{name}, {kept} lines: {found}: {found.examples}"
        assert judge(folder, small.expected, whole=False).wrong == 1, f"{name}: half a line where nobody appends"
    # A row that is there already does not come again, not even by half.
    write_right(small, folder)
    with open(folder / "join.ndjson", "a+", encoding="utf-8") as file:
        file.seek(0)
        file.write(file.readline()[:-1])
    found = judge(folder, small.expected, amid_append=True)
    assert found.wrong == 1, f"{found}: {found.examples}"


def watches(small, folder, change):
    write_right(small, folder)
    watch = Watch(folder)
    watch.look()
    watch.verify()
    assert not watch.complaints, watch.complaints
    change(folder)
    watch.look()
    watch.verify()
    assert watch.complaints, "was not seen"


def shrink(folder):
    os.truncate(folder / "join.ndjson", 100)


def rewrite(folder):
    text = (folder / "join.ndjson").read_text()
    (folder / "join.ndjson").write_text(text.replace("1", "2", 1))


def remove_part(folder):
    (folder / "hop" / "uid-0-2.ndjson").unlink()


def grow_part(folder):
    with open(folder / "hop" / "uid-0-2.ndjson", "a", encoding="utf-8") as file:
        file.write("{}\n")


def cases(small):
    rows = {
        "lost": ("join.ndjson", lambda lines: lines.pop(len(lines) // 2), {"lost": 1}),
        "doubled": ("hop/uid-0-2.ndjson", lambda lines: lines.append(lines[0]), {"doubled": 1}),
        "doubled session": ("sessions.csv", lambda lines: lines.append(lines[1]), {"doubled": 1}),
        "swapped": ("sessions.csv", swap_of_one_key(small, "sessions"), {"reordered": 1}),
        "changed": ("hop/uid-0-1.ndjson", lambda lines: lines.__setitem__(0, lines[0].replace(":", ": ", 1)),
                    {"wrong": 1, "lost": 1}),
    }
    for what, (name, change, counts) in rows.items():
        yield Case(f"checker:{what}", lambda folder, x=(name, change), y=counts: sees(small, folder, *x, **y))
    for change in (shrink, rewrite, remove_part, grow_part):
        yield Case(f"checker:{change.__name__}", lambda folder, x=change: watches(small, folder, x))
    yield Case("checker:cut lines", lambda folder: tells_cut_lines(small, folder))
