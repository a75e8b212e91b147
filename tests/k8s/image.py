#!/usr/bin/env python3
"""The image: small, complete, reproducible, not root, with its bill of materials.

    image.py EBB

Ends in `N passed, N failed`.
"""
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
LARGEST = 40_000_000
USER = 10001


class Image:
    def __init__(self, out):
        self.out = out
        subprocess.run([ROOT / "tools" / "image", out], check=True, stdout=subprocess.DEVNULL,
                       env=dict(os.environ, EBB_BINARY=sys.argv[1]))
        with tarfile.open(next(out.glob("ebb-*.tar"))) as tar:
            self.manifest = json.load(tar.extractfile("manifest.json"))[0]
            self.config = json.load(tar.extractfile(self.manifest["Config"]))
            self.layer = tar.extractfile("layer.tar").read()

    def members(self):
        with tarfile.open(fileobj=io.BytesIO(self.layer)) as tar:
            return tar.getmembers()

    def unpack(self, folder):
        with tarfile.open(fileobj=io.BytesIO(self.layer)) as tar:
            tar.extractall(folder)


# What ebb does with libcurl: loads it, and asks a server; here one that is not there.
CURL = r"""
#include <dlfcn.h>
#include <stdio.h>
int main(void) {
  void* curl = dlopen("libcurl.so.4", RTLD_NOW);
  if (!curl) return puts(dlerror()), 1;
  int (*global)(long) = dlsym(curl, "curl_global_init");
  void* (*easy)(void) = dlsym(curl, "curl_easy_init");
  int (*set)(void*, int, ...) = dlsym(curl, "curl_easy_setopt");
  int (*perform)(void*) = dlsym(curl, "curl_easy_perform");
  char* (*version)(void) = dlsym(curl, "curl_version");
  if (global(3)) return 2;
  void* one = easy();
  set(one, 10002, "https://127.0.0.1:1/");
  printf("%d %s\n", perform(one), version());
  return 0;
}
"""


def inside(root, *command):
    """As the image's user, with its files alone."""
    def enter():
        os.chroot(root)
        os.chdir("/tmp")
        os.setgid(USER)
        os.setuid(USER)

    return subprocess.run(command, preexec_fn=enter, capture_output=True, text=True, check=False, timeout=60,
                          env={"PATH": "/usr/bin"})


def check_small(image):
    size = sum(x.size for x in image.members() if x.isfile())
    assert size <= LARGEST, size
    print(f"  {size / 1e6:.1f} MB unpacked")


def check_not_root(image):
    assert image.config["config"]["User"] == f"{USER}:{USER}"
    for member in image.members():
        assert member.uid == 0 and not member.mode & 0o6000, member.name
        assert not member.mode & 0o022 or member.name == "tmp", member.name
    names = {x.name for x in image.members()}
    assert not names & {"bin/sh", "usr/bin/sh", "usr/bin/apt", "usr/bin/dpkg"}


def check_containerfile(image):
    """It says the same of the image as tools/image does."""
    lines = (ROOT / "deployments" / "Containerfile").read_text().split("FROM scratch\n")[1].splitlines()
    said = dict(x.split(" ", 1) for x in lines if x and not x.startswith("COPY"))
    config = image.config["config"]
    assert said["USER"] == config["User"] and json.loads(said["ENTRYPOINT"]) == config["Entrypoint"]
    assert [said["ENV"]] == config["Env"]
    assert {x + "/tcp" for x in said["EXPOSE"].split()} == set(config["ExposedPorts"])


def check_reproducible(image):
    with tempfile.TemporaryDirectory() as folder:
        again = Image(pathlib.Path(folder))
        assert again.manifest == image.manifest
        assert again.layer == image.layer
        for name in ("index.json",):
            assert (again.out / "oci" / name).read_bytes() == (image.out / "oci" / name).read_bytes()


def check_oci_layout(image):
    oci = image.out / "oci"

    def blob(listed):
        content = (oci / "blobs" / "sha256" / listed["digest"].split(":")[1]).read_bytes()
        assert len(content) == listed["size"]
        assert hashlib.sha256(content).hexdigest() == listed["digest"].split(":")[1]
        return content

    assert json.loads((oci / "oci-layout").read_text())["imageLayoutVersion"] == "1.0.0"
    manifest = json.loads(blob(json.loads((oci / "index.json").read_text())["manifests"][0]))
    config = json.loads(blob(manifest["config"]))
    assert config == image.config
    blob(manifest["layers"][0])
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(image.layer).hexdigest()]


def check_bill(image):
    bill = json.loads((image.out / "sbom.spdx.json").read_text())
    assert bill["spdxVersion"] == "SPDX-2.3"
    listed = {x["fileName"][2:]: x["checksums"][1]["checksumValue"] for x in bill["files"]}
    with tarfile.open(fileobj=io.BytesIO(image.layer)) as tar:
        for member in tar.getmembers():
            if member.isfile() and not member.name.endswith("sbom.spdx.json"):
                assert listed.pop(member.name) == hashlib.sha256(tar.extractfile(member).read()).hexdigest(), member.name
    assert not listed, listed
    packages = {x["name"]: x for x in bill["packages"]}
    assert {"libc6", "libssl3", "libcurl4", "libcaf-core0.17", "libpg-query-dev", "nlohmann-json3-dev"} <= set(packages), packages.keys()
    assert all(x["versionInfo"] for x in packages.values())
    known = {x["SPDXID"] for key in ("packages", "files") for x in bill[key]} | {"SPDXRef-DOCUMENT"}
    for relation in bill["relationships"]:
        assert {relation["spdxElementId"], relation["relatedSpdxElement"]} <= known, relation


def check_runs(image):
    if os.geteuid() != 0:
        print("  skipped: running it needs root (chroot)")
        return
    with tempfile.TemporaryDirectory() as folder:
        image.unpack(folder)
        os.chmod(folder, 0o755)
        run = inside(folder, "/usr/bin/ebb", "version")
        assert run.returncode == 0 and run.stdout.startswith("ebb "), run
        loaded = inside(folder, "/lib64/ld-linux-x86-64.so.2", "--list", "/usr/lib/x86_64-linux-gnu/libcurl.so.4")
        assert loaded.returncode == 0 and "not found" not in loaded.stdout, loaded
        subprocess.run(["cc", "-w", "-x", "c", "-", "-o", pathlib.Path(folder) / "tmp" / "curl"], input=CURL, text=True, check=True)
        asked = inside(folder, "/tmp/curl")
        assert asked.returncode == 0 and asked.stdout.startswith("7 libcurl/"), asked  # 7: nobody listens
        example = pathlib.Path(folder) / "tmp" / "flights"
        shutil.copytree(ROOT / "deployments" / "examples" / "flights", example)
        subprocess.run(["chown", "-R", str(USER), example], check=True)
        run = inside(folder, "/usr/bin/ebb", "run", "/tmp/flights/flights.yaml")
        assert run.returncode == 0 and "2013-01-01" in run.stdout + "".join(
            x.read_text() for x in example.iterdir() if x.suffix == ".ndjson"), run


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        image = Image(pathlib.Path(folder))
        for name, check in [x for x in globals().items() if x[0].startswith("check_")]:
            try:
                check(image)
                passed += 1
            except Exception:  # pylint: disable=broad-except
                failed += 1
                print(f"FAILED {name}")
                traceback.print_exc()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
