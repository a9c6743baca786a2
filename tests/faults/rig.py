"""The real stack in a folder of its own: PostgreSQL, Redis, web, workers, beats, dispatchers, providers;
and a supervisor that starts again whatever dies."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from config import embedded
from tests.faults import janitor
from tests.faults.janitor import MARK, children, status

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
READY_SECONDS = 60
QUICK_DEATH_SECONDS = 1.0

WEB, WORKER, BEAT, DISPATCHER = "web", "worker", "beat", "dispatcher"


@dataclass
class Part:
    """One process that shall always run."""

    name: str
    command: list[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    starts: int = 0
    wanted: bool = True

    @property
    def pid(self) -> int:
        return self.process.pid if self.process and self.process.poll() is None else 0


def free_port() -> int:
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        return int(plug.getsockname()[1])


class Rig:
    """`with Rig(...) as rig:` has its servers and providers answering and the environment of this process
    set to them; `migrate()`, then `start()` the stack. At the end of the block nothing of it is left."""

    def __init__(
        self,
        *,
        lease: float | None = None,
        web: int = 1,
        workers: int = 1,
        children_each: int = 2,
        beats: int = 1,
        dispatchers: int = 1,
        every: float = 2.0,
        failpoints: str = "",
        through_proxy: bool = False,
    ) -> None:
        self.home = embedded.temporary_home()
        self.lease, self.failpoints = lease, failpoints
        self.counts = {WEB: web, WORKER: workers, BEAT: beats, DISPATCHER: dispatchers}
        self.children_each, self.every = children_each, every
        self.through_proxy = through_proxy
        self.port = free_port()
        self.token = secrets.token_hex(8)
        self.parts: dict[str, Part] = {}
        self._stack = contextlib.ExitStack()
        self._ending = threading.Event()
        self._lock = threading.RLock()

    # --- Beginning and end ---

    def __enter__(self) -> Rig:
        try:
            self._begin()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        before = [signal.signal(sign, signal.SIG_IGN) for sign in (signal.SIGINT, signal.SIGTERM)]
        try:
            self.keep_logs()
            self._stack.close()
        finally:
            signal.signal(signal.SIGINT, before[0])
            signal.signal(signal.SIGTERM, before[1])

    def _begin(self) -> None:
        self._hire_janitor()
        for folder in ("journals", "logs", "failpoints", "var"):
            (self.home / folder).mkdir(exist_ok=True)
        self.servers()
        os.environ.update(self.environment())
        self._providers()
        thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._stack.callback(thread.join, 30)
        self._stack.callback(self._ending.set)
        thread.start()

    def _hire_janitor(self) -> None:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.janitor", str(self.home)],
            stdin=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
        )
        assert keeper.stdin is not None
        self._stack.callback(keeper.wait, 60)
        self._stack.callback(keeper.stdin.close)

    def keep_logs(self) -> None:
        """The logs of the last run, for whoever wants to know why."""
        kept = ROOT / "var" / "faults-logs"
        shutil.rmtree(kept, ignore_errors=True)
        with contextlib.suppress(OSError, shutil.Error):
            shutil.copytree(self.home / "logs", kept)
            shutil.copytree(self.home / "journals", kept / "journals")
            shutil.copy(self.home / "postgres.log", kept)

    def servers(self) -> None:
        """Start whichever of PostgreSQL and Redis does not answer. Only from the thread that ends last."""
        self._stack.enter_context(embedded.running(self.home, durable=True))

    def environment(self) -> dict[str, str]:
        database = embedded.database_url(self.home / "proxy" if self.through_proxy else self.home)
        self.smtp, self.sms, self.chat = free_port(), free_port(), free_port()
        url = f"http://{self.token}@127.0.0.1"
        facts = {
            MARK: str(self.home),
            "DATABASE_URL": database,
            "REDIS_URL": embedded.redis_url(self.home),
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "SECRET_KEY": secrets.token_hex(16),
            "EMAIL_URL": f"smtp://127.0.0.1:{self.smtp}",
            "SMS_URL": f"{url}:{self.sms}/messages?class=key&window_hours=24",
            "CHAT_URL": f"{url}:{self.chat}/messages?class=ask",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "EPOCH_FILE": str(self.home / "var" / "epoch.json"),
            "FAILPOINTS_DIR": str(self.home / "failpoints"),
        }
        if self.lease:
            facts["DISPATCH_LEASE_SECONDS"] = str(self.lease)
        return facts

    def _providers(self) -> None:
        if self.through_proxy:
            (self.home / "proxy").mkdir(exist_ok=True)
            self._add(
                "proxy",
                [sys.executable, "-m", "tests.faults.proxy", str(self.home), str(self.home / "proxy")],
            )
        for kind, port in (("smtp", self.smtp), ("key", self.sms), ("ask", self.chat)):
            command = ["-m", "tests.faults.providers", kind, str(port), str(self.journal(kind)), self.token]
            self._add(f"provider-{kind}", [sys.executable, *command])

    def journal(self, name: str) -> Path:
        return self.home / "journals" / f"{name}.jsonl"

    # --- The stack ---

    def migrate(self) -> None:
        """The tables, through the server itself."""
        direct = {**os.environ, "DATABASE_URL": embedded.database_url(self.home)}
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=direct, check=True)

    def start(self, only: tuple[str, ...] = (WEB, WORKER, BEAT, DISPATCHER)) -> None:
        for role in only:
            for number in range(self.counts[role]):
                self._add(f"{role}-{number}", self.command(role, number), {"FAILPOINTS": self.failpoints})
        if WEB in only and self.counts[WEB]:
            self.wait_until_ready()

    def command(self, role: str, number: int) -> list[str]:
        celery = [str(BIN / "celery"), "--app", "config", "--quiet"]
        if role == WEB:
            place = ["--bind", f"127.0.0.1:{self.port}"]
            return [str(BIN / "gunicorn"), "config.wsgi", *place, "--workers", "2", "--threads", "4",
                    "--graceful-timeout", "3", "--no-control-socket"]  # fmt: skip
        if role == WORKER:
            return [*celery, "worker", "--hostname", f"w{number}@rig", "--concurrency",
                    str(self.children_each), "--without-mingle", "--without-gossip"]  # fmt: skip
        if role == BEAT:
            return [*celery, "beat", "--schedule", str(self.home / "var" / f"beat-{number}"), "--pidfile="]
        return [sys.executable, "manage.py", "dispatch", "--loop", "--every", str(self.every)]

    def _add(self, name: str, command: list[str], environment: Mapping[str, str] | None = None) -> None:
        with self._lock:
            part = Part(name, command, self.home / "logs" / f"{name}.log", environment or {})
            self.parts[name] = part

    def stop(self, name: str) -> None:
        """Ask a part to end, and do not start it again."""
        with self._lock:
            part = self.parts.pop(name)
            part.wanted = False
        if part.process:
            embedded.stop(part.process)

    def _supervise(self) -> None:
        """In a thread that lives as long as the rig: on Linux a child hears of the death of its thread."""
        while not self._ending.wait(0.05):
            with self._lock:
                parts = list(self.parts.values())
            for part in parts:
                with self._lock:
                    self._revive(part)
        self._end_parts()

    def _revive(self, part: Part) -> None:
        if part.pid or not part.wanted or self._ending.is_set():
            return
        if part.starts and time.monotonic() - part.started < QUICK_DEATH_SECONDS:
            return
        part.started, part.starts = time.monotonic(), part.starts + 1
        with part.log.open("ab") as output:
            part.process = embedded.child(
                part.command,
                dies_by=signal.SIGKILL,
                cwd=ROOT,
                env={**os.environ, **part.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def _end_parts(self) -> None:
        running = [part.process for part in self.parts.values() if part.process and part.pid]
        for process in running:
            process.terminate()
        for process in running:
            embedded.stop(process, patience=5)
        for _ in range(20):
            left = [pid for pid in janitor.marked(self.home) if pid != os.getpid()]
            if not left:
                return
            janitor.send(signal.SIGKILL, *left)
            time.sleep(0.05)

    def wait_until_ready(self) -> None:
        import urllib.request

        ends = time.monotonic() + READY_SECONDS
        while time.monotonic() < ends:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=5).close()
                return
            time.sleep(0.1)
        raise RuntimeError(f"the web did not become ready; see {self.home / 'logs'}")

    # --- Who is who, for those who kill ---

    def targets(self) -> dict[str, list[int]]:
        """The living processes by role; `parent` and `child` where a role has both."""
        found: dict[str, list[int]] = {}
        with self._lock:
            parts = list(self.parts.values())
        for part in parts:
            role = part.name.rpartition("-")[0]
            if role not in (WEB, WORKER, BEAT, DISPATCHER) or not part.pid:
                continue
            if role == BEAT:
                found.setdefault(BEAT, []).append(part.pid)
                continue
            found.setdefault(f"{role} parent", []).append(part.pid)
            found.setdefault(f"{role} child", []).extend(children(part.pid))
        return found

    def everybody(self) -> Iterator[int]:
        yield from (pid for pid in janitor.marked(self.home) if pid != os.getpid())

    def frozen(self) -> list[int]:
        return [pid for pid in self.everybody() if status(pid)[0] == "T"]

    def postmaster(self) -> int:
        pid = janitor.postmaster(self.home)
        assert pid is not None, "no postmaster"
        return pid

    def fired(self) -> set[str]:
        return set(os.listdir(self.home / "failpoints"))
