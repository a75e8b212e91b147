"""A PostgreSQL 15 server of one's own: started on a socket in a temporary folder, gone afterwards."""
import os
import pwd
import shutil
import subprocess
import sys
import tempfile

import psycopg2

BINARIES = "/usr/lib/postgresql/15/bin"


class Postgres:
    """Use as a context manager; `connect()` gives a psycopg2 connection in autocommit mode."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="ebb-postgres-")
        # The server refuses to run as root.
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)

    def _run(self, *command):
        keep = {}
        if self.user:
            keep = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **keep)

    def __enter__(self):
        data = os.path.join(self.folder, "data")
        self._run(f"{BINARIES}/initdb", "-D", data, "-U", "ebb", "-A", "trust", "--no-sync",
                  "-E", "UTF8", "--lc-collate=C", "--lc-ctype=C.UTF-8")
        options = (f"-k {self.folder} -c listen_addresses='' -c fsync=off -c timezone=UTC "
                   "-c datestyle='ISO, MDY' -c intervalstyle=postgres -c jit=off -c shared_buffers=64MB -c log_min_messages=panic")
        self._run(f"{BINARIES}/pg_ctl", "-D", data, "-w", "-l", os.path.join(self.folder, "log"),
                  "-o", options, "start")
        return self

    def __exit__(self, *_):
        self._run(f"{BINARIES}/pg_ctl", "-D", os.path.join(self.folder, "data"), "-m", "immediate",
                  "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self):
        connection = psycopg2.connect(host=self.folder, user="ebb", dbname="postgres")
        connection.autocommit = True
        return connection


def run(main):
    """A program's end: `main`'s exit code, or what the server says against it."""
    try:
        sys.exit(main())
    except psycopg2.Error as problem:
        print(f"PostgreSQL: {problem}", file=sys.stderr)
        sys.exit(1)
