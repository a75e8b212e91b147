"""Manifests, good and structurally bad, each made from a good one by one change."""
import copy
import json

STREAM = {
    "apiVersion": "ebb.dev/v1alpha1", "kind": "Stream", "metadata": {"name": "s"},
    "spec": {
        "sources": [{"name": "clicks", "schema": "at TIMESTAMP, id BIGINT", "topic": {"name": "clicks"}}],
        "operators": [{"name": "q", "sql": "SELECT id FROM clicks"}],
        "sinks": [{"topic": {"name": "results"}}]}}
TOPIC = {
    "apiVersion": "ebb.dev/v1alpha1", "kind": "Topic", "metadata": {"name": "t"},
    "spec": {"schema": "at TIMESTAMP, id BIGINT"}}
GONE = object()  # as a value: the field is removed

FILE = {"name": "clicks", "schema": "id BIGINT", "file": {"path": "a.csv"}}
NEXMARK = {"name": "clicks", "nexmark": {"table": "bid"}}
GENERATOR = {"name": "clicks", "schema": "id BIGINT", "generator": {"columns": {"id": "n"}}}
SOURCE, OPERATOR, SINK = "spec.sources.0", "spec.operators.0", "spec.sinks.0"

NOT_TEXT = [5, True, [], {}, None]
NOT_OBJECT = [5, True, "x", []]
NOT_LIST = [5, True, "x", {}]
NOT_BOOLEAN = [5, "true", [], {}]
IDENTIFIERS = ["a", "_", "a1", "A_b", "x" * 63]
NOT_IDENTIFIERS = ["", "1a", "a-b", "a.b", "é", "x" * 64, "a b"]
LABELS = ["a", "a-b", "0", "9a", "x" * 63]
NOT_LABELS = ["", "-a", "a-", "A", "a_b", "a.b", "x" * 64]
DURATIONS = ["1ms", "250ms", "10s", "5m", "1h", "7d", "010s"]
NOT_DURATIONS = ["10", "s", "1 s", "-1s", "1.5s", "1w", "1S", 10, True, [], {}, ""]
SIZES = ["2Mi", "1Gi", "2M", "3000000", 3000000, "1Ti"]
NOT_SIZES = ["1.5Mi", "-1Mi", "1mi", "Mi", "", True, [], {}, -1, 1.5]


def changed(base, *changes):
    """A copy with a value at each dotted path."""
    out = copy.deepcopy(base)
    for path, value in changes:
        at, value = out, copy.deepcopy(value) if value is not GONE else GONE
        *steps, last = path.split(".")
        for step in steps:
            at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
        if value is GONE:
            del at[last]
        elif isinstance(at, list):
            if int(last) == len(at):
                at.append(value)
            at[int(last)] = value
        else:
            at[last] = value
    return out


def each(base, path, values, *more):
    for value in values:
        yield f"{base['kind']} {path} = {json.dumps(value)[:60]}", changed(base, *more, (path, value))


def of_fields():
    """Wrong types, ranges, words and keys of every field; and right ones."""
    yield "a stream", STREAM
    yield "a topic", TOPIC
    for base in (STREAM, TOPIC):
        yield from each(base, "spec", NOT_OBJECT[:3])
        yield f"{base['kind']} without spec", changed(base, ("spec", GONE))
        yield from each(base, "spec.extra", [1])
        yield from each(base, "metadata.name", ["a", "a-b", "x" * 63, "x" * 64, "a.b", "A", "-a", "0"])
    for key in ("sources", "operators", "sinks"):
        yield from each(STREAM, f"spec.{key}", NOT_LIST)
    yield from each(STREAM, "spec.sources", [[]])
    yield "no sources", changed(STREAM, ("spec.sources", GONE))
    yield "no operators, no sinks", changed(STREAM, ("spec.operators", GONE), ("spec.sinks", GONE))
    yield from each(STREAM, "spec.operators", [[]])
    yield from each(STREAM, SOURCE + ".name", IDENTIFIERS, ("spec.operators.0.sql", "SELECT 1"))
    yield from each(STREAM, SOURCE + ".name", NOT_IDENTIFIERS + NOT_TEXT[:4])
    yield from each(STREAM, OPERATOR + ".name", IDENTIFIERS + NOT_IDENTIFIERS + [5])
    for path in (SOURCE + ".name", OPERATOR + ".name", OPERATOR + ".sql", SOURCE + ".schema", SOURCE + ".topic",
                 SOURCE + ".topic.name", SINK + ".topic", SINK + ".topic.name"):
        yield f"without {path}", changed(STREAM, (path, GONE))
    for path in (SOURCE, OPERATOR, SINK, SOURCE + ".topic", SINK + ".topic", "spec.sleep", "spec.checkpoint", "spec.pod"):
        yield from each(STREAM, path + ".extra", ["x"])
        yield from each(STREAM, path, ["x", 5, []])
    yield from each(STREAM, SOURCE + ".schema", ["", 5, []])
    yield from each(STREAM, OPERATOR + ".sql", ["", "  ", " \n\t", 5, ["SELECT 1"]])
    yield from each(STREAM, SOURCE + ".topic.name", LABELS + NOT_LABELS + [5])
    yield from each(STREAM, SOURCE + ".topic.from", ["earliest", "latest", "Earliest", "", 5])
    yield from each(STREAM, SOURCE + ".onBadRecord", ["fail", "skip", "quarantine", "stop", True])
    yield from each(STREAM, SOURCE + ".timestampUnit", ["ms"])
    yield from each(STREAM, SOURCE + ".eventTime", [{"column": "at"}, {}, {"maxDelay": "1s"}, {"column": 5}, "at"])
    yield from each(STREAM, SOURCE + ".eventTime.maxDelay", DURATIONS + NOT_DURATIONS[1:] + ["0", 0, "0s"],
                    (SOURCE + ".eventTime.column", "at"))
    yield from each(STREAM, SOURCE + ".eventTime.maxAhead", ["1h", "0s", "-1s", 0, 5], (SOURCE + ".eventTime.column", "at"))
    yield from each(STREAM, SOURCE + ".eventTime.idleAfter", ["1s", "0s", "0", 0, 5], (SOURCE + ".eventTime.column", "at"))


def of_connectors():
    for one, other in (("topic", {"name": "a"}), ("file", {"path": "a.csv"}), ("nexmark", {"table": "bid"})):
        if one != "topic":
            yield f"two connectors, topic and {one}", changed(STREAM, (f"{SOURCE}.{one}", other))
    for name in ("kafka", "postgres", "s3", "http"):
        yield f"source {name}", changed(STREAM, (SOURCE + ".topic", GONE), (f"{SOURCE}.{name}", {}))
        yield f"sink {name}", changed(STREAM, (SINK + ".topic", GONE), (f"{SINK}.{name}", {}))
    yield "an operator with a function", changed(STREAM, (OPERATOR + ".function", {}))
    yield "a source of a file", changed(STREAM, (SOURCE, FILE))
    for path in ("a.csv", "a.csv.gz", "a.json", "b/*.ndjson", "a.jsonl.zst", "a.json.zst.gz", "a.txt", "a", "", 5,
                 "a.csv.bz2", "x" * 4092 + ".csv", "x" * 4093 + ".csv"):
        yield f"a file {str(path)[-20:]}", changed(STREAM, (SOURCE, FILE), (SOURCE + ".file.path", path))
    for key, values in (("format", ["csv", "json", "xml", 5]), ("delimiter", [";", "\t", "", ";;", '"', "\n", "é", 5]),
                        ("null", [["NA"], [""], [], "NA", [5]]), ("follow", [True, False, *NOT_BOOLEAN]),
                        ("maxRecord", SIZES[:4] + NOT_SIZES), ("extra", ["x"])):
        yield from each(STREAM, f"{SOURCE}.file.{key}", values, (SOURCE, FILE))
    for key in ("delimiter", "null"):
        yield f"{key} of JSON", changed(STREAM, (SOURCE, FILE), (SOURCE + ".file.path", "a.json"),
                                        (f"{SOURCE}.file.{key}", ";" if key == "delimiter" else ["x"]))
        yield f"{key} of a file said to be CSV", changed(
            STREAM, (SOURCE, FILE), (SOURCE + ".file", {"path": "a.json", "format": "csv"}),
            (f"{SOURCE}.file.{key}", ";" if key == "delimiter" else ["x"]))
    yield "nexmark", changed(STREAM, (SOURCE, NEXMARK))
    yield "nexmark with a schema", changed(STREAM, (SOURCE, NEXMARK), (SOURCE + ".schema", "id BIGINT"))
    for key, values in (("table", ["person", "auction", "bids", 5]), ("events", [1, 10**12, 0, -1, 1.5, "5"]),
                        ("eventsPerSecond", [1, 10**9, 10**9 + 1, 0]), ("rate", [1, 0, 10**9 + 1]), ("seed", [0, 7, -1, "7"])):
        yield from each(STREAM, f"{SOURCE}.nexmark.{key}", values, (SOURCE, NEXMARK))
    yield "a generator", changed(STREAM, (SOURCE, GENERATOR))
    for key, values in (("rows", [1, 0, "5"]), ("rate", [1, 0]), ("extra", [1])):
        yield from each(STREAM, f"{SOURCE}.generator.{key}", values, (SOURCE, GENERATOR))
    yield "a generator without columns", changed(STREAM, (SOURCE, GENERATOR), (SOURCE + ".generator.columns", GONE))
    for sink in ({"file": {"path": "b.csv"}}, {"file": {"path": "b"}}, {"file": {"path": "b.json", "delimiter": ";"}},
                 {"file": {"path": "b.csv", "delimiter": ";"}}, {"file": {"path": "b", "format": "json"}}, {"file": {}},
                 {"file": {"path": "b.csv", "null": ["x"]}}, {"stdout": {}}, {"stdout": {"format": "json"}},
                 {"stdout": {"format": "xml"}}, {"stdout": {"extra": 1}}, {"stdout": 5}, {"discard": {}},
                 {"discard": {"hash": True}}, {"discard": {"hash": "yes"}}, {}, {"stdout": {}, "discard": {}},
                 {"name": "a-B_1", "discard": {}}, {"name": "a b", "discard": {}}, {"name": "x" * 64, "discard": {}},
                 {"name": 5, "discard": {}}, {"from": "q", "discard": {}}, {"from": "clicks", "discard": {}},
                 {"from": "nobody", "discard": {}}, {"from": "", "discard": {}}, {"from": 5, "discard": {}}):
        yield f"sink {json.dumps(sink)}", changed(STREAM, (SINK, sink))


def of_settings():
    yield from each(STREAM, "spec.parallelism", [1, 128, 129, 0, -1, 1.5, "2", True])
    yield from each(STREAM, "spec.maxParallelism", [1, 32768, 32769, 0, "2"])
    yield "both parallelisms", changed(STREAM, ("spec.parallelism", 8), ("spec.maxParallelism", 8))
    yield "parallelism above the most", changed(STREAM, ("spec.parallelism", 9), ("spec.maxParallelism", 8))
    yield from each(STREAM, OPERATOR + ".parallelism", [1, 128, 129, 0, "1"])
    yield "an operator's parallelism above the most", changed(STREAM, (OPERATOR + ".parallelism", 9), ("spec.maxParallelism", 8))
    yield from each(STREAM, OPERATOR + ".stateRetention", ["1d", "0s", 5])
    yield from each(STREAM, "spec.checkpoint.interval", DURATIONS + NOT_DURATIONS + ["0s", "0", 0])
    yield from each(STREAM, "spec.checkpoint.mode", ["exactly-once", "at-least-once", "once", 5])
    yield from each(STREAM, "spec.sleep.idleAfter", ["60s", "never", "Never", "0s", 60])
    yield from each(STREAM, "spec.sleep.whenIdle", ["hold", "advance", "wait"])
    yield from each(STREAM, "spec.sleep.advanceAfter", ["5s", "0s", 5])
    yield from each(STREAM, "spec.onChange", ["refuse", "reset", "ask", True])
    yield "two sources of one name", changed(STREAM, ("spec.sources.1", STREAM["spec"]["sources"][0]))
    yield "two operators of one name", changed(STREAM, ("spec.operators.1", STREAM["spec"]["operators"][0]))
    yield "an operator named as a source", changed(STREAM, (OPERATOR + ".name", "clicks"))
    yield "two sinks of one name", changed(STREAM, ("spec.sinks", [{"name": "a", "discard": {}}, {"name": "a", "stdout": {}}]))
    yield "two sinks without names", changed(STREAM, ("spec.sinks", [{"discard": {}}, {"stdout": {}}]))
    second = ("spec.sources.1", {"name": "more", "schema": "id BIGINT", "topic": {"name": "more"}})
    yield "two sources, no operator, from missing", changed(STREAM, second, ("spec.operators", GONE))
    yield "two sources, no operator, from given", changed(STREAM, second, ("spec.operators", GONE), (SINK + ".from", "more"))
    yield "two sources, no operator, no sink", changed(STREAM, second, ("spec.operators", GONE), ("spec.sinks", GONE))
    many = [{"name": f"s{i}", "schema": "id BIGINT", "topic": {"name": "a"}} for i in range(65)]
    yield "64 sources", changed(STREAM, ("spec.sources", many[:64]))
    yield "65 sources", changed(STREAM, ("spec.sources", many))
    yield "257 operators", changed(STREAM, ("spec.operators", [{"name": f"q{i}", "sql": "SELECT 1"} for i in range(257)]))
    yield "64 sinks", changed(STREAM, ("spec.sinks", [{"discard": {}}] * 64))
    yield "65 sinks", changed(STREAM, ("spec.sinks", [{"discard": {}}] * 65))


def of_pods():
    for pod in ({"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": 2}}},
                {"resources": {"limits": {"cpu": "1.5"}}}, {"resources": {"limits": {"cpu": 1.5}}},
                {"resources": {"limits": {"cpu": "many"}}}, {"resources": {"limits": {"cpu": -1}}},
                {"resources": {"limit": {}}}, {"resources": []}, {"nodeSelector": {"a": "b"}}, {"nodeSelector": {"a": 5}},
                {"nodeSelector": {"a": True}}, {"labels": {"a": "b"}}, {"labels": ["a"]}, {"annotations": {"a": "b"}},
                {"annotations": {"a": {}}}, {"tolerations": [{"operator": "Exists"}]}, {"tolerations": [{"operator": "Is"}]},
                {"tolerations": [{"effect": "NoExecute", "tolerationSeconds": 5}]}, {"tolerations": [{"effect": "Now"}]},
                {"tolerations": [{"tolerationSeconds": -5}]}, {"tolerations": {"key": "a"}}, {"tolerations": [{"extra": 1}]},
                {"affinity": {"nodeAffinity": {"x": [1]}}}, {"affinity": {"hostAffinity": {}}}, {"affinity": {"podAffinity": []}},
                {"hostPID": True}, {"containers": []}, {"serviceAccountName": "admin"}, {"volumes": []}, {"image": "x"},
                {"securityContext": {"privileged": True}}):
        yield f"pod {json.dumps(pod)}", changed(STREAM, ("spec.pod", pod))


def of_topics():
    yield from each(TOPIC, "spec.schema", ["", 5])
    yield "a topic without schema", changed(TOPIC, ("spec", {}))
    yield from each(TOPIC, "spec.partitions", [1, 1024, 1025, 0, "2", 1.5])
    yield from each(TOPIC, "spec.key", ["id", "", 5, []])
    yield from each(TOPIC, "spec.retention", [{}, "7d", []])
    yield from each(TOPIC, "spec.retention.time", DURATIONS + NOT_DURATIONS)
    yield from each(TOPIC, "spec.retention.size", SIZES + NOT_SIZES)
    yield from each(TOPIC, "spec.retention.extra", [1])
    yield from each(TOPIC, "spec.format", ["json", "xml", 5])


def structural():
    """(name, document) of all that both see."""
    out = [x for part in (of_fields, of_connectors, of_settings, of_pods, of_topics) for x in part()]
    return list({json.dumps(document): (name, document) for name, document in out}.values())


HEAD = "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: s}\n"
SOURCES = "  sources: [{name: a, schema: id BIGINT, topic: {name: t}}]\n"
# As text: YAML that is read in more than one way.
TEXTS = [
    ("a plain yes for text", HEAD + "spec:\n" + SOURCES.replace("name: t", "name: yes")),
    ("a plain on for text", HEAD + "spec:\n" + SOURCES.replace("name: t", "name: on")),
    ("a quoted yes", HEAD + "spec:\n" + SOURCES.replace("name: t", 'name: "yes"')),
    ("a plain number for text", HEAD + "spec:\n" + SOURCES.replace("name: t", "name: 1")),
    ("a key twice", HEAD + "spec:\n" + SOURCES + "  parallelism: 1\n  parallelism: 2\n"),
    ("a key twice, inside", HEAD + "spec:\n" + SOURCES.replace("name: t", "name: t, name: t")),
    ("block text", HEAD + "spec:\n" + SOURCES + "  operators:\n    - name: q\n      sql: |\n        SELECT id\n        FROM a\n"),
]

# What a schema cannot see: refused by the reader alone, so `Ready=False`, reason `InvalidSpec`.
UNSEEN = [
    ("SQL of a schema", changed(STREAM, (SOURCE + ".schema", "id NOTATYPE"))),
    ("no columns", changed(STREAM, (SOURCE + ".schema", "  "))),
    ("a column that is not there", changed(STREAM, (SOURCE + ".eventTime", {"column": "nothing"}))),
    ("event time of another type", changed(STREAM, (SOURCE + ".eventTime", {"column": "id"}))),
    ("a generator's expression", changed(STREAM, (SOURCE, GENERATOR), (SOURCE + ".generator.columns", {"id": "n +"}))),
    ("a generator without a column", changed(STREAM, (SOURCE, GENERATOR), (SOURCE + ".generator.columns", {}))),
    ("a record of no bytes", changed(STREAM, (SOURCE, FILE), (SOURCE + ".file.maxRecord", "0"))),
    ("a record above 1Gi", changed(STREAM, (SOURCE, FILE), (SOURCE + ".file.maxRecord", "2Gi"))),
    ("a duration above 63 bits", changed(STREAM, ("spec.sleep.idleAfter", "9999999999999999d"))),
    ("two sinks on one file", changed(STREAM, ("spec.sinks", [{"file": {"path": "a.csv"}}, {"file": {"path": "./a.csv"}}]))),
    ("a sink on its source", changed(STREAM, (SOURCE, FILE), (SINK, {"file": {"path": "a.csv"}}))),
    ("a sink named like a nameless one", changed(STREAM, ("spec.sinks", [{"discard": {}}, {"name": "sink", "stdout": {}}]))),
    ("a topic's key that is no column", changed(TOPIC, ("spec.key", "nothing"))),
    ("a topic of less than 1Mi", changed(TOPIC, ("spec.retention.size", "5"))),
    ("a topic's primary key", changed(TOPIC, ("spec.schema", "id BIGINT PRIMARY KEY"))),
    ("partitions of changes without a primary key",
     changed(TOPIC, ("spec.format", "debezium"), ("spec.partitions", 2), ("spec.key", "id"))),
]
