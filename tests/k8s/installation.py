"""ebb installed on a test cluster, and asked over its Service, as a client in the cluster would."""
import http.client
import json
import os
import pathlib
import ssl
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support" / "cluster"))
import cluster as clusters  # pylint: disable=wrong-import-position

NAMESPACE = "ebb"
WORKERS = "app.kubernetes.io/name=ebb,app.kubernetes.io/component=worker"


def wait_for(condition, seconds=30, what=""):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what or condition}"
        time.sleep(0.1)


class Answer:
    def __init__(self, status, body):
        self.status = status
        self.body = body

    def json(self):
        return json.loads(self.body)

    def lines(self):
        return [json.loads(x) for x in self.body.splitlines()]

    def __repr__(self):
        return f"{self.status} {self.body[:500]!r}"


class Installation:
    def __init__(self, cluster, ebb):
        self.cluster = cluster
        self.ebb = ebb
        self.token = ""
        self.address = None
        self.barred = "", ""  # from when to when a test has taken control's rights away, as audit events have times

    def install(self):
        """What README says: the image to the nodes, one `kubectl apply`."""
        image = self.cluster.folder / "image"
        subprocess.run([ROOT / "tools" / "image", image], check=True, stdout=subprocess.DEVNULL,
                       env=dict(os.environ, EBB_BINARY=str(self.ebb)))
        self.cluster.load_image(next(image.glob("ebb-*.tar")))
        self.cluster.kubectl("apply", "-f", ROOT / "deployments" / "ebb.yaml")
        self.wait_ready(120)
        made = self.cluster.kubectl("exec", "-n", NAMESPACE, "ebb-0", "--", "ebb", "auth", "token", "create", "--data", "/data",
                                    "--role", "operator", "-o", "json").stdout
        self.token = json.loads(made)["token"]
        service = self.cluster.get("service", "ebb", "-n", NAMESPACE)
        self.address = service["spec"]["clusterIP"], 8181
        # A new token holds a second later, and a new Service once kube-proxy has seen it.
        wait_for(self.is_served, 20, "the token is known")

    def is_served(self):
        try:
            return self.ask("GET", "/v1/streams").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def wait_ready(self, seconds=60):
        def ready():
            found = self.cluster.kubectl("get", "pod", "-n", NAMESPACE, "ebb-0", "-o", "json", check=False)
            if found.returncode:
                return False
            status = json.loads(found.stdout)["status"]
            conditions = status.get("conditions", [])
            assert all(x["restartCount"] < 4 for x in status.get("containerStatuses", [])), "control ends again and again"
            return any(x["type"] == "Ready" and x["status"] == "True" for x in conditions)

        wait_for(ready, seconds, "control is ready")

    def said(self):
        """What control and the cluster say, for a failed test."""
        shown = ""
        for words in (("get", "pods", "-n", NAMESPACE, "-o", "wide"), ("get", "streams,topics", "-A", "-o", "wide"),
                      ("get", "events", "-A", "--sort-by", ".lastTimestamp"),
                      ("logs", "-n", NAMESPACE, "ebb-0", "--tail", "40"),
                      ("logs", "-n", NAMESPACE, "-l", WORKERS, "--tail", "20")):
            done = self.cluster.kubectl(*words, check=False)
            shown += f"--- kubectl {' '.join(words)}\n{done.stdout[-6000:]}{done.stderr}"
        return shown

    def ask(self, method, target, body=None, **headers):
        """One request through the Service; again where control is just away."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        named["Authorization"] = "Bearer " + self.token
        if body is not None:
            named.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPSConnection(*self.address, timeout=30, context=context)
        try:
            connection.request(method, target, body, named)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode())
        finally:
            connection.close()

    def send(self, topic, rows, producer, first, seconds=60):
        """Rows as one request of a numbered producer, again until it is acknowledged: so each counts once."""
        body = "".join(json.dumps(x) + "\n" for x in rows)
        target = f"/v1/topics/{topic}/messages"

        def sent():
            try:
                answer = self.ask("POST", target, body, Content_Type="application/x-ndjson",
                                  Ebb_Producer=producer, Ebb_Sequence=str(first))
            except (OSError, http.client.HTTPException):
                return False
            assert answer.status in (200, 429, 503), answer
            return answer.status == 200

        wait_for(sent, seconds, f"messages sent to {topic}")

    def messages(self, topic):
        answer = self.ask("GET", f"/v1/topics/{topic}/messages")
        assert answer.status == 200, answer
        return answer.lines()

    def status(self, name, kind="stream", namespace="default"):
        return self.cluster.get(kind, name, "-n", namespace).get("status", {})

    def why(self, name):
        """The sentences of `ebb why`."""
        answer = self.ask("GET", f"/v1/streams/{name}/why")
        assert answer.status == 200, answer
        return answer.json()["sentences"]

    def events(self, name, kind="Stream", namespace="default"):
        """Reasons of events about an object."""
        return [x["reason"] for x in self.cluster.get("events", "-n", namespace)["items"]
                if (x["involvedObject"]["kind"], x["involvedObject"]["name"]) == (kind, name)]

    def condition(self, name, wanted, kind="stream"):
        found = [x for x in self.status(name, kind).get("conditions", []) if x["type"] == wanted]
        return found[0] if found else {"status": "Unknown", "reason": "", "message": ""}

    def wait_phase(self, name, phase, seconds=120):
        """A run lasts at least 20 times what its wake took, and a pod takes its time on a busy machine."""
        wait_for(lambda: self.status(name).get("phase") == phase, seconds, f"{name} is {phase}")

    def worker_pods(self, stream=""):
        chosen = WORKERS + (f",ebb.dev/stream={stream}" if stream else "")
        return self.cluster.get("pods", "-n", NAMESPACE, "-l", chosen)["items"]

    def processes(self, word):
        """Process ids of `ebb WORD …` in pods of this cluster; where nodes have no cgroup of their own (version 2), of any."""
        found = []
        told_apart = not (pathlib.Path("/sys/fs/cgroup") / "cgroup.controllers").exists()
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    root = os.readlink(entry / "root")
                    in_pod = os.readlink(entry / "ns" / "mnt") != os.readlink("/proc/self/ns/mnt")
                    if told_apart:
                        in_pod = in_pod and self.cluster.folder.name in (entry / "cgroup").read_text(encoding="utf-8")
                except OSError:
                    continue
                if len(words) > 1 and words[0].endswith(b"ebb") and words[1] == word.encode() and root == "/" and in_pod:
                    found.append(int(entry.name))
        return found
