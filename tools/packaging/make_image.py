#!/usr/bin/env python3
"""make_image.py EBB OUT: the image of a binary; see tools/image. Prints its name, digest and size."""
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import image_files
import sbom
from root_fs import USER, RootFs

LARGEST = 40_000_000  # bytes, unpacked


def version_of(binary):
    text = subprocess.run([binary, "version"], check=True, capture_output=True, text=True).stdout
    return text.split()[1]


def main():
    binary, out = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    version = version_of(binary)
    name = f"ebb:{version}"
    moment = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), datetime.timezone.utc)
    created = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    with tempfile.TemporaryDirectory() as folder:
        root = RootFs(pathlib.Path(folder) / "root")
        root.folder.mkdir()
        root.fill(binary)
        bill = sbom.bill(root, version, created)
        bill_text = json.dumps(bill, indent=1) + "\n"
        root.write("/usr/share/doc/ebb/sbom.spdx.json", bill_text)
        size = root.size()
        layer = image_files.layer_of(root.folder)
        config = image_files.config_of(layer, {
            "User": f"{USER}:{USER}", "Entrypoint": ["/usr/bin/ebb"], "WorkingDir": "/",
            "Env": ["PATH=/usr/bin"],
            "ExposedPorts": {"8181/tcp": {}, "8182/tcp": {}},
            "Labels": {"org.opencontainers.image.title": "ebb", "org.opencontainers.image.version": version,
                       "org.opencontainers.image.licenses": "Apache-2.0"}}, created)
    out.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(out / "oci", ignore_errors=True)
    digest = image_files.write_oci(out / "oci", name, layer, config)
    archive = out / f"ebb-{version}.tar"
    image_files.write_archive(archive, name, layer, config)
    (out / "sbom.spdx.json").write_text(bill_text, encoding="utf-8")
    print(f"{name} {digest}: {size / 1e6:.1f} MB unpacked in {len(root.files)} files, "
          f"{sum(x.stat().st_size for x in (out / 'oci').rglob('*') if x.is_file()) / 1e6:.1f} MB packed; "
          f"{out}/oci, {archive}, {out}/sbom.spdx.json")
    if size > LARGEST:
        print(f"image: {size} bytes, more than {LARGEST}", file=sys.stderr)


if __name__ == "__main__":
    main()
