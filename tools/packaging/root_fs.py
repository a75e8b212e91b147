"""The files of the image: ebb, the libraries that it loads, accounts, licences. Nothing else: no shell, no package manager."""
import functools
import pathlib
import re
import shutil
import subprocess

import stand_ins

USER = 10001
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
LOADER = "/lib64/ld-linux-x86-64.so.2"


def needed(path):
    """name -> path of every shared library that a program or library loads, by the loader itself."""
    text = subprocess.run(["ldd", str(path)], check=True, capture_output=True, text=True).stdout
    return {name: pathlib.Path(found) for name, found in re.findall(r"^\s*(\S+) => (/\S+)", text, re.M)}


def curl():
    text = subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True).stdout
    return pathlib.Path(re.search(r"libcurl\.so\.4 .*x86-64.*=> (\S+)", text)[1])


@functools.lru_cache(maxsize=None)
def owners():
    """Path of each file -> the Debian package that it is of."""
    out = {}
    for path in pathlib.Path("/var/lib/dpkg/info").glob("*.list"):
        package = path.stem.split(":")[0]
        for line in path.read_text(encoding="utf-8").splitlines():
            if "/lib" in line:
                out[line] = package
    return out


def package_of(path):
    real = str(path.resolve())
    for name in (str(path), real, real.removeprefix("/usr"), "/usr" + real):
        if name in owners():
            return owners()[name]
    raise SystemExit(f"image: no package has {path}")


class RootFs:
    def __init__(self, folder):
        self.folder = folder
        self.files = {}     # path in the image -> Debian package, "" for ebb's own
        self.replaced = {}  # library -> why

    def add(self, source, target, package, mode=0o755):
        at = self.folder / target.lstrip("/")
        at.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, at)
        at.chmod(mode)
        self.files[target] = package

    def write(self, target, text):
        at = self.folder / target.lstrip("/")
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text, encoding="utf-8")
        self.files[target] = ""

    def fill(self, binary):
        self.add(binary, "/usr/bin/ebb", "")
        subprocess.run(["strip", str(self.folder / "usr/bin/ebb")], check=True)
        self.add(pathlib.Path(LOADER).resolve(), LOADER, package_of(pathlib.Path(LOADER)))
        for name, path in needed(binary).items():
            self.library(name, path)
        self.add_curl()
        self.write("/etc/passwd", f"ebb:x:{USER}:{USER}::/:/usr/bin/ebb\n")
        self.write("/etc/group", f"ebb:x:{USER}:\n")
        for folder in ("tmp", "data", "files"):
            (self.folder / folder).mkdir()
        (self.folder / "tmp").chmod(0o1777)
        for package in sorted(set(self.files.values()) - {""}):
            self.add(f"/usr/share/doc/{package}/copyright", f"/usr/share/doc/{package}/copyright", package, 0o644)
        self.add(pathlib.Path(__file__).resolve().parents[2] / "LICENSE", "/usr/share/doc/ebb/copyright", "", 0o644)

    def library(self, name, path):
        target = f"{LIBRARIES}/{name}"
        if target not in self.files:
            self.add(path.resolve(), target, package_of(path))

    def add_curl(self):
        """libcurl is loaded when a cluster is first spoken to. What only its other protocols use is replaced."""
        path = curl()
        self.library("libcurl.so.4", path)
        everything = needed(path)
        wanted = [line for line in subprocess.run(["readelf", "-d", str(path)], check=True, capture_output=True,
                                                  text=True).stdout.splitlines() if "(NEEDED)" in line]
        direct = [re.search(r"\[(.*)\]", line)[1] for line in wanted]
        for name in direct:
            if name in stand_ins.UNUSED:
                at = self.folder / LIBRARIES.lstrip("/") / name
                stand_ins.make(path, everything[name], at)
                at.chmod(0o755)
                self.files[f"{LIBRARIES}/{name}"] = ""
                self.replaced[name] = package_of(everything[name])
                continue
            self.library(name, everything[name])
            for inner, found in needed(everything[name]).items():
                self.library(inner, found)

    def size(self):
        return sum(x.stat().st_size for x in self.folder.rglob("*") if x.is_file())
