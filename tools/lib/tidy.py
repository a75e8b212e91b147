#!/usr/bin/env python3
"""Rules of the source tree as a test: layers, forbidden includes and calls, sizes, leftovers.

Prints each finding as `file:line: text` and ends in `N passed, N failed` (a rule is a case).
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Lower layers first; a file may include its own layer and those before it.
LAYERS = ["schemas", "storage", "actors/dataflow", "actors/plan", "actors/runtime",
          "actors/connectors", "actors/functions", "actors/gateway", "actors/links",
          "actors/service", "k8s-bridge", "tools"]
PEERS = {"actors/connectors", "actors/functions", "actors/gateway", "actors/links"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.M)
# Lines at which to think of a split; twice as many fail.
HEADER_BUDGET, SOURCE_BUDGET = 150, 400
CLOCKS = re.compile(r"\b(steady_clock|system_clock|high_resolution_clock|clock_gettime|gettimeofday"
                    r"|std::thread|std::this_thread|random_device)\b")
# clang 14, which compiles the fuzz targets, cannot use the subranges and views of g++ 12's library.
SUBRANGES = re.compile(r"\bstd::(?:ranges::(?:unique|remove|remove_if|partition|stable_partition|rotate"
                       r"|search|equal_range|find_end|subrange|views?\b)|views\b)")
LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def layer_of(path):
    text = path.as_posix()
    fitting = [x for x in LAYERS if text == x or text.startswith(x + "/")]
    return max(fitting, key=len) if fitting else None


def sources():
    for folder in ("schemas", "storage", "actors", "k8s-bridge", "tools", "tests"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".hpp", ".cpp", ".capnp"):
                yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def check_layers(files):
    for path, text in files:
        mine = layer_of(path)
        if mine is None:
            continue
        for match in INCLUDE.finditer(text):
            other = layer_of(pathlib.PurePosixPath(match[2]))
            if match[1] != '"' or other is None or other == mine:
                continue
            upward = LAYERS.index(other) > LAYERS.index(mine)
            if upward or (mine in PEERS and other in PEERS):
                yield f"{path}:{line_of(text, match.start())}: {mine} may not include {other}"


def check_forbidden_includes(files):
    rules = [
        (r"^caf/", {"actors/runtime", "actors/connectors", "actors/functions", "actors/gateway",
                    "actors/service", "k8s-bridge", "tools"}, "CAF"),
        (r"^lmdb\.h$", {"storage"}, "LMDB"),
        (r"\.capnp\.h$", {"schemas"}, "generated schema headers"),
        (r"^pg_query\.h$", {"actors/plan"}, "libpg_query"),
        (r"^yaml-cpp/", {"actors/plan"}, "yaml-cpp"),
    ]
    for path, text in files:
        mine = layer_of(path)
        if mine is None:
            continue
        for match in INCLUDE.finditer(text):
            for pattern, allowed, what in rules:
                if re.search(pattern, match[2]) and mine not in allowed:
                    yield (f"{path}:{line_of(text, match.start())}: {what} belongs to "
                           f"{', '.join(sorted(allowed))}")


def check_purity(files):
    for path, text in files:
        if layer_of(path) not in ("schemas", "storage", "actors/dataflow", "actors/plan"):
            continue
        for match in CLOCKS.finditer(text):
            yield f"{path}:{line_of(text, match.start())}: pure code uses {match[1]}"


def check_sizes(files):
    for path, text in files:
        lines = text.count("\n")
        budget = HEADER_BUDGET if path.suffix == ".hpp" else SOURCE_BUDGET
        if path.parts[0] == "tests" or lines <= budget:
            continue
        if lines > 2 * budget:
            yield f"{path}:1: {lines} lines, more than {2 * budget}: split it by noun"
        else:
            print(f"{path}:1: warning: {lines} lines, budget {budget}")


def check_leftovers(files):
    for path, text in files:
        for match in LEFTOVERS.finditer(text):
            yield f"{path}:{line_of(text, match.start())}: leftover marker {match[1]}"


def check_style(files):
    for path, text in files:
        if path.suffix == ".hpp" and "#pragma once" not in text:
            yield f"{path}:1: no #pragma once"
        # Tests may be inside ebb's names; others' names stay visible everywhere.
        allowed = r"(?!std::(?:chrono|string)_literals" + ("|ebb|\\w*test)" if path.parts[0] == "tests" else ")")
        for match in re.finditer(rf"^\s*using namespace {allowed}", text, re.M):
            yield f"{path}:{line_of(text, match.start())}: using namespace"
        for match in SUBRANGES.finditer(text):
            yield (f"{path}:{line_of(text, match.start())}: {match[0]}: clang 14 cannot compile it, "
                   "take the form with iterators")


def check_folders(_):
    for folder in sorted({p.parent for p in ROOT.rglob("*") if p.is_file()}):
        relative = folder.relative_to(ROOT)
        top = relative.parts[0] if relative.parts else ""
        if top in ("schemas", "storage", "actors", "k8s-bridge", "tools", "deployments", "tests") \
                and len(relative.parts) <= 2 and "__pycache__" not in relative.parts \
                and not (folder / "README.md").exists():
            yield f"{relative}: no README.md"


def main():
    files = list(sources())
    passed = failed = 0
    for rule in (check_layers, check_forbidden_includes, check_purity, check_sizes, check_leftovers,
                 check_style, check_folders):
        findings = list(rule(files))
        for finding in findings:
            print(finding)
        passed += not findings
        failed += bool(findings)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
