"""A certificate authority for one test cluster, by openssl."""
import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


class Authority:
    """Keys and certificates under `folder`: ca.crt, ca.key, and a pair for each name signed."""

    CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "ca.crt").exists():
            openssl("req", "-x509", *self.CURVE, "-days", 30, "-subj", "/CN=test-authority",
                    "-keyout", folder / "ca.key", "-out", folder / "ca.crt")

    def sign(self, name, subject, extensions):
        """Makes NAME.crt and NAME.key; `extensions` are lines of openssl's configuration."""
        key, request, out = (self.folder / f"{name}.{x}" for x in ("key", "csr", "crt"))
        if out.exists():
            return
        wanted = self.folder / f"{name}.ext"
        wanted.write_text("\n".join(extensions) + "\n", encoding="ascii")
        openssl("req", *self.CURVE, "-subj", subject, "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.folder / "ca.crt", "-CAkey",
                self.folder / "ca.key", "-CAcreateserial", "-days", 30, "-out", out, "-extfile", wanted)

    def token_key(self, name):
        """An RSA key, with which the API server signs tokens of service accounts."""
        if not (self.folder / name).exists():
            openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out",
                    self.folder / name)
