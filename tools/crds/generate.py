#!/usr/bin/env python3
"""generate.py DESCRIBE_MANIFEST [--check]: deployments/crds/ from what the manifest's reader asks of each field.

samples.yaml has every field once. DESCRIBE_MANIFEST reads it and says what the reader asked: types, limits, words, what
must be there. The rest is in rules.yaml (what a type cannot say), descriptions.yaml and status.yaml; defaults are those of
docs/manifest.md. --check only compares: ends in `N passed, N failed`.
"""
import json
import pathlib
import re
import subprocess
import sys

import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUT = ROOT / "deployments" / "crds"
HEAD = "# Made by tools/crds/generate.py; change what it reads, not this file.\n"
UNITS = "(ms|s|m|h|d)"
SIZES = "(k|M|G|T|Ki|Mi|Gi|Ti)?"
LARGEST = 2**63 - 1


class Wrong(Exception):
    """The sources of the schemas do not fit the reader."""


def load(name):
    return yaml.safe_load((HERE / name).read_text(encoding="utf-8"))


def described(program, name):
    text = subprocess.run([program, HERE / name], check=True, capture_output=True, text=True).stdout
    return json.loads(text)


def pattern_of(path):
    return re.sub(r"\[\d+\]", "[]", path)


def is_item(path):
    return path.endswith("[]")


class Field:
    """What was asked of the fields at one place of all documents of a kind."""

    def __init__(self):
        self.kinds = {}     # kind -> the rule, limits at their widest
        self.visits = 0     # of an object
        self.required = 0   # times its parent asked for it

    def add(self, rule):
        kind = rule["kind"]
        if kind == "required":
            self.required += 1
            return
        self.visits += kind == "object"
        known = self.kinds.setdefault(kind, dict(rule))
        if kind in ("object", "choice", "word") and known["words"] != rule["words"]:
            raise Wrong(f"{rule['path']}: read in two ways: {known['words']} and {rule['words']}")
        known["low"] = min(known["low"], rule["low"])
        known["high"] = max(known["high"], rule["high"])
        known["words"] = known["words"] or rule["words"]


class Reader:
    """The fields of one kind, by the pattern of their path."""

    def __init__(self, kind, documents, refused):
        self.kind = kind
        self.fields = {}
        for document in documents:
            if "error" in document:
                raise Wrong(f"samples.yaml: {document['error']}")
            for rule in document["rules"]:
                if rule["path"].startswith("spec"):
                    self.fields.setdefault(pattern_of(rule["path"]), Field()).add(rule)
        self.gone = set()
        for document in refused:
            self.leave_out(document)

    def leave_out(self, document):
        """The word, else the key, that a document is refused for. One that is accepted by now stays in."""
        error = document.get("error")
        if error is None:
            return
        if not error["unsupported"]:
            raise Wrong(f"refused.yaml: not refused as unsupported: {error}")
        place = pattern_of(error["field"])
        for rule in document["rules"]:
            if rule["path"] == error["field"] and rule["kind"] == "word":
                known = self.fields.get(place)
                if known is None:
                    self.gone.add(place)
                    return
                kept = [x for x in known.kinds["word"]["words"] if x not in error["message"].replace(":", " ").split()]
                if len(kept) == len(known.kinds["word"]["words"]):
                    raise Wrong(f"{place}: refused for a word that the message does not name: {error['message']}")
                known.kinds["word"]["words"] = kept
                return
        self.gone.add(place)

    def schema(self, path, rules):
        field = self.fields.get(path)
        extra = rules.get(path, {})
        if extra.get("any"):
            return {"x-kubernetes-preserve-unknown-fields": True}
        if field is None or not field.kinds:
            raise Wrong(f"{self.kind} {path}: the reader knows it, but no document of samples.yaml has it")
        kinds = field.kinds
        made = self.object(path, field, rules) if "object" in kinds else \
            self.list(path, kinds["list"], rules) if "list" in kinds else scalar(path, kinds)
        made.update(extra.get("schema", {}))
        validations = choice_rules(kinds) + [dict(x) for x in extra.get("rules", [])]
        if validations:
            made["x-kubernetes-validations"] = validations
        return made

    def list(self, path, rule, rules):
        return {"type": "array", "maxItems": rule["high"], "items": self.schema(path + "[]", rules)}

    def object(self, path, field, rules):
        keys = field.kinds["object"]["words"]
        properties, required = {}, []
        for key in keys:
            at = f"{path}.{key}"
            if at in self.gone:
                continue
            known = self.fields.get(at)
            properties[key] = self.schema(at, rules)
            if known is not None and known.required and known.required == field.visits:
                required.append(key)
        made = {"type": "object"}
        if field.kinds["object"]["low"]:
            made["nullable"] = True
        if required:
            made["required"] = required
        made["properties"] = properties
        return made


def choice_rules(kinds):
    if "choice" not in kinds:
        return []
    words = kinds["choice"]["words"]
    given = ", ".join(f"has(self.{x})" for x in words)
    names = ", ".join(words[:-1]) + " or " + words[-1]
    return [{"rule": f"[{given}].filter(x, x).size() == 1", "message": f"exactly one connector must be given: {names}"}]


def scalar(path, kinds):
    if "integer" in kinds:
        made = {"type": "integer", "format": "int64", "minimum": kinds["integer"]["low"]}
        if kinds["integer"]["high"] < LARGEST:
            made["maximum"] = kinds["integer"]["high"]
        return made
    if "duration" in kinds:
        return duration(kinds["duration"])
    if "word" in kinds:
        return {"type": "string", "enum": kinds["word"]["words"]}
    if "quantities" in kinds:
        amount = r"^[0-9]+([.][0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$"
        return {"type": "object", "additionalProperties": {"x-kubernetes-int-or-string": True, "pattern": amount,
                                                           "minimum": 0}}
    simple = {
        "boolean": {"type": "boolean"},
        "size": {"x-kubernetes-int-or-string": True, "pattern": f"^[0-9]+{SIZES}$", "minimum": 0},
        "label": {"type": "string", "maxLength": 63, "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"},
        "identifier": {"type": "string", "maxLength": 63, "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
        "texts": {"type": "object", "additionalProperties": {"type": "string"}},
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "text": {"type": "string"},
    }
    for kind, made in simple.items():
        if kind in kinds:
            return made
    raise Wrong(f"{path}: cannot say {sorted(kinds)} in a schema")


def duration(rule):
    """Numbers without a unit are not durations, but for 0."""
    words = "".join(f"|{x}" for x in rule["words"])
    if rule["low"] > 0:
        return {"type": "string", "pattern": f"^(0*[1-9][0-9]*{UNITS}{words})$"}
    return {"x-kubernetes-int-or-string": True, "pattern": f"^([0-9]+{UNITS}|0{words})$", "minimum": 0, "maximum": 0}


def documented_defaults():
    """Defaults of fields that are in no list, by kind and path, from the tables of docs/manifest.md."""
    text = (ROOT / "docs" / "manifest.md").read_text(encoding="utf-8")
    out = {}
    for kind, section in (("Stream", "spec"), ("Topic", "Topics")):
        part = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.S | re.M)[1]
        for cells in re.findall(r"^\| (`.*?) \|.*\| ([^|]*) \|$", part, re.M):
            names, values = (re.findall(r"`([^`]+)`", x) for x in cells)
            values = values or [x for x in cells[1:] if re.fullmatch(r"\d+", x)]
            if len(names) == len(values) and re.fullmatch(r"(`[^`]+`|\d+)(, `[^`]+`)*", cells[1]):
                for name, value in zip(names, values):
                    if "[]" not in name:
                        out[kind, name] = int(value) if value.isdigit() else value
    return out


def set_defaults(kind, spec):
    """An object around a default gets the default {}: else the API server would not look inside."""
    for (of, name), value in documented_defaults().items():
        if of != kind:
            continue
        at = spec
        *objects, last = name.split(".")
        for key in objects:
            at = at["properties"][key]
            at["default"] = {}
        if last not in at["properties"]:
            raise Wrong(f"docs/manifest.md: {kind} has no field {name}")
        at["properties"][last]["default"] = value


def set_descriptions(schema, path, words, used):
    """Puts the description first, into the schema of each property."""
    used.add(path)
    if path not in words:
        raise Wrong(f"descriptions.yaml: no line for {path}")
    inner = dict(schema)
    schema.clear()
    schema["description"] = words[path]
    schema.update(inner)
    items = schema.get("items", {}) if schema.get("type") == "array" else schema
    for key, value in items.get("properties", {}).items():
        below = f"{path}[].{key}" if items is not schema else f"{path}.{key}".lstrip(".")
        set_descriptions(value, below, words, used)


def crd(kind, reader, sources):
    rules, words, about = (x[kind] for x in sources)
    spec = reader.schema("spec", rules)
    set_defaults(kind, spec)
    used = {""}
    set_descriptions(spec, "spec", words, used)
    if set(words) - used:
        raise Wrong(f"descriptions.yaml: {kind} has no field {', '.join(sorted(set(words) - used))}")
    if set(rules) - used - {x for x in rules if is_item(x)}:
        raise Wrong(f"rules.yaml: {kind} has no field {', '.join(sorted(set(rules) - used))}")
    subresources = {"status": {}}
    if "scale" in about:
        subresources["scale"] = about["scale"]
    plural = about["names"]["plural"]
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.ebb.dev", "labels": {"app.kubernetes.io/name": "ebb"}},
        "spec": {
            "group": "ebb.dev", "scope": "Namespaced",
            "names": {"kind": kind, "listKind": f"{kind}List", **about["names"], "categories": ["ebb"]},
            "versions": [{
                "name": "v1alpha1", "served": True, "storage": True, "subresources": subresources,
                "additionalPrinterColumns": about["columns"],
                "schema": {"openAPIV3Schema": {
                    "description": words[""], "type": "object", "required": ["spec"],
                    "x-kubernetes-validations": rules.get("", {}).get("rules", []),
                    "properties": {
                        "apiVersion": {"type": "string", "description": "ebb.dev/v1alpha1."},
                        "kind": {"type": "string", "description": f"{kind}."},
                        "metadata": {"type": "object"},
                        "spec": spec, "status": about["status"]}}}}]}}


class Dumper(yaml.SafeDumper):
    """Without anchors, lists indented."""

    def ignore_aliases(self, _):
        return True

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


def dump(value):
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, width=110, allow_unicode=True)


def kind_of(document):
    words = [x["words"] for x in document["rules"] if x["path"] == "spec" and x["kind"] == "object"]
    return "Stream" if "sources" in words[0] else "Topic"


def generate(program):
    """The text of each file of deployments/crds/."""
    good, bad = described(program, "samples.yaml"), described(program, "refused.yaml")
    sources = [load(x) for x in ("rules.yaml", "descriptions.yaml", "status.yaml")]
    out = {}
    for kind, plural in (("Stream", "streams"), ("Topic", "topics")):
        reader = Reader(kind, *([x for x in documents if kind_of(x) == kind] for documents in (good, bad)))
        out[f"{plural}.yaml"] = HEAD + dump(crd(kind, reader, sources))
    return out


def undocumented(files):
    """Fields that docs/manifest.md does not name."""
    text = (ROOT / "docs" / "manifest.md").read_text(encoding="utf-8")
    named = {part for x in re.findall(r"`([^`\n]+)`", text) for part in re.split(r"[.\[\]:{} ]+", x)}

    def walk(schema, path):
        for key, value in schema.get("properties", {}).items():
            if key not in named:
                yield f"{path}.{key}"
            yield from walk(value.get("items", value), f"{path}.{key}")

    for content in files.values():
        schema = yaml.safe_load(content)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        yield from (x for x in walk(schema["properties"]["spec"], "spec") if ".pod." not in x)


def main():
    try:
        files = generate(sys.argv[1])
    except Wrong as problem:
        print(f"{problem}\n0 passed, 1 failed")
        return 1
    failed = 0
    for name, text in files.items():
        path = OUT / name
        if "--check" not in sys.argv:
            OUT.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"deployments/crds/{name} is not what the manifest's reader says: run tools/manifests")
            failed += 1
    missing = list(undocumented(files))
    if missing:
        print("docs/manifest.md does not name " + ", ".join(missing))
        failed += 1
    print(f"{len(files) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
