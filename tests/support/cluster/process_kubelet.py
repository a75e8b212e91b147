"""Runs pods of a test as processes of this machine: for a cluster without nodes, so without root and quickly.

One container a pod, its arguments given to a program; SIGTERM when the pod is deleted, SIGKILL after its grace. Secrets and empty
folders are folders of this machine, and arguments that name their mounts name these.
"""
import base64
import contextlib
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

from api_client import ApiClient


class ProcessKubelet:
    """`with ProcessKubelet(cluster, namespace, program):` looks after the namespace's pods."""

    def __init__(self, cluster, namespace, program):
        self.cluster = cluster
        self.namespace = namespace
        self.path = f"/api/v1/namespaces/{namespace}/pods"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ebb-pods-"))
        self.program = program
        self.log = open(cluster.folder / "log" / "pods.log", "ab")  # pylint: disable=consider-using-with
        self.running = {}  # by uid: name, process, when it is killed
        self.started = 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.api = ApiClient(cluster)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()
        for _, process, _ in self.running.values():
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def loop(self):
        while not self.stopped.wait(0.1):
            with contextlib.suppress(KeyError):
                self.look()

    def look(self):
        for pod in self.api.call("GET", self.path)["items"]:
            uid, name = pod["metadata"]["uid"], pod["metadata"]["name"]
            known = self.running.get(uid)
            if known is None:
                if "deletionTimestamp" in pod["metadata"]:
                    self.remove(uid, name)
                elif pod["status"].get("phase") == "Pending":
                    self.start(pod)
            elif known[1].poll() is not None:
                self.ended(uid, *known)
            elif "deletionTimestamp" in pod["metadata"]:
                if known[2] is None:
                    known[1].terminate()
                    self.running[uid] = name, known[1], time.monotonic() + pod["metadata"]["deletionGracePeriodSeconds"]
                elif time.monotonic() > known[2]:
                    known[1].kill()

    def start(self, pod):
        uid, name = pod["metadata"]["uid"], pod["metadata"]["name"]
        arguments = self.mounted(pod)
        if arguments is None:
            return  # a secret is not there yet: the next look
        # pylint: disable=consider-using-with
        self.running[uid] = name, subprocess.Popen([self.program, *arguments], stdin=subprocess.DEVNULL, stdout=self.log,
                                                   stderr=self.log), None
        self.started += 1
        self.tell(name, "Running", {"running": {}})

    def mounted(self, pod):
        """The container's arguments, with folders of this machine for its mounts; None where a secret is missing."""
        volumes = {x["name"]: x for x in pod["spec"].get("volumes", [])}
        container = pod["spec"]["containers"][0]
        arguments = container["args"]
        for mount in container.get("volumeMounts", []):
            volume = volumes[mount["name"]]
            if "secret" not in volume and "emptyDir" not in volume:
                continue
            at = self.folder / pod["metadata"]["uid"] / mount["name"]
            at.mkdir(parents=True, exist_ok=True)
            if "secret" in volume:
                secret = self.api.call("GET", f"/api/v1/namespaces/{self.namespace}/secrets/{volume['secret']['secretName']}")
                if "data" not in secret:
                    return None
                for file, text in secret["data"].items():
                    (at / file).write_bytes(base64.b64decode(text))
                    (at / file).chmod(0o600)
            arguments = [str(at) + x[len(mount["mountPath"]):] if x == mount["mountPath"] or x.startswith(mount["mountPath"] + "/")
                         else x for x in arguments]
        return arguments

    def tell(self, name, phase, state):
        container = {"name": "worker", "image": "", "imageID": "", "ready": phase == "Running", "restartCount": 0, "state": state}
        self.api.call("PATCH", f"{self.path}/{name}/status", {"status": {"phase": phase, "containerStatuses": [container]}},
                  "application/merge-patch+json")

    def ended(self, uid, name, process, deleting):
        code = process.returncode
        del self.running[uid]
        shutil.rmtree(self.folder / uid, ignore_errors=True)
        if deleting is not None:
            self.remove(uid, name)
            return
        self.tell(name, "Succeeded" if code == 0 else "Failed", {"terminated": {
            "exitCode": code if code >= 0 else 128 - code, "reason": "Completed" if code == 0 else "Error"}})

    def remove(self, uid, name):
        self.api.call("DELETE", f"{self.path}/{name}", {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}})
