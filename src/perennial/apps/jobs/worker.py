"""The worker process of a lane: takes runs from its queue.

`Worker` of django-tasks-db takes one entry after the other and stops cleanly on
SIGTERM, after the entry in hand. Beside the quick one a thread ticks the schedule and
takes back what dead workers left, of all lanes.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from django.db import DatabaseError, connection
from django_tasks_db.management.commands.db_worker import Worker

from perennial.apps.jobs import actions
from perennial.apps.jobs.registry import Lane

logger = logging.getLogger(__name__)

POLL_S: Final = 0.5
CARE_EVERY_S: Final = 10.0


def run(lane: Lane) -> None:
    """Works until SIGTERM or SIGINT."""
    over = threading.Event()
    care = threading.Thread(target=_take_care, args=[over], daemon=True)
    if lane is Lane.QUICK:
        care.start()
    loop = Worker(
        queue_names=[lane.value],
        interval=POLL_S,
        batch=False,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=actions.this_worker()[-64:],
        excluded_queue_names=[],
    )
    loop.configure_signals()
    try:
        loop.run()
    finally:
        over.set()
        if care.is_alive():
            care.join(timeout=2)


def _take_care(over: threading.Event) -> None:
    try:
        while True:
            try:
                actions.reap()
                actions.tick()
            except DatabaseError:
                logger.exception("the schedule could not be kept; trying again")
            if over.wait(CARE_EVERY_S):
                return
    finally:
        connection.close()
