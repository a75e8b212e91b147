"""Bill of materials: which Debian packages the image's files are of, and which ebb was compiled with (SPDX 2.3)."""
import hashlib
import pathlib
import re
import subprocess

SETUP = pathlib.Path(__file__).resolve().parents[1] / "setup"
TOOLS = {"g++", "meson", "ninja-build", "ccache", "pkg-config", "python3", "capnproto"}


def version_of(package):
    wanted = "${Version}\t${source:Package}\t${source:Version}\t${Homepage}\n"
    text = subprocess.run(["dpkg-query", "-W", "-f", wanted, package], check=True, capture_output=True, text=True).stdout
    return text.splitlines()[0].split("\t")


def compiled_in():
    """Development packages of tools/setup: headers and archives that become part of the binary."""
    listed = re.search(r"^build=\((.*?)\)", SETUP.read_text(encoding="utf-8"), re.S | re.M)[1].split()
    return [x for x in listed if x not in TOOLS]


def package(name):
    version, source, source_version, home = version_of(name)
    return {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name), "name": name, "versionInfo": version,
        "supplier": "Organization: Debian", "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION",
        **({"homepage": home} if home else {}),
        "sourceInfo": f"built from {source} {source_version}",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": f"pkg:deb/debian/{name}@{version}?arch=amd64&distro=debian-12"}]}


def bill(root_fs, version, created):
    """The document as a value for JSON."""
    shipped = sorted(set(root_fs.files.values()) - {""})
    built_with = [x for x in compiled_in() if x not in shipped]
    ebb = {"SPDXID": "SPDXRef-ebb", "name": "ebb", "versionInfo": version, "supplier": "NOASSERTION",
           "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "Apache-2.0",
           "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION", "primaryPackagePurpose": "CONTAINER"}
    packages = [ebb] + [package(x) for x in shipped + built_with]
    by_name = {x["name"]: x["SPDXID"] for x in packages}

    def related(one, kind, other):
        return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}

    relations = [related("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-ebb")]
    relations += [related("SPDXRef-ebb", "CONTAINS", by_name[x]) for x in shipped]
    relations += [related(by_name[x], "BUILD_DEPENDENCY_OF", "SPDXRef-ebb") for x in built_with]
    files = []
    for path, owner in sorted(root_fs.files.items()):
        content = (root_fs.folder / path.lstrip("/")).read_bytes()
        identity = "SPDXRef-File-" + re.sub(r"[^A-Za-z0-9.-]", "-", path.strip("/"))
        files.append({"SPDXID": identity, "fileName": "." + path, "copyrightText": "NOASSERTION",
                      "licenseConcluded": "NOASSERTION", "checksums": [
                          {"algorithm": "SHA1", "checksumValue": hashlib.sha1(content).hexdigest()},
                          {"algorithm": "SHA256", "checksumValue": hashlib.sha256(content).hexdigest()}]})
        relations.append(related(by_name[owner] if owner else "SPDXRef-ebb", "CONTAINS", identity))
    digest = hashlib.sha256("".join(x["checksums"][1]["checksumValue"] for x in files).encode()).hexdigest()
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"ebb-{version}",
            "documentNamespace": f"https://ebb.dev/spdx/ebb-{version}-{digest[:32]}",
            "creationInfo": {"created": created, "creators": ["Tool: ebb-tools-image"]},
            "packages": packages, "files": files, "relationships": relations}
