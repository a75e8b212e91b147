#!/usr/bin/env python3
"""The model of an API server that the simulation uses, against a real one: 500 random sequences of calls, the same answers.

    model_check.py MODEL_CHECK [SEQUENCES [FIRST_SEED]]
"""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support" / "cluster"))
import cluster as clusters  # noqa: E402  pylint: disable=wrong-import-position


def main():
    problem = clusters.why_not("api")
    if problem:
        print(f"skipped: {problem}")
        return 77
    with clusters.Cluster("api") as cluster:
        cluster.kubectl("apply", "-f", HERE.parents[1] / "deployments" / "crds")
        cluster.kubectl("create", "serviceaccount", "default")
        cluster.kubectl("wait", "--for=condition=Established", "crd/streams.ebb.dev", "crd/topics.ebb.dev")
        code = subprocess.run([sys.argv[1], cluster.kubeconfig, *sys.argv[2:]], check=False).returncode
    print("1 passed, 0 failed" if code == 0 else "0 passed, 1 failed")
    return code


if __name__ == "__main__":
    sys.exit(main())
