"""A PostgreSQL of its own on loopback, in a directory that goes away with it."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/process"))
from harness import free_port, wait_until  # noqa: E402


class Postgres:
    """PostgreSQL refuses to run as root."""

    def __init__(self):
        versions = sorted(Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name))
        self.bin = versions[-1] / "bin"
        self.directory = Path(tempfile.mkdtemp(dir="/var/tmp"))
        self.user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        if self.user:
            shutil.chown(self.directory, "postgres", "postgres")
        data = self.directory / "data"
        self.run("initdb", "-D", data, "-A", "trust", "-U", "bench", "--no-sync")
        self.port = free_port()
        self.process = subprocess.Popen(
            [self.bin / "postgres", "-D", data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
             "-c", f"unix_socket_directories={self.directory}", "-c", "shared_buffers=256MB"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.directory, **self.user)
        wait_until(self.is_ready, "PostgreSQL to be ready")

    def run(self, name, *arguments):
        subprocess.run([self.bin / name, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=self.directory,
                       **self.user)

    def is_ready(self):
        return subprocess.run([self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                              check=False).returncode == 0

    @property
    def url(self):
        return f"postgresql://bench@127.0.0.1:{self.port}/postgres"

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.directory)
