#!/usr/bin/env python3
"""Certificates of workers: bound to one start of a stream, renewed before they end, worth nothing to anybody else; clocks that
are an hour off.

    certificates.py EBB [TEST…]

An API server without nodes; pods run as processes. Ends in `N passed, N failed`, or says why it was skipped (exit 77).
"""
import base64
import datetime
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

from api import OWN, STREAM, TOPIC, Control, clusters, prepare, wait_for
from process_kubelet import ProcessKubelet

LIFETIME = 30  # seconds, the shortest
# A clock that is off by EBB_TEST_SECONDS, for what asks libc.
CLOCK = r"""
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static long off(void) { const char* x = getenv("EBB_TEST_SECONDS"); return x ? atol(x) : 0; }
int clock_gettime(clockid_t which, struct timespec* to) {
  int done = syscall(SYS_clock_gettime, which, to);
  if (done == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) to->tv_sec += off();
  return done;
}
time_t time(time_t* to) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (to) *to = now.tv_sec;
  return now.tv_sec;
}
int gettimeofday(struct timeval* to, void* zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  to->tv_sec = now.tv_sec;
  to->tv_usec = now.tv_nsec / 1000;
  return 0;
}
"""


class Setting:
    """A control process and its workers, as processes whose clocks may be others."""

    def __init__(self, cluster, ebb, folder):
        self.cluster, self.ebb, self.folder = cluster, ebb, folder
        source, self.clock = folder / "clock.c", folder / "clock.so"
        source.write_text(CLOCK, encoding="ascii")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", self.clock, source], check=True)
        self.control = Control(cluster, self.program("control", 0), folder, "--certificate-lifetime", f"{LIFETIME}s")
        self.kubelet = None

    def program(self, name, seconds):
        """ebb, with a clock that is off by so much."""
        path = self.folder / name
        path.write_text(f"#!/bin/sh\nLD_PRELOAD={self.clock} EBB_TEST_SECONDS={seconds} exec {self.ebb} \"$@\"\n", encoding="ascii")
        path.chmod(0o755)
        return path

    def log(self):
        return (self.folder / "log").read_text(encoding="utf-8")

    def pods(self, stream):
        return [x for x in self.cluster.get("pods", "-n", OWN)["items"] if x["metadata"]["labels"].get("ebb.dev/stream") == stream]

    def runs(self, stream):
        return self.control.ask("GET", f"/v1/streams/{stream}")[1]["status"]["phase"] == "Running"

    def start_stream(self, name):
        """One that stays awake, and its pod."""
        text = STREAM.format(name, "t", "SELECT id FROM s").replace("spec:\n  sources", "spec:\n  sleep: {idleAfter: 1h}\n  sources")
        self.cluster.apply(text)
        wait_for(lambda: name in self.control.streams() and self.runs(name), 60, f"{name} runs")
        (pod,) = self.pods(name)
        return pod["metadata"]["name"]

    def delete(self, name):
        self.cluster.kubectl("delete", "stream", name)
        wait_for(lambda: not self.pods(name), 60, "its pod is gone")

    def identity(self, pod):
        """A copy of its certificate, as somebody may have taken it."""
        folder = self.folder / f"taken-{pod}"
        folder.mkdir(exist_ok=True)
        for file, text in self.cluster.get("secret", pod, "-n", OWN)["data"].items():
            (folder / file).write_bytes(base64.b64decode(text))
            (folder / file).chmod(0o600)
        return folder

    def worker(self, name, identity, seconds=8):
        """A worker that nobody has started; what it says."""
        place = [x for x in self.control.process.args if str(x).startswith("127.0.0.1:")][-1]
        cache = self.folder / "cache"
        try:
            done = subprocess.run([self.ebb, "worker", "--control", place, "--identity", identity, "--name", name, "--cache", cache,
                                   "--orphan-timeout", str(seconds / 2)], capture_output=True, text=True, timeout=seconds, check=False)
            return done.stderr
        except subprocess.TimeoutExpired as still:
            return "runs on: " + (still.stderr or b"").decode()
        finally:
            shutil.rmtree(cache, ignore_errors=True)


def moment(text):
    return datetime.datetime.strptime(text.strip(), "%b %d %H:%M:%S %Y GMT").replace(tzinfo=datetime.timezone.utc)


def test_what_it_says(x):
    """A name, one start of one stream, a lifetime; another worker is turned away with it."""
    pod = x.start_stream("bound")
    taken = x.identity(pod)
    worker = pod.removeprefix("ebb-")
    shown = subprocess.run(["openssl", "x509", "-noout", "-text", "-in", taken / "worker.pem"], check=True, capture_output=True,
                           text=True).stdout
    found = re.search(r"URI:(ebb://\S+)", shown)
    assert found, shown
    start = x.control.ask("GET", "/v1/streams/bound")[1]["status"]
    assert found[1].startswith(f"ebb://{worker}/default/{x.control.uid('bound')}/"), (found[1], start)
    begins, ends = moment(re.search(r"Not Before: *(.*)", shown)[1]), moment(re.search(r"Not After *: *(.*)", shown)[1])
    now = datetime.datetime.now(datetime.timezone.utc)
    assert (now - begins).total_seconds() > 3600 and (ends - now).total_seconds() <= LIFETIME, (begins, ends, now)
    said = x.worker("worker-99", taken)
    assert not said.startswith("runs on"), said
    assert re.search(rf"turned away: .*certificate of {worker} for stream .* and says that it is worker-99", x.log()), x.log()[-2000:]
    assert x.runs("bound") and [y["metadata"]["name"] for y in x.pods("bound")] == [pod], "the right one was disturbed"


def test_renewed(x):
    """After more than two lifetimes a control process that is new adopts the worker; what was taken at first is of no use."""
    (pod,) = [y["metadata"]["name"] for y in x.pods("bound")]
    before = x.control.ask("GET", "/v1/streams/bound")[1]["status"]["generation"]
    time.sleep(2.2 * LIFETIME)
    links = [y for y in x.control.process.args if str(y).startswith("127.0.0.1:")][-1]
    x.control.kill()
    x.control.start(links=links)
    wait_for(lambda: x.runs("bound"), 30, "it is adopted")
    time.sleep(2)
    assert x.runs("bound") and [y["metadata"]["name"] for y in x.pods("bound")] == [pod]
    assert x.control.ask("GET", "/v1/streams/bound")[1]["status"]["generation"] == before, "it was started anew"
    turned = x.log().count("turned away")
    x.worker(pod.removeprefix("ebb-"), x.folder / f"taken-{pod}")
    assert x.runs("bound") and x.log().count("turned away") == turned, "an old certificate was looked at"
    x.delete("bound")


def test_clocks_of_nodes(x):
    """An hour ahead, an hour behind: the stream runs, and a condition, an event and `ebb why` say it."""
    for seconds, words in ((3600, "ahead of control's"), (-3600, "behind control's")):
        name = f"skewed{abs(seconds + 1)}"
        x.kubelet.program = x.program(f"pods{seconds}", seconds)
        x.start_stream(name)
        found = wait_for(lambda n=name: [y for y in x.control.status("stream", n).get("conditions", [])
                                         if y["type"] == "Degraded" and y["status"] == "True"], 30, "Degraded")[0]
        assert found["reason"] == "ClockSkew" and words in found["message"] and "set the clocks" in found["message"], found
        why = " ".join(x.control.ask("GET", f"/v1/streams/{name}/why")[1]["sentences"])
        assert "ClockSkew" in why and words in why, why
        events = [y["reason"] for y in x.cluster.get("events")["items"] if y["involvedObject"]["name"] == name]
        assert "ClockSkew" in events, events
        x.delete(name)
    x.kubelet.program = x.program("pods", 0)
    x.start_stream("right")
    time.sleep(2)
    assert not [y for y in x.control.status("stream", "right").get("conditions", []) if y["reason"] == "ClockSkew"]
    x.delete("right")


def test_clock_of_control(x):
    """Control's own, an hour ahead and behind: workers join, with certificates that it has made by it."""
    links = [y for y in x.control.process.args if str(y).startswith("127.0.0.1:")][-1]
    # The certificate of the test's API server has just been made: an hour ago it was not valid.
    config = json.loads(x.cluster.kubeconfig.read_text(encoding="utf-8"))
    place = config["clusters"][0]["cluster"]
    del place["certificate-authority"]
    place["insecure-skip-tls-verify"] = True
    x.control.kubeconfig = x.folder / "kubeconfig"
    x.control.kubeconfig.write_text(json.dumps(config), encoding="utf-8")
    for seconds in (3600, -3600):
        x.control.kill()
        x.control.ebb = x.program("control", seconds)
        x.control.start(links=links)
        x.start_stream(f"by{abs(seconds + 1)}")
        x.delete(f"by{abs(seconds + 1)}")
    x.control.kill()
    x.control.ebb = x.program("control", 0)
    x.control.start(links=links)


def main():
    ebb, wanted = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    why = clusters.why_not("api")
    if why:
        print(f"skipped: {why}")
        return 77
    tests = [f for name, f in globals().items() if name.startswith("test_") and (not wanted or name in wanted)]
    failed = 0
    with clusters.Cluster(level="api") as cluster, tempfile.TemporaryDirectory(prefix="ebb-certificates-") as folder:
        prepare(cluster)
        x = Setting(cluster, ebb, pathlib.Path(folder))
        x.control.start()
        cluster.apply(TOPIC.format("t"))
        with ProcessKubelet(cluster, OWN, ebb) as x.kubelet:
            for test in tests:
                begun = time.monotonic()
                try:
                    test(x)
                    print(f"ok {test.__name__} ({time.monotonic() - begun:.1f} s)", flush=True)
                except Exception:  # pylint: disable=broad-except
                    failed += 1
                    traceback.print_exc()
                    print(x.log()[-3000:] + f"\nFAILED {test.__name__}", flush=True)
        x.control.kill()
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
