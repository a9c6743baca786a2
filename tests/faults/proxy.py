"""The cable between the application and PostgreSQL: SIGUSR1 cuts it (all connections are dropped, new ones
refused), SIGUSR2 mends it. Run as `python -m tests.faults.proxy FOLDER_OF_THE_SERVER FOLDER_TO_LISTEN_IN`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

SOCKET = ".s.PGSQL.5432"


class Cable:
    def __init__(self, server: Path, door: Path) -> None:
        self.server, self.door = server / SOCKET, door / SOCKET
        self.listener: asyncio.Server | None = None
        self.writers: set[asyncio.StreamWriter] = set()

    async def mend(self) -> None:
        self.door.unlink(missing_ok=True)
        self.listener = await asyncio.start_unix_server(self.carry, self.door)
        self.door.chmod(0o777)

    def cut(self) -> None:
        if self.listener:
            self.listener.close()
            self.listener = None
        self.door.unlink(missing_ok=True)
        for writer in list(self.writers):
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self.server)
        except OSError:
            writer.transport.abort()
            return
        self.writers |= {writer, far_writer}
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        self.writers -= {writer, far_writer}


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.close()


async def run(server: Path, door: Path) -> None:
    cable = Cable(server, door)
    await cable.mend()
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, cable.cut)
    loop.add_signal_handler(signal.SIGUSR2, lambda: loop.create_task(cable.mend()))
    loop.add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), Path(sys.argv[2])))
