"""Write keys in memory: a request costs no query."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from perennial.apps.intake.http.protocol import KEY_LENGTH, unavailable
from perennial.apps.intake.http.store import Store

logger = logging.getLogger(__name__)

#: A key that was revoked is refused after this time at the latest.
REFRESH_S: Final = 5.0
#: Unknown keys, however many are tried, cause one query in this time.
PAUSE_S: Final = 1.0
#: A database that does not answer in this time does not answer.
PATIENCE_S: Final = 5.0
RETRY_AFTER_S: Final = 5


class Keys:
    """`source()` answers from memory and asks the database for unknown keys only.

    While the database does not answer, known keys stay good and unknown ones are
    neither accepted nor refused (503).
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, int] = {}
        self._began = float("-inf")
        self._load: asyncio.Task[None] | None = None
        self._refresh: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "intake-keys")

    async def start(self) -> None:
        with contextlib.suppress(Exception):  # it is asked again, and was logged
            await self._reloaded()
        self._refresh = asyncio.create_task(self._keep_fresh())

    async def close(self) -> None:
        for task in (self._refresh, self._load):
            if task is not None:
                task.cancel()
        self._thread.submit(self._store.close)
        self._thread.shutdown(wait=False)

    def known(self, key: str) -> int | None:
        """The source of the key, as far as it is known."""
        return self._known.get(key)

    async def find(self, key: str) -> int | None:
        """The source of a key that was not known a moment ago: the answer is
        always from a query that began after the question. Raises `Refusal`."""
        if len(key) > KEY_LENGTH:
            return None
        asked = asyncio.get_running_loop().time()
        while self._began < asked and key not in self._known:
            try:
                await self._reloaded()
            except Exception:
                raise unavailable(RETRY_AFTER_S) from None
        return self._known.get(key)

    async def _reloaded(self) -> None:
        """All who wait share one query."""
        if self._load is None or self._load.done():
            self._load = asyncio.create_task(self._reload())
        await asyncio.shield(self._load)

    async def _reload(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._began + PAUSE_S - loop.time()))
        self._began = loop.time()
        try:
            query = loop.run_in_executor(self._thread, self._store.keys)
            self._known = await asyncio.wait_for(query, PATIENCE_S)
        except Exception as error:
            logger.warning("write keys could not be read: %s", type(error).__name__)
            raise

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_S - PAUSE_S)
            with contextlib.suppress(Exception):
                await self._reloaded()
