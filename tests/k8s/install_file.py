#!/usr/bin/env python3
"""deployments/ebb.yaml: made from its sources, with no more rights than control uses, pods as restricted namespaces want them.

    install_file.py DESCRIBE_MANIFEST

An API server takes it, twice, and says what control's account may do. Ends in `N passed, N failed`.
"""
import collections
import copy
import json
import pathlib
import re
import subprocess
import sys
import traceback

import yaml

from installation import NAMESPACE, ROOT, clusters

INSTALL = ROOT / "deployments" / "ebb.yaml"
ACCOUNT = "system:serviceaccount:ebb:ebb"


def documents():
    return [x for x in yaml.safe_load_all(INSTALL.read_text(encoding="utf-8")) if x]


def named(kind, name="ebb"):
    return next(x for x in documents() if x["kind"] == kind and x["metadata"]["name"] == name)


def rights(rules):
    found = collections.defaultdict(set)
    for rule in rules:
        for resource in rule["resources"]:
            found[resource].update(rule["verbs"])
    return dict(found)


def said_rights():
    """What k8s-bridge/README.md says of control's calls: in all namespaces, and in its own."""
    text = (ROOT / "k8s-bridge" / "README.md").read_text(encoding="utf-8")
    line = re.search(r"^\*\*Calls\.\*\* (.*)$", text, re.M)[1]
    found = []
    for part in re.match(r"Cluster-wide: (.*?)\. In control's namespace: (.*?)\. Nothing else\.", line).groups():
        of = collections.defaultdict(set)
        for item in part.split(";"):
            resources, verbs = re.match(r"\s*((?:[\w/]+(?: \([^)]*\))?(?:, )?)+): (.*)", item).groups()
            for resource in re.sub(r" \([^)]*\)", "", resources).split(", "):
                of[resource].update(verbs.split(", "))
        found.append(dict(of))
    return found


def test_made_from_sources(describe):
    for program in (["tools/crds/generate.py", pathlib.Path(describe).resolve(), "--check"], ["tools/packaging/make_install.py", "--check"]):
        run = subprocess.run([sys.executable, *program], cwd=ROOT, check=False, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr


def test_roles_are_what_control_calls(_):
    everywhere, own = said_rights()
    assert rights(named("ClusterRole", "ebb-control")["rules"]) == everywhere
    assert rights(named("Role", "ebb-control")["rules"]) == own


def test_no_role_is_wide(_):
    for document in documents():
        for rule in document.get("rules", []):
            assert "*" not in json.dumps(rule), rule
            assert not {"nodes", "pods/exec", "roles"} & set(rule["resources"]), rule
            # A worker's certificate is written, in control's own namespace, and none is ever read.
            if "secrets" in rule["resources"]:
                assert document["kind"] == "Role" and rule["resources"] == ["secrets"] and rule["verbs"] == ["create"], rule


def test_everything_is_in_the_namespace(_):
    scopes = {"Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}
    for document in documents():
        if document["kind"] not in scopes:
            assert document["metadata"]["namespace"] == NAMESPACE, document


def test_the_service_comes_before_the_pod(_):
    kinds = [x["kind"] for x in documents()]
    assert kinds.index("Service") < kinds.index("StatefulSet")
    assert kinds[0] == "Namespace"


def control_pod():
    template = copy.deepcopy(named("StatefulSet")["spec"]["template"])
    template["spec"]["volumes"].append({"name": "data", "emptyDir": {}})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "try", "namespace": NAMESPACE}, "spec": template["spec"]}


def on_cluster(cluster):
    """Taken by an API server, again without a change; pods as the namespace wants them; rights of the account."""
    cluster.kubectl("apply", "-f", INSTALL)
    again = cluster.kubectl("apply", "-f", INSTALL)
    # The API server fills in the claims of a StatefulSet, so kubectl always sees a difference there.
    changed = [x for x in again.stdout.splitlines() if not x.endswith("unchanged") and "statefulset" not in x]
    assert not changed, again.stdout
    assert "Warning" not in again.stderr, again.stderr
    taken = cluster.kubectl("apply", "--dry-run=server", "-f", "-", text=json.dumps(control_pod()))
    assert "created" in taken.stdout and "Warning" not in taken.stderr, taken
    wrong = control_pod()
    wrong["spec"]["containers"][0]["securityContext"]["privileged"] = True
    refused = cluster.kubectl("apply", "--dry-run=server", "-f", "-", text=json.dumps(wrong), check=False)
    assert refused.returncode and "privileged" in refused.stderr, refused

    def may(verb, resource, namespace):
        words = ["auth", "can-i", verb, resource, "--as", ACCOUNT, *(("-n", namespace) if namespace else ("-A",))]
        return cluster.kubectl(*words, check=False).stdout.strip() == "yes"

    assert may("watch", "streams.ebb.dev", None) and may("create", "pods", NAMESPACE)
    for verb, resource, namespace in (("create", "pods", "default"), ("get", "secrets", NAMESPACE), ("list", "secrets", None), ("delete", "secrets", NAMESPACE), ("create", "secrets", "default"),
                                      ("delete", "streams.ebb.dev", "default"),
                                      ("update", "roles", NAMESPACE), ("list", "nodes", None)):
        assert not may(verb, resource, namespace), (verb, resource, namespace)


def main():
    passed = failed = 0
    tests = [(name, f) for name, f in globals().items() if name.startswith("test_")]
    problem = clusters.why_not("api")
    for name, test in tests:
        try:
            test(sys.argv[1])
            passed += 1
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"FAILED {name}")
            traceback.print_exc()
    if problem:
        print(f"skipped: on an API server: {problem}")
    else:
        try:
            with clusters.Cluster("api") as cluster:
                on_cluster(cluster)
            passed += 1
        except Exception:  # pylint: disable=broad-except
            failed += 1
            traceback.print_exc()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
