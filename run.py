#!/usr/bin/env python3
"""One way in, with nothing but Python: makes .venv, installs what the task needs, does the task.

python3 run.py demo    the product with a demo in it, until Ctrl-C (PORT=8000)
python3 run.py test    every test; further words go to pytest
python3 run.py lint    style, types, the import law, migrations, translations
python3 run.py faults  processes killed, servers gone: what is lost, what is said twice (--help)
python3 run.py bench   what each thing takes, as a ratio to a bare baseline in the same run
python3 run.py setup   only install, for development
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
VAR = ROOT / "var"
BIN = VENV / "bin"
PYTHON = BIN / "python"
LOCKS = {"setup": "dev", "demo": "demo", "test": "dev", "lint": "dev", "faults": "dev", "bench": "dev"}
READY_SECONDS = 60
# A part of the demo that ends within this time, this often in a row, is not started again.
QUICK_SECONDS = 10.0
MOST_QUICK_ENDS = 5
PAUSE_SECONDS = 1.0


def main(words: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - this is the file that says so
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
        return 1
    if not words or words[0] not in LOCKS:
        print(__doc__)
        return 2
    task, *rest = words
    if Path(sys.prefix) != VENV:
        install(LOCKS[task])
        os.chdir(ROOT)
        os.execv(PYTHON, [str(PYTHON), str(ROOT / "run.py"), *words])
    tasks = {
        "setup": lambda: setup(),
        "demo": lambda: demo(),
        "test": lambda: test(rest),
        "lint": lambda: lint(),
        "faults": lambda: faults(rest),
        "bench": lambda: bench(rest),
    }
    return tasks[task]()


# --- Installing: with nothing but the standard library ---


def install(lock: str) -> None:
    """Installs requirements/<lock>.lock into .venv, once per state of that file and Python version."""
    if stamped(lock) or (lock == "demo" and stamped("dev")):
        return
    print(f"Installing ({lock}) into .venv ...", flush=True)
    started = time.monotonic()
    if not any(way(lock) for way in (with_uv, with_venv, with_the_hosts_pip)):
        sys.exit("This Python can make no virtual environment. First run:\n  apt install python3-venv")
    stamp(lock).write_text(state(lock))
    print(f"Installed in {time.monotonic() - started:.0f} s", flush=True)


def stamp(lock: str) -> Path:
    return VENV / f"installed-{lock}"


def state(lock: str) -> str:
    packages = (ROOT / "requirements" / f"{lock}.lock").read_bytes()
    return f"{sys.version.split()[0]} {hashlib.sha256(packages).hexdigest()}"


def stamped(lock: str) -> bool:
    return PYTHON.exists() and stamp(lock).exists() and stamp(lock).read_text() == state(lock)


def packages(lock: str) -> list[str]:
    return ["install", "--quiet", "--require-hashes", "-r", str(ROOT / "requirements" / f"{lock}.lock")]


def with_uv(lock: str) -> bool:
    uv = shutil.which("uv")
    if not uv:
        return False
    made = PYTHON.exists() or succeeds([uv, "venv", "--quiet", "--python", sys.executable, str(VENV)])
    return made and succeeds([uv, "pip", *packages(lock), "--compile-bytecode", "--python", str(PYTHON)])


def with_venv(lock: str) -> bool:
    has_pip = PYTHON.exists() and succeeds([str(PYTHON), "-m", "pip", "--version"], quiet=True)
    made = has_pip or succeeds([sys.executable, "-m", "venv", "--clear", str(VENV)], quiet=True)
    return made and succeeds([str(PYTHON), "-m", "pip", *packages(lock)])


def with_the_hosts_pip(lock: str) -> bool:
    if not succeeds([sys.executable, "-m", "pip", "--version"], quiet=True):
        return False
    made = succeeds([sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)], quiet=True)
    return made and succeeds([sys.executable, "-m", "pip", "--python", str(PYTHON), *packages(lock)])


def succeeds(command: list[str], quiet: bool = False) -> bool:
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode and not quiet:
        print(done.stdout, done.stderr, sep="", file=sys.stderr, flush=True)
    return done.returncode == 0


# --- Tasks: from here on inside .venv ---


def setup() -> int:
    compile_catalogues()
    print("Ready: .venv/bin/python manage.py ...")
    return 0


def test(words: list[str]) -> int:
    compile_catalogues()
    workers = [] if any(word.startswith("-n") for word in words) else ["-n", "3"]
    return subprocess.call([str(PYTHON), "-m", "pytest", *workers, *words], cwd=ROOT)


def lint() -> int:
    checks = {
        "style": [str(BIN / "ruff"), "check", "."],
        "layout": [str(BIN / "ruff"), "format", "--check", "."],
        "types": [str(BIN / "mypy")],
        "import law": [str(BIN / "lint-imports")],
        "migrations": [str(PYTHON), "manage.py", "makemigrations", "--check", "--dry-run"],
        "translations": [str(PYTHON), "-m", "config.catalogues", "check"],
    }
    # All at once: the types take as long as the others together.
    running = {name: started(command) for name, command in checks.items()}
    failed = [name for name, process in running.items() if not passes(name, process)]
    print(f"\nlint: {', '.join(failed)} failed" if failed else "\nlint: all well")
    return 1 if failed else 0


def started(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def passes(name: str, process: subprocess.Popen[bytes]) -> bool:
    print(f"== {name}", flush=True)
    said, _ = process.communicate()
    sys.stdout.buffer.write(said)
    sys.stdout.flush()
    return process.returncode == 0


def bench(words: list[str]) -> int:
    compile_catalogues()
    return subprocess.call([str(PYTHON), "-m", "benchmarks.run", *words], cwd=ROOT)


def faults(words: list[str]) -> int:
    compile_catalogues()
    # In place of this process: who stops it stops the harness.
    os.chdir(ROOT)
    os.execv(PYTHON, [str(PYTHON), "-m", "tests.faults.run", *words])


def compile_catalogues() -> None:
    from config import catalogues

    catalogues.compile_all()


def demo() -> int:
    from config import embedded

    def leave(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)  # also where a script started us in the background, deaf to it
    compile_catalogues()
    VAR.mkdir(exist_ok=True)
    port = free_port(int(os.environ.get("PORT", "8000")))
    url = os.environ.setdefault("PUBLIC_URL", f"http://localhost:{port}")
    os.environ["DEMO"] = "1"
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(embedded.needed())
            manage(embedded, "migrate", "--verbosity", "0")
            manage(embedded, "demo_load")
            # What the product mails in the demo, the demo itself receives.
            os.environ.setdefault("EMAIL_URL", f"smtp://127.0.0.1:{free_port(8025)}")
            parts = start_parts(embedded, stack, port)
            wait_until_ready(parts, port)
            welcome(url)
            return watch(parts)
        except KeyboardInterrupt:
            print("\nStopping ...", flush=True)
            return 0
        finally:
            # A second Ctrl-C must not leave half of it running.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)


def manage(embedded: ModuleType, *words: str) -> None:
    process = embedded.child([str(PYTHON), "manage.py", *words], cwd=ROOT)
    try:
        status = process.wait()
    finally:
        embedded.stop(process)
    if status:
        sys.exit(f"manage.py {' '.join(words)} failed")


class Part:
    """One process of the demo, started again when it ends by itself."""

    def __init__(self, name: str, command: list[str], embedded: ModuleType) -> None:
        self.name, self.command, self.embedded = name, command, embedded
        self.log = VAR / f"demo-{name.split()[0]}.log"
        self.log.write_bytes(b"")
        self.quick_ends = 0
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process: subprocess.Popen[bytes] = self.embedded.child(
                self.command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
            )
        self.started = time.monotonic()

    def ended(self) -> bool:
        return self.process.poll() is not None

    def start_again(self) -> bool:
        """After a pause; False when it ended too quickly too often."""
        quick = time.monotonic() - self.started < QUICK_SECONDS
        self.quick_ends = self.quick_ends + 1 if quick else 0
        if self.quick_ends == MOST_QUICK_ENDS:
            return False
        print(f"Ended by itself and started again: {self.name} ({self.process.returncode})", flush=True)
        time.sleep(PAUSE_SECONDS)
        self.start()
        return True

    def stop(self) -> None:
        self.embedded.stop(self.process)

    def show_log(self) -> None:
        print(
            f"--- {self.log}", *self.log.read_text(errors="replace").splitlines()[-30:], sep="\n", flush=True
        )


def start_parts(embedded: ModuleType, stack: contextlib.ExitStack, port: int) -> list[Part]:
    celery = [str(BIN / "celery"), "--app", "config", "--quiet"]
    commands = {
        "mailbox and customers": [str(PYTHON), "manage.py", "demo_live"],
        "worker": [*celery, "worker", "--pool", "prefork", "--concurrency", "2", "--without-mingle"],
        "timetable": [*celery, "beat"],
        "dispatcher": [str(PYTHON), "manage.py", "dispatch", "--loop"],
        "web": [str(BIN / "gunicorn"), "config.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "8",
                "--graceful-timeout", "3", "--no-control-socket"],
    }  # fmt: skip
    parts: list[Part] = []
    for name, command in commands.items():
        parts.append(Part(name, command, embedded))
        stack.callback(parts[-1].stop)
    # All are told before the first is waited for.
    stack.callback(lambda: tell(parts))
    return parts


def tell(parts: list[Part]) -> None:
    """Ask all of them to end."""
    for part in parts:
        if not part.ended():
            part.process.terminate()


def wait_until_ready(parts: list[Part], port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and not any(part.ended() for part in parts):
        with contextlib.suppress(OSError):  # refused, slow, or 503: not ready yet
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2).close()
            return
        time.sleep(0.1)
    for part in [part for part in parts if part.ended()] or parts[-1:]:
        part.show_log()
    sys.exit("The demo did not start.")


def watch(parts: list[Part]) -> int:
    """Keep all of them running. Returns when one of them cannot be kept."""
    while True:
        for part in parts:
            if part.ended() and not part.start_again():
                part.show_log()
                print(f"Ended by itself {MOST_QUICK_ENDS} times: {part.name}. Stopping.", flush=True)
                return 1
        time.sleep(0.5)


def welcome(url: str) -> None:
    facts = json.loads((VAR / "demo.json").read_text())
    print("\nPeople you can be (name, password, role):")
    for user in facts["users"]:
        print(f"  {user['name']:<12} {user['password']:<16} {user['role']}")
    print(f"\nLogs: {VAR}/demo-*.log   Facts for scripts: {VAR}/demo.json   Stop: Ctrl-C")
    print(f"What customers get: {url}/demo/inbox/")
    print(f"Your work:          {url}/desk/", flush=True)


def free_port(wanted: int) -> int:
    for port in range(wanted, wanted + 200):
        with socket.socket() as plug:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                plug.bind(("127.0.0.1", port))
                return port
    sys.exit(f"No free port from {wanted} on.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
