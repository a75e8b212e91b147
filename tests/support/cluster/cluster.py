#!/usr/bin/env python3
"""A real Kubernetes on one machine: etcd, API server, controllers, scheduler, and nodes with containerd.

    cluster.py up [--api] FOLDER    starts one that stays, prints its KUBECONFIG; --api: the API server alone
    cluster.py down FOLDER          ends it

Tests use the class: `with Cluster(level="node") as cluster:`. Nodes need root; `why_not()` says what is missing.
"""
import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import node as nodes
from authority import Authority
from processes import Processes

HERE = pathlib.Path(__file__).resolve().parent
LEVELS = ("api", "control", "node")
# A file for each cluster with nodes, locked while its process lives: what a killed one left is found by it.
LOCKS = pathlib.Path("/run/lock/ebb-test-clusters")
CLONE_NEWNET = 0x40000000
API_PROGRAMS = ("etcd", "openssl")
NODE_PROGRAMS = ("containerd", "ctr", "runc", "ip", "iptables", "nft", "conntrack", "cc")
SERVICES, FIRST_SERVICE, GATEWAY = "10.96.0.0/16", "10.96.0.1", "10.244.0.1"


def why_not(level="node"):
    """Why no cluster can be started on this machine, or None."""
    if level == "node" and os.geteuid() != 0:
        return "a node needs root"
    wanted = API_PROGRAMS + (NODE_PROGRAMS if level == "node" else ())
    missing = [x for x in wanted if shutil.which(x, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None]
    if level == "node" and not pathlib.Path("/usr/lib/cni/bridge").exists():
        missing.append("/usr/lib/cni/bridge")
    if missing:
        return f"{', '.join(missing)} missing: run tools/setup --test as root"
    if subprocess.run([HERE / "build", "--is-there"], check=False).returncode:
        return f"Kubernetes is not built: run tools/setup --test, or {HERE.relative_to(HERE.parents[2])}/build"
    return None


def built():
    """The folder of the Kubernetes programs; builds them where they are not there yet (minutes)."""
    return pathlib.Path(subprocess.run([HERE / "build"], check=True, text=True, stdout=subprocess.PIPE).stdout.strip())


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cluster:
    """Level `api`: etcd and the API server. `control`: with the controllers and the scheduler. `node`: with
    kube-proxy and `node_count` nodes, in a network of its own, which this process enters for good; any number at once.
    One that stays (`tied` is false) has the machine's network, so that people reach it: one of these at a time."""

    def __init__(self, level="node", folder=None, node_count=1, tied=True, volume_megabytes=None, audit_all=False):
        assert level in LEVELS, level
        self.level = level
        self.programs = built()
        self.temporary = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="ebb-cluster-")).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.kubeconfig = self.folder / "kubeconfig"
        self.node_count = node_count
        self.tied = tied
        self.volume_megabytes = volume_megabytes  # of memory; None = a folder
        self.audit_all = audit_all
        self.nodes = []
        self.lock = None
        self.processes = Processes(self.folder, tied)
        self.authority = None
        self.port = 16443 if level == "node" else free_port()
        self.etcd_ports = (free_port(), free_port())

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))  # by way of __exit__
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def server(self):
        return f"https://127.0.0.1:{self.port}"

    def start(self):
        if self.level == "node":
            self.take_machine()
            nodes.add_bridge("ebb0", GATEWAY)
            pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")
        self.make_keys()
        self.start_etcd()
        self.start_api_server()
        if self.level == "api":
            return
        self.start_controllers()
        self.processes.wait_for("default service account", lambda: self.kubectl(
            "get", "serviceaccount", "default", check=False).returncode == 0)
        self.apply({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
                    "metadata": {"name": "standard",
                                 "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
                    "provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer"})
        if self.level == "node":
            for index in range(self.node_count):
                self.add_node(index)
            self.start_proxy()

    def stop(self):
        """Ends every process, mount and bridge; removes the folder if it was made for this cluster."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            end(self.folder, self.level == "node")
            if self.temporary and "EBB_KEEP_CLUSTER" not in os.environ:
                shutil.rmtree(self.folder, ignore_errors=True)
        finally:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
            if self.lock is not None:
                pathlib.Path(self.lock.name).unlink(missing_ok=True)
                self.lock.close()
                self.lock = None

    def take_machine(self):
        """Ends what killed tests may have left behind, then takes a network: bridges, ports, rules of kube-proxy."""
        LOCKS.mkdir(exist_ok=True)
        for path in LOCKS.iterdir():
            with open(path, "r+", encoding="utf-8") as file, contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                folder = pathlib.Path(file.read())
                stays = (folder / "stays").exists()
                if stays and not self.tied:
                    raise RuntimeError(f"a cluster is running in {folder}; end it: {HERE}/cluster.py down {folder}")
                if not stays and file.name.endswith(folder.name):
                    end(folder, True)
                    path.unlink()
        # pylint: disable=consider-using-with
        self.lock = open(LOCKS / self.folder.name, "w", encoding="utf-8")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.lock.write(str(self.folder))
        self.lock.flush()
        if self.tied:
            enter_network()
        else:
            (self.folder / "stays").touch()

    def make_keys(self):
        self.authority = Authority(self.folder / "pki")
        addresses = ["IP:127.0.0.1", f"IP:{FIRST_SERVICE}", f"IP:{GATEWAY}"]
        names = ["DNS:localhost", "DNS:kubernetes", "DNS:kubernetes.default", "DNS:kubernetes.default.svc"]
        self.authority.sign("server", "/CN=kube-apiserver", ["subjectAltName=" + ",".join(addresses + names)])
        self.authority.sign("admin", "/O=system:masters/CN=admin", ["extendedKeyUsage=clientAuth"])
        self.authority.token_key("tokens.key")
        pki = self.authority.folder
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.server,
                                                      "certificate-authority": str(pki / "ca.crt")}}],
            "users": [{"name": "admin", "user": {"client-certificate": str(pki / "admin.crt"),
                                                 "client-key": str(pki / "admin.key")}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        }), encoding="utf-8")

    def start_etcd(self):
        client, peer = (f"http://127.0.0.1:{x}" for x in self.etcd_ports)
        self.processes.start(
            "etcd", "etcd", "--data-dir", self.folder / "etcd", "--listen-client-urls", client,
            "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", f"default={peer}", "--unsafe-no-fsync")

    def start_second_api_server(self):
        """On the same etcd, as `apiserver-2`; returns its port at 127.0.0.1."""
        port = free_port()
        self.run_api_server("apiserver-2", port, "--bind-address", "127.0.0.1", "--advertise-address", GATEWAY,
                            "--endpoint-reconciler-type", "none")
        self.processes.wait_for("second API server", lambda: self.kubectl(
            "--server", f"https://127.0.0.1:{port}", "get", "--raw", "/readyz", check=False).returncode == 0)
        return port

    def start_api_server(self):
        """Also after `processes.stop("apiserver")`."""
        place = ["--bind-address", "0.0.0.0", "--advertise-address", GATEWAY] if self.level == "node" else \
            ["--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--endpoint-reconciler-type", "none"]
        self.run_api_server("apiserver", self.port, *place)
        self.processes.wait_for("API server", lambda: self.kubectl("get", "--raw", "/readyz", check=False).returncode == 0)

    def run_api_server(self, name, port, *place):
        pki = self.authority.folder
        self.processes.start(
            name, self.programs / "kube-apiserver", "--etcd-servers", f"http://127.0.0.1:{self.etcd_ports[0]}",
            "--secure-port", port, *place, "--tls-cert-file", pki / "server.crt",
            "--tls-private-key-file", pki / "server.key", "--client-ca-file", pki / "ca.crt",
            "--service-account-issuer", "https://kubernetes.default.svc",
            "--service-account-key-file", pki / "tokens.key", "--service-account-signing-key-file", pki / "tokens.key",
            "--service-cluster-ip-range", SERVICES, "--authorization-mode", "Node,RBAC", "--allow-privileged",
            "--kubelet-client-certificate", pki / "admin.crt", "--kubelet-client-key", pki / "admin.key",
            "--kubelet-preferred-address-types", "InternalIP,Hostname",
            "--audit-policy-file", self.audit_policy(), "--audit-log-path", self.folder / "log" / "audit.jsonl")

    def audit_policy(self):
        """Every request but for reads by the cluster's own parts: who used which verb, for tests of RBAC and rates."""
        path = self.folder / "audit.json"
        path.write_text(json.dumps({
            "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
            "rules": [{"level": "Metadata"}] if self.audit_all else [
                      {"level": "None", "userGroups": ["system:masters", "system:nodes"]},
                      {"level": "None", "users": ["system:apiserver"]},
                      {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
                      {"level": "Metadata"}]}), encoding="utf-8")
        return path

    def start_controllers(self):
        self.processes.start(
            "controller-manager", self.programs / "kube-controller-manager", "--kubeconfig", self.kubeconfig,
            "--leader-elect=false", "--use-service-account-credentials", "--service-account-private-key-file",
            self.authority.folder / "tokens.key", "--root-ca-file", self.authority.folder / "ca.crt",
            "--bind-address", "127.0.0.1", "--secure-port", 10257 if self.level == "node" else free_port())
        self.processes.start(
            "scheduler", self.programs / "kube-scheduler", "--kubeconfig", self.kubeconfig, "--leader-elect=false",
            "--bind-address", "127.0.0.1", "--secure-port", 10259 if self.level == "node" else free_port())

    def start_proxy(self):
        self.processes.start(
            "proxy", self.programs / "kube-proxy", "--kubeconfig", self.kubeconfig, "--proxy-mode", "nftables",
            "--hostname-override", "node-0", "--cluster-cidr", "10.244.0.0/16", "--bind-address", "127.0.0.1",
            "--healthz-bind-address", "127.0.0.1:10256", "--metrics-bind-address", "127.0.0.1:10249",
            "--conntrack-max-per-core", 0)

    def add_node(self, index):
        added = nodes.Node(self, index)
        self.nodes.append(added)
        added.start()
        return added

    def load_image(self, path):
        for each in self.nodes:
            each.load_image(path)

    def kubectl(self, *arguments, check=True, text=None, timeout=120):
        """Runs kubectl; `text` is its standard input. An error says what it said."""
        done = subprocess.run([str(self.programs / "kubectl"), *map(str, arguments)], check=False, text=True,
                              input=text, capture_output=True, timeout=timeout,
                              env=dict(os.environ, KUBECONFIG=str(self.kubeconfig), HOME=str(self.folder)))
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done

    def get(self, *arguments):
        return json.loads(self.kubectl("get", *arguments, "-o", "json").stdout)

    def apply(self, manifest):
        text = manifest if isinstance(manifest, str) else json.dumps(manifest)
        return self.kubectl("apply", "-f", "-", text=text).stdout

    def requests(self):
        """What the API server was asked, oldest first, by others than the cluster's own parts: audit events."""
        path = self.folder / "log" / "audit.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(x) for x in lines]


def enter_network():
    """This thread, and all that it starts from now on, get a network with nothing in it; once is enough."""
    if getattr(enter_network, "done", False):
        return
    assert threading.active_count() == 1, "threads that run already would stay in the old network"
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "cannot make a network")
    # Addresses of Services need a way out, of which they are taken by rules of kube-proxy.
    for words in ("link set lo up", "link add ebb-out type bridge", "addr add 10.255.0.2/24 dev ebb-out",
                  "link set ebb-out up", "route add default dev ebb-out"):
        subprocess.run(["ip", *words.split()], check=True)
    enter_network.done = True


def end(folder, has_nodes):
    """Ends the cluster of a folder, whoever started it."""
    processes = Processes(folder)
    processes.stop("proxy")
    for name in processes.names("kubelet-"):
        processes.stop(name)
    for path in folder.glob("nodes/*/run/containerd.sock"):
        with contextlib.suppress(subprocess.TimeoutExpired):
            end_containers(path)
    end_shims(folder)
    for name in [*processes.names("containerd-"), "scheduler", "controller-manager", *processes.names("apiserver"), "etcd"]:
        processes.stop(name)
    if not has_nodes:
        return
    nodes.remove_cgroups(folder)
    if (folder / "stays").exists():
        nodes.remove_bridges()
        for table in (("ip", "kube-proxy"), ("ip6", "kube-proxy")):
            subprocess.run(["nft", "delete", "table", *table], check=False, capture_output=True)
    mounts = pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    for at in sorted((x.split()[1] for x in mounts if f" {folder}/" in x), reverse=True):
        subprocess.run(["umount", "-l", at], check=False, capture_output=True)


def end_containers(path):
    ctr = ["ctr", "-a", str(path), "-n", "k8s.io"]
    for task in subprocess.run([*ctr, "tasks", "ls", "-q"], check=False, capture_output=True, text=True,
                               timeout=20).stdout.split():
        subprocess.run([*ctr, "tasks", "rm", "-f", task], check=False, capture_output=True, timeout=20)


def end_shims(folder):
    """What a containerd that was killed has left: what watches containers, and the containers' processes."""
    shims = set()
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            if words.startswith(b"/usr/bin/containerd-shim") and os.fsencode(f"{folder}/") in words:
                shims.add(int(entry.name))
    for pid in sorted(shims | nodes.below(shims)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def main():
    words = sys.argv[1:]
    if len(words) == 2 and words[0] == "down":
        folder = pathlib.Path(words[1]).resolve()
        end(folder, (folder / "stays").exists())
        (folder / "stays").unlink(missing_ok=True)
        (LOCKS / folder.name).unlink(missing_ok=True)
    elif words[:1] == ["up"] and len(words) == (3 if "--api" in words else 2):
        level = "api" if "--api" in words else "node"
        problem = why_not(level)
        if problem:
            sys.exit(f"cluster: {problem}")
        cluster = Cluster(level, folder=words[-1], tied=False)
        try:
            cluster.start()
        except BaseException:
            cluster.stop()
            raise
        print(f"export KUBECONFIG={cluster.kubeconfig}\nexport PATH={cluster.programs}:$PATH")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
