"""Somebody who sends low scores, each again until it is acknowledged, and writes down what was said."""

from __future__ import annotations

import http.client
import json
import threading
import time
from pathlib import Path
from typing import Any

from tests.faults.journal import Journal

ACKNOWLEDGED = (200, 201)


class Client:
    """Posts from a thread of its own between `start()` and `stop()`; `stop` waits for the last one."""

    def __init__(
        self, port: int, token: str, journal: Path, *, pause: float, timeout: float = 10, name: str = "live"
    ) -> None:
        self.name, self.port, self.token, self.journal = name, port, token, Journal(journal)
        self.pause, self.timeout = pause, timeout
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, patience: float = 90) -> None:
        self._over.set()
        self._thread.join(patience)

    def _run(self) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            self.until_acknowledged(f"{self.name}-{number}")
            self._over.wait(self.pause)

    def until_acknowledged(self, external_id: str, patience: float = 120) -> None:
        ends = time.monotonic() + patience
        while time.monotonic() < ends:
            if self.post(external_id) in ACKNOWLEDGED:
                return
            time.sleep(0.3)

    def post(self, external_id: str) -> int:
        """The status, 0 where no whole answer came."""
        began = time.time()
        status, facts = self.answer(external_id)
        self.journal.write(external_id=external_id, status=status, began=began, **facts)
        return status

    def answer(self, external_id: str) -> tuple[int, dict[str, Any]]:
        body = {
            "survey": "delivery",
            "external_id": external_id,
            "score": 1,
            "comment": "Two days late",
            "customer": {"external_id": external_id, "email": f"{external_id}@example.com"},
        }
        plug = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            plug.request("POST", "/api/v1/responses/", json.dumps(body), headers)
            answer = plug.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, {"error": f"{type(error).__name__}: {error}"}
        finally:
            plug.close()
        facts: dict[str, Any] = {"retry_after": answer.getheader("Retry-After")}
        if answer.status in ACKNOWLEDGED:
            facts["ticket"] = json.loads(text).get("ticket")
        elif answer.status != 503:
            facts["text"] = text[:500]
        return answer.status, facts
