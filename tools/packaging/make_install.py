#!/usr/bin/env python3
"""make_install.py [--image NAME] [--out FILE] [--check]: deployments/ebb.yaml, all that `kubectl apply -f` needs, in one file.

It is put together from deployments/kubernetes/ and deployments/crds/. --check only compares: ends in `N passed, N failed`.
"""
import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "deployments" / "kubernetes"
CRDS = ROOT / "deployments" / "crds"
PARTS = [SOURCES / "namespace.yaml", CRDS / "streams.yaml", CRDS / "topics.yaml",
         *(SOURCES / f"{x}.yaml" for x in ("access", "service", "network", "control"))]
HEAD = "# Made by tools/manifests from deployments/kubernetes/ and deployments/crds/; change those, not this file.\n"


def version():
    return re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text(encoding="utf-8"))[1]


def install(image):
    texts = [re.sub(r"\A(#[^\n]*\n)+", "", x.read_text(encoding="utf-8")) for x in PARTS]
    return HEAD + "---\n".join(texts).replace("@IMAGE@", image)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--image", default=f"ebb:{version()}")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "deployments" / "ebb.yaml")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    text = install(options.image)
    if not options.check:
        options.out.write_text(text, encoding="utf-8")
        return 0
    same = options.out.exists() and options.out.read_text(encoding="utf-8") == text
    if not same:
        print(f"{options.out.name} is not what its sources make: run tools/manifests")
    print(f"{int(same)} passed, {int(not same)} failed")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
