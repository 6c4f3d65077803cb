"""A Ray cluster of small nodes on this machine, and an object store, in a process that obeys lines.

Run as `python ray_nodes.py FOLDER`: the folder's files become objects of the bucket `night`. It prints the
addresses of both, then does what a line says: `lose` kills a node as a power cut would, `add` brings one.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OBJECT_STORE = 100 << 20  # bytes


class Nodes:
    """The process, from outside."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process, self._log = process, log
        told = json.loads(self._line())
        self.address: str = told["address"]
        self.objects: dict[str, str] = told["environment"]  # how a program finds the object store

    def tell(self, line: str) -> None:
        """Have it do something, and wait until it has."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        assert self._line() == "done"

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._log.read_text(encoding="utf-8", errors="replace")
        return line.strip()


@contextmanager
def ray_nodes(folder: Path, environment: dict[str, str]) -> Iterator[Nodes]:
    """Two nodes of one processor each."""
    from processes import running  # not of the program below, which is run apart from the tests

    command = [sys.executable, "-W", "ignore", __file__, str(folder)]
    log = folder.parent / "nodes.log"
    with (
        log.open("wb") as said,
        running(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
        ) as process,
    ):
        yield Nodes(process, log)
        process.communicate("end\n", timeout=60)


def main(folder: Path) -> None:
    """Serve until the input ends."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from moto.server import ThreadedMotoServer
    from ray.cluster_utils import Cluster

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"AWS_ACCESS_KEY_ID": "drawn", "AWS_SECRET_ACCESS_KEY": "drawn"}
    objects = {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1", **keys}
    os.environ.update(objects)  # the nodes' processes inherit them
    _fill(folder)
    size: dict[str, Any] = {"object_store_memory": OBJECT_STORE}
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **size}
    )
    nodes = [cluster.add_node(num_cpus=1, **size) for _ in range(2)]
    _say(json.dumps({"address": cluster.address, "environment": objects}))
    for line in sys.stdin:
        match line.strip():
            case "lose":
                cluster.remove_node(nodes.pop(), allow_graceful=False)
            case "add":
                nodes.append(cluster.add_node(num_cpus=1, **size))
            case _:
                break
        _say("done")
    cluster.shutdown()  # type: ignore[no-untyped-call]
    server.stop()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _fill(folder: Path) -> None:
    import s3fs

    files = s3fs.S3FileSystem()
    files.mkdir("night")
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            files.pipe(f"night/{path.relative_to(folder).as_posix()}", path.read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
