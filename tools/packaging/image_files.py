"""A folder as an image: one layer, an OCI layout and a Docker archive; equal inputs give equal bytes."""
import gzip
import hashlib
import io
import json
import tarfile


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def layer_of(root):
    """The layer, uncompressed. Root owns everything, so that the image's user can change nothing."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(root.rglob("*")):
            member = tar.gettarinfo(path, path.relative_to(root).as_posix())
            member.uid = member.gid = member.mtime = 0
            member.uname = member.gname = ""
            if path.is_file():
                with open(path, "rb") as content:
                    tar.addfile(member, content)
            else:
                tar.addfile(member)
    return out.getvalue()


def config_of(layer, settings, created):
    return json.dumps({
        "architecture": "amd64", "os": "linux", "created": created, "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
        "history": [{"created": created, "created_by": "tools/image"}]}, sort_keys=True).encode()


def write_oci(folder, name, layer, config):
    """An OCI image layout; returns the digest of its manifest."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(content, kind, **more):
        (blobs / digest(content)[7:]).write_bytes(content)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest(content), "size": len(content), **more}

    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(config, "config.v1+json"),
        "layers": [blob(gzip.compress(layer, 6, mtime=0), "layer.v1.tar+gzip")]}, sort_keys=True).encode()
    listed = blob(manifest, "manifest.v1+json", platform={"architecture": "amd64", "os": "linux"},
                  annotations={"org.opencontainers.image.ref.name": name})
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}', encoding="ascii")
    (folder / "index.json").write_text(json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [listed]}), encoding="ascii")
    return digest(manifest)


def write_archive(path, name, layer, config):
    """What `docker load` and `ctr images import` read."""
    config_name = digest(config)[7:] + ".json"
    listed = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(path, "w") as tar:
        for entry, content in ((config_name, config), ("layer.tar", layer), ("manifest.json", listed)):
            member = tarfile.TarInfo(entry)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
