"""One node of a test cluster: containerd, kubelet and a pod network of its own, 10.244.INDEX.0/24."""
import contextlib
import json
import os
import pathlib
import subprocess

import archive

HERE = pathlib.Path(__file__).resolve().parent
PAUSE = "localhost/pause:1"
VOLUMES = 3  # a node; the default storage class binds claims to them
CGROUPS = pathlib.Path("/sys/fs/cgroup")

CONTAINERD = """version = 2
root = "{home}/containerd"
state = "{home}/run/containerd"
[grpc]
  address = "{home}/run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{home}/cni"
"""


def run(*command):
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)


class Node:
    """Started by Cluster.add_node; `name` is its name in the cluster."""

    def __init__(self, cluster, index):
        self.cluster = cluster
        self.index = index
        self.name = f"node-{index}"
        self.home = cluster.folder / "nodes" / self.name
        self.gateway = f"10.244.{index}.1"
        self.bridge = f"ebb{index}"
        self.socket = self.home / "run" / "containerd.sock"
        self.cgroup = f"{cluster.folder.name}-{self.name}"

    def ctr(self, *arguments):
        done = subprocess.run(["ctr", "-a", str(self.socket), "-n", "k8s.io", *map(str, arguments)], check=False,
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"ctr {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def load_image(self, path):
        """Pods may use it with imagePullPolicy: Never (or IfNotPresent)."""
        self.ctr("images", "import", path)

    def start(self):
        for folder in ("kubelet", "containerd", "cni", "run", "podlogs"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        add_bridge(self.bridge, self.gateway)
        self.cluster.authority.sign(self.name, f"/O=system:masters/CN={self.name}", [
            "extendedKeyUsage=clientAuth,serverAuth", f"subjectAltName=IP:{self.gateway},DNS:{self.name}"])
        self.start_containerd()
        self.make_cgroups()
        self.start_kubelet()
        self.cluster.processes.wait_for(f"{self.name} ready", self.is_ready, 90)
        self.add_volumes()

    def is_ready(self):
        found = self.cluster.kubectl("get", "node", self.name, "-o", "json", check=False)
        if found.returncode:
            return False
        conditions = json.loads(found.stdout)["status"].get("conditions", [])
        return any(x["type"] == "Ready" and x["status"] == "True" for x in conditions)

    def start_containerd(self):
        network = {
            "cniVersion": "0.4.0", "name": "pods", "plugins": [
                {"type": "bridge", "bridge": self.bridge, "isGateway": True, "ipMasq": False, "hairpinMode": True,
                 "ipam": {"type": "host-local", "dataDir": str(self.home / "ipam"),
                          "ranges": [[{"subnet": f"10.244.{self.index}.0/24"}]],
                          "routes": [{"dst": "0.0.0.0/0"}]}},
                {"type": "portmap", "capabilities": {"portMappings": True}}]}
        (self.home / "cni" / "10-bridge.conflist").write_text(json.dumps(network), encoding="utf-8")
        (self.home / "containerd.toml").write_text(CONTAINERD.format(home=self.home, pause=PAUSE), encoding="utf-8")
        processes = self.cluster.processes
        processes.start(f"containerd-{self.index}", "containerd", "--config", self.home / "containerd.toml")

        def answers():
            return subprocess.run(["ctr", "-a", str(self.socket), "version"], check=False, capture_output=True).returncode == 0

        processes.wait_for("containerd", answers, 30)
        image = self.cluster.folder / "pause.tar"
        if not image.exists():
            root = self.cluster.folder / "pause"
            root.mkdir()
            run("cc", "-O2", "-static", "-o", root / "pause", HERE / "pause.c")
            archive.pack(root, PAUSE, ["/pause"], image)
        self.load_image(image)

    def make_cgroups(self):
        """Version 1 of cgroups: one folder a controller; a new cpuset is empty until told otherwise."""
        if (CGROUPS / "cgroup.controllers").exists():
            return
        for controller in CGROUPS.iterdir():
            if controller.is_dir():
                (controller / self.cgroup).mkdir(exist_ok=True)
        mine = CGROUPS / "cpuset" / self.cgroup
        for file in ("cpuset.cpus", "cpuset.mems"):
            if (mine / file).exists():
                (mine / file).write_text((CGROUPS / "cpuset" / file).read_text(encoding="ascii"), encoding="ascii")

    def start_kubelet(self):
        pki = self.cluster.authority.folder
        (self.home / "resolv.conf").touch()
        settings = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                               "x509": {"clientCAFile": str(pki / "ca.crt")}},
            "authorization": {"mode": "Webhook"},
            "port": 10250 + 100 * self.index, "healthzPort": 10248 + 100 * self.index,
            "cgroupDriver": "cgroupfs", "failCgroupV1": False, "failSwapOn": False,
            "containerRuntimeEndpoint": f"unix://{self.socket}", "resolvConf": str(self.home / "resolv.conf"),
            "tlsCertFile": str(pki / f"{self.name}.crt"), "tlsPrivateKeyFile": str(pki / f"{self.name}.key"),
            "enforceNodeAllocatable": [], "imageGCHighThresholdPercent": 100,
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "podLogsDir": str(self.home / "podlogs")}
        if not (CGROUPS / "cgroup.controllers").exists():
            settings["cgroupRoot"] = f"/{self.cgroup}"
        (self.home / "kubelet.yaml").write_text(json.dumps(settings), encoding="utf-8")
        self.cluster.processes.start(
            f"kubelet-{self.index}", self.cluster.programs / "kubelet", "--config", self.home / "kubelet.yaml",
            "--kubeconfig", self.cluster.kubeconfig, "--root-dir", self.home / "kubelet",
            "--hostname-override", self.name, "--node-ip", self.gateway)

    def add_volumes(self):
        items = []
        for number in range(VOLUMES):
            folder = self.home / "volumes" / str(number)
            folder.mkdir(parents=True, exist_ok=True)
            if self.cluster.volume_megabytes:
                run("mount", "-t", "tmpfs", "-o", f"size={self.cluster.volume_megabytes}m", "tmpfs", folder)
            folder.chmod(0o777)
            items.append({
                "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"{self.name}-{number}"},
                "spec": {"capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"],
                         "storageClassName": "standard", "persistentVolumeReclaimPolicy": "Delete",
                         "local": {"path": str(folder)},
                         "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                             {"key": "kubernetes.io/hostname", "operator": "In", "values": [self.name]}]}]}}}})
        self.cluster.apply({"apiVersion": "v1", "kind": "List", "items": items})


def add_bridge(name, address):
    if subprocess.run(["ip", "link", "show", name], check=False, capture_output=True).returncode:
        run("ip", "link", "add", name, "type", "bridge")
    run("ip", "addr", "replace", f"{address}/24", "dev", name)
    run("ip", "link", "set", name, "up")


def below(pids):
    """Process ids of all that the processes have started, and that these have."""
    parents = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    found = set(pids)
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return found - set(pids)
        found |= more


def remove_cgroups(folder):
    """Of the cluster's nodes, the innermost first; those in which something still runs stay."""
    for controller in CGROUPS.iterdir():
        for top in controller.glob(f"{folder.name}-node-*"):
            for path, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(path)


def remove_bridges():
    """Only those that nodes of test clusters have: ebb0 to ebb9."""
    for index in range(10):
        subprocess.run(["ip", "link", "del", f"ebb{index}"], check=False, capture_output=True)
