#!/usr/bin/env python3
"""`tools/bench k8s`: what a wake costs beside the cluster's own pod start, what sleeping costs, what rest costs.

    bench.py EBB [--only wake|warm|shared|rest|scale] [--rounds N] [--streams N] [--state-mib N]

On a cluster with one node, as root. A figure is a line: name, unit, median, p95, longest, number of rounds.
"""
import argparse
import os
import pathlib
import sys
import time

import scale
from counting import counts, remove_counts
from installation import NAMESPACE, Installation, clusters, wait_for
from api_client import ApiClient
from warm_wakes import claim_copies, set_warm, warm_wakes

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "plain"}, "spec": {
    "restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False,
    "containers": [{"name": "plain", "image": "localhost/pause:1"}]}}
PODS = "/api/v1/namespaces/default/pods"


def line(name, unit, values):
    values = sorted(values)
    p95 = values[min(len(values) - 1, int(len(values) * 0.95))]
    print(f"{name:44} {unit:3} median {values[len(values) // 2]:8.2f}  p95 {p95:8.2f}  longest {values[-1]:8.2f}  of {len(values)}",
          flush=True)


def until(condition, seconds=60):
    """Seconds until it holds, looked at every 5 ms."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "too long"
        time.sleep(0.005)
    return time.monotonic() - begun


def plain_pods(cluster, rounds):
    """From the POST of a pod that does nothing until its container runs: what no operator can be faster than."""
    api, took = ApiClient(cluster), []

    def runs():
        state = api.call("GET", PODS + "/plain").get("status", {}).get("containerStatuses", [{}])[0].get("state", {})
        return "running" in state

    for _ in range(rounds):
        api.call("POST", PODS, POD)
        took.append(until(runs))
        api.call("DELETE", PODS + "/plain", {"gracePeriodSeconds": 0})
        until(lambda: api.call("GET", PODS + "/plain").get("code") == 404)
    line("a pod of the cluster runs", "s", took)


def wakes(ebb, rounds):
    """One message to a stream without a pod, until its first result is there; then sleep, until no pod is there."""
    api, name = ApiClient(ebb.cluster), "waking"
    ebb.cluster.apply(counts(name))
    ebb.cluster.kubectl("wait", "--for=condition=Ready", f"stream/{name}", f"topic/{name}-in", "--timeout=30s")
    results, gone = [], []
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=ebb.dev/stream={name}"
    for i in range(rounds + 1):
        ebb.send(f"{name}-in", [{"id": i}], "p", i)
        took = until(lambda i=i: len(ebb.messages(f"{name}-out")) == i + 1)
        wait_for(lambda: ebb.ask("GET", f"/v1/streams/{name}").json()["status"]["phase"] == "Running", 30, "it runs")
        asked = time.monotonic()
        assert ebb.ask("POST", f"/v1/streams/{name}:sleep").status in (200, 202)
        until(lambda: api.call("GET", pods).get("items") == [])
        if i:  # the first one is for files that are read for the first time
            results.append(took)
            gone.append(time.monotonic() - asked)
        ebb.wait_phase(name, "Asleep")
    line("message to first result, a new pod", "s", results)
    line("sleep decision to no pod", "s", gone)
    remove_counts(ebb, name)


def warm(ebb, rounds, mebibytes, shared):
    """One message to a stream that sleeps, where a pod waits; what it needs of its state is fetched from control, or was left on the
    node by other pods."""
    set_warm(ebb, 2, claim_copies(ebb) if shared else "")
    for size in (10, mebibytes):
        there, took, moments = warm_wakes(ebb, size, rounds)
        line(f"message to result, a warm pod, {there:.0f} MiB {'there' if shared else 'fetched'}", "s", took)
        print("  medians, ms: " + ", ".join(f"{x} {y:.1f}" for x, y in moments.items()), flush=True)
    set_warm(ebb, 0)


def rest(ebb, seconds=60):
    """Control with nothing to do: the whole installation is its pod."""
    wait_for(lambda: not ebb.worker_pods(), 60, "no worker's pod")
    time.sleep(10)
    pid = ebb.processes("up")[0]
    user = f"system:serviceaccount:{NAMESPACE}:ebb"

    def calls():
        return len([x for x in ebb.cluster.requests() if x["user"]["username"] == user])

    before, cpu = calls(), scale.cpu_of(pid)
    time.sleep(seconds)
    pods = len(ebb.cluster.get("pods", "-n", NAMESPACE)["items"])
    print(f"at rest: {pods} pod, {scale.rss_of(pid):.1f} MB, {(scale.cpu_of(pid) - cpu) * 100 / seconds:.2f} % of a core, "
          f"{(calls() - before) * 60 / seconds:.1f} API calls a minute", flush=True)


def many(ebb, count):
    x = scale.measure(pathlib.Path(ebb), count)
    print(f"{count} streams asleep: {x['megabytes']:.1f} MB (none: {x['megabytes_empty']:.1f}), {x['cpu_percent']:.2f} % of a core, "
          f"{x['calls_a_minute']:.1f} API calls a minute; after a restart ready in {x['ready']:.2f} s, "
          f"all known and told in {x['reconciled']:.2f} s, {x['written_after_restart']} statuses written", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ebb")
    parser.add_argument("--only", choices=("wake", "warm", "shared", "rest", "scale"))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--state-mib", type=int, default=1024)
    arguments = parser.parse_args()
    problem = clusters.why_not("node")
    if problem:
        sys.exit(f"tools/bench k8s: {problem}")
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}", flush=True)
    if arguments.only in (None, "scale"):
        many(arguments.ebb, arguments.streams)
    if arguments.only == "scale":
        return
    with clusters.Cluster("node") as cluster:
        ebb = Installation(cluster, arguments.ebb)
        ebb.install()
        if arguments.only in (None, "wake"):
            plain_pods(cluster, arguments.rounds)
            wakes(ebb, arguments.rounds)
        if arguments.only in (None, "warm"):
            warm(ebb, arguments.rounds, arguments.state_mib, False)
        if arguments.only in (None, "shared"):
            warm(ebb, arguments.rounds, arguments.state_mib, True)
        if arguments.only in (None, "rest"):
            rest(ebb)


if __name__ == "__main__":
    main()
