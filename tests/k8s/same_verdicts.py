#!/usr/bin/env python3
"""The API server and the manifest's reader say the same of the same manifests.

    same_verdicts.py DESCRIBE_MANIFEST

Starts an API server (no root needed), gives it the custom resources of deployments/crds/, and asks both about each manifest of
verdict_cases.py. What the API server hands back, with its defaults, must be right for the reader, too. Ends in
`N passed, N failed`, or says why it was skipped (exit 77).
"""
import collections
import http.client
import json
import pathlib
import ssl
import subprocess
import sys
import tempfile

import yaml

import verdict_cases as cases

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support" / "cluster"))
import cluster as clusters  # pylint: disable=wrong-import-position

Verdict = collections.namedtuple("Verdict", "good text object")


def by_reader(program, documents):
    """The reader's verdicts of texts, one run for all."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write("\n---\n".join(documents))
        file.flush()
        answers = json.loads(subprocess.run([program, file.name], check=True, capture_output=True, text=True).stdout)
    assert len(answers) == len(documents)
    return [Verdict("error" not in x, json.dumps(x.get("error", {})), None) for x in answers]


class ApiServer:
    def __init__(self, cluster):
        context = ssl.create_default_context(cafile=cluster.folder / "pki" / "ca.crt")
        context.load_cert_chain(cluster.folder / "pki" / "admin.crt", cluster.folder / "pki" / "admin.key")
        self.connection = http.client.HTTPSConnection("127.0.0.1", cluster.port, context=context, timeout=30)

    def ask(self, text, plural):
        target = f"/apis/ebb.dev/v1alpha1/namespaces/default/{plural}?dryRun=All&fieldValidation=Strict"
        kind = "application/json" if text.startswith("{") else "application/yaml"
        self.connection.request("POST", target, text.encode(), {"Content-Type": kind, "Accept": "application/json"})
        answer = self.connection.getresponse()
        body = json.loads(answer.read())
        return Verdict(answer.status == 201, body.get("message", ""), body)


def plural_of(text):
    return "topics" if yaml.safe_load(text)["kind"] == "Topic" else "streams"


def explained(cluster):
    """`kubectl explain` and `kubectl get` have something to say."""
    text = cluster.kubectl("explain", "stream.spec.sleep").stdout
    for part in ("When the stream goes to sleep", "idleAfter", "<string>", "Without rows for so long"):
        assert part in text, text
    assert "exactly-once" in cluster.kubectl("explain", "stream.spec.checkpoint.mode").stdout
    assert "streams" in cluster.kubectl("api-resources", "--api-group", "ebb.dev").stdout
    made = cases.changed(cases.STREAM, ("metadata.name", "shown"))
    cluster.apply(made)
    for names in ("stream", "streams", "es", "ebb"):
        head, row = cluster.kubectl("get", names).stdout.splitlines()[:2]
        assert head.split()[:3] == ["NAME", "PHASE", "WHY"], head
        assert "shown" in row, row
    cluster.kubectl("scale", "stream", "shown", "--replicas", "3")
    assert cluster.get("stream", "shown")["spec"]["parallelism"] == 3
    for change, message in ((("spec.maxParallelism", 64), "fixed for the life of the state"),):
        refused = cluster.kubectl("apply", "-f", "-", text=json.dumps(cases.changed(made, change)), check=False)
        assert refused.returncode and message in refused.stderr, refused
    cluster.apply(cases.changed(cases.TOPIC, ("metadata.name", "shown")))
    refused = cluster.kubectl("patch", "topic", "shown", "--type", "merge", "-p", '{"spec":{"partitions":2}}', check=False)
    assert refused.returncode and "fixed for the life of the topic" in refused.stderr, refused


def main():
    program = sys.argv[1]
    problem = clusters.why_not("api")
    if problem:
        print(f"skipped: {problem}")
        return 77
    structural = cases.structural()
    names = [x for x, _ in structural] + [x for x, _ in cases.TEXTS]
    texts = [json.dumps(x) for _, x in structural] + [x for _, x in cases.TEXTS]
    read = by_reader(program, texts)
    problems = []
    with clusters.Cluster("api") as cluster:
        cluster.kubectl("apply", "-f", ROOT / "deployments" / "crds")
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")
        server = ApiServer(cluster)
        served = [server.ask(text, plural_of(text)) for text in texts]
        for name, one, other in zip(names, read, served):
            if one.good != other.good:
                problems.append(f"{name}: the reader {'takes' if one.good else 'refuses'} it {one.text}, "
                                f"the API server {'takes' if other.good else 'refuses'} it {other.text}")
        filled = [(name, json.dumps({k: v for k, v in x.object.items() if k != "status"}))
                  for name, x in zip(names, served) if x.good]
        again = by_reader(program, [strip(text) for _, text in filled])
        problems += [f"{name}: refused with the API server's defaults: {x.text}" for (name, _), x in zip(filled, again)
                     if not x.good]
        for (name, document), one in zip(cases.UNSEEN, by_reader(program, [json.dumps(x) for _, x in cases.UNSEEN])):
            other = server.ask(json.dumps(document), plural_of(json.dumps(document)))
            if one.good or not other.good:
                problems.append(f"{name}: the schema sees it {other.text}, or the reader does not {one.text}")
        try:
            explained(cluster)
        except (AssertionError, RuntimeError) as error:
            problems.append(f"explain, get, scale, fixed fields: {error}")
    total = len(texts) + len(filled) + len(cases.UNSEEN) + 1
    good = sum(x.good for x in read)
    print(f"{good} good and {len(texts) - good} bad manifests; {len(cases.UNSEEN)} that a schema cannot see")
    for problem in problems:
        print(problem)
    print(f"{total - len(problems)} passed, {len(problems)} failed")
    return 1 if problems else 0


def strip(text):
    """Without what the API server adds to metadata."""
    document = json.loads(text)
    document["metadata"] = {k: v for k, v in document["metadata"].items() if k in ("name", "namespace")}
    return json.dumps(document)


if __name__ == "__main__":
    sys.exit(main())
