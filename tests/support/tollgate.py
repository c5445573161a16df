"""A running gateway for the suites, the command line beside it, and virtual environments with pinned packages."""

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = Path(os.environ.get("TOLLGATE_BINARY", ROOT / "target/release/tollgate"))
START_SECONDS_MAX = STOP_SECONDS_MAX = 20
GREETING = "tollgate listening on "


def require_binary():
    if not BINARY.exists():
        sys.exit(f"{BINARY} is missing; run `make build` first")


def install_into(venv, pins):
    """A virtual environment, made again when the pins change."""
    stamp = venv / "requirements.txt"
    if stamp.exists() and stamp.read_text() == pins.read_text():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    pip = [venv / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", pins], check=True)
    stamp.write_text(pins.read_text())


class Gateway:
    """A running gateway; ended whatever happens. What it said on stderr is shown unless `complain` was turned off."""

    def __init__(self, scratch, settings=""):
        scratch.mkdir()
        self.data, self.complain = scratch / "data", True
        self.errors = (scratch / "stderr").open("w+")
        config = scratch / "tollgate.toml"
        config.write_text(settings)
        command = [BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", self.data, "--config", config]
        # The auto router only chooses among providers that the operator has a key for.
        environment = os.environ | {"ANTHROPIC_API_KEY": "sk-ant-fake", "OPENAI_API_KEY": "sk-fake"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment)

    def __enter__(self):
        try:
            self.url = first_line(self.process).removeprefix(GREETING).strip()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        if self.complain:
            self.errors.seek(0)
            print("---- the last the gateway said on stderr ----", *self.errors.read().splitlines()[-50:], sep="\n")
        self.errors.close()

    def stop(self):
        """How many things were wrong with its end."""
        if self.process.poll() is not None:
            print(f"the gateway ended by itself, exit status {self.process.returncode}")
            return 1
        if not stop(self.process):
            print(f"the gateway did not stop within {STOP_SECONDS_MAX} s of SIGTERM, or not with status 0")
            return 1
        return 0


def first_line(gateway):
    """The greeting on stdout; what follows it is read and forgotten, so that the pipe never fills."""
    lines = queue.Queue(maxsize=1)

    def read():
        lines.put(gateway.stdout.readline())
        for _ in gateway.stdout:
            pass

    threading.Thread(target=read, daemon=True).start()
    try:
        line = lines.get(timeout=START_SECONDS_MAX)
    except queue.Empty:
        raise SystemExit(f"the gateway said nothing within {START_SECONDS_MAX} s") from None
    if not line.startswith(GREETING):
        raise SystemExit(f"the gateway's first line is not `{GREETING}...` but: {line}")
    return line


def ask(data, *arguments):
    """One command of the command line, on the same data folder as the running gateway."""
    done = subprocess.run([BINARY, *arguments, "--data-dir", data], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def find_secret(created):
    """The secret is told once, as `token` or `secret`, bare or in an envelope."""
    told = created.get("result", created)
    return told.get("token") or told.get("secret") or sys.exit(f"no secret in {created}")


def stop(gateway):
    gateway.terminate()
    try:
        return gateway.wait(STOP_SECONDS_MAX) == 0
    except subprocess.TimeoutExpired:
        return False
