#!/usr/bin/env python3
"""embed.py OUT FILE…: a C++ table of file names (without ending) and contents."""
import pathlib
import re
import sys

out, *files = sys.argv[1:]
rows = []
for name in sorted(files, key=lambda f: [int(x) if x.isdigit() else x
                                         for x in re.split(r"(\d+)", pathlib.Path(f).stem)]):
    text = pathlib.Path(name).read_text(encoding="utf-8")
    rows.append(f'  {{"{pathlib.Path(name).stem}", R"ebb({text})ebb"}},\n')
pathlib.Path(out).write_text(
    '#include "tools/benchmarks/nexmark.hpp"\n\nnamespace ebb::bench {\n\n'
    "const std::vector<named_text>& nexmark_queries() {\n"
    "  static const std::vector<named_text> queries{\n" + "".join(rows) + "  };\n"
    "  return queries;\n}\n\n} // namespace ebb::bench\n", encoding="utf-8")
