"""Both servers for the tests: the ones the URLs name, else embedded ones for the length of the run.

Loaded first, by `addopts = -p tests.services`, because settings read the URLs when they are imported.
Workers of xdist inherit the servers; each has its own database (pytest-django) and its own Redis number.
"""

import atexit
import contextlib
import os
import shutil
import tempfile

import pytest

from config import embedded

URLS = ("DATABASE_URL", "REDIS_URL")


def start() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        remember_apart()
        if not all(os.environ.get(url) for url in URLS):
            start_embedded()
        os.environ["TESTS_REDIS_URL"] = os.environ["REDIS_URL"]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw-1")
    os.environ["REDIS_URL"] = numbered(os.environ["TESTS_REDIS_URL"], int(worker.removeprefix("gw")) + 1)


def remember_apart() -> None:
    """What the tests send is not remembered beside this checkout's own data."""
    folder = tempfile.mkdtemp(prefix="redress-epoch-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["EPOCH_FILE"] = os.path.join(folder, "epoch.json")


def start_embedded() -> None:
    where = embedded.temporary_home()
    servers = contextlib.ExitStack()
    servers.callback(shutil.rmtree, where, ignore_errors=True)
    servers.enter_context(embedded.running(where, durable=False))
    atexit.register(servers.close)
    os.environ.setdefault("DATABASE_URL", embedded.database_url(where))
    os.environ.setdefault("REDIS_URL", embedded.redis_url(where))


def numbered(url: str, number: int) -> str:
    """The same Redis, another of its numbered databases."""
    if url.startswith("unix://"):
        return f"{url.split('?')[0]}?db={number}"
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.split('/')[0]}/{number}"


def pytest_report_header(config: pytest.Config) -> str:
    return (
        f"services: {os.environ['DATABASE_URL'].rsplit('@')[-1]}, {os.environ['REDIS_URL'].rsplit('@')[-1]}"
    )


start()
