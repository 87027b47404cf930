"""Home, the list, the page of an account and the key metrics, where there is much of all.

`python -m benchmarks.workspace 20 50000 [FOLDER]` imports so many millions of events of
so many accounts, refreshes, computes ahead what the worker does at night, serves, and
visits each page once and again: milliseconds on the clock, and of the processor. A
FOLDER is kept, and used again.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks import data
from benchmarks.health import DAY, customers
from benchmarks.pages import Visit, served, warm
from perennial.config.start import setup
from perennial.demo.load import VISITOR

PAGES = (
    *("/", "/accounts/", "/accounts/?q=account-1&page=2", "/accounts/?sort=renewal"),
    *("/accounts/?state=all&page=40", "/segments/new/", "/tasks/", "/health/"),
    *("/metrics/", "/metrics/mrr/", "/metrics/feature_adoption/"),
)
TABS = ("", "timeline/", "usage/", "money/", "people/", "health/")


def main() -> None:
    millions, accounts = float(sys.argv[1]), int(sys.argv[2])
    folder = Path(sys.argv[3]) if sys.argv[3:] else None
    made = folder or Path(tempfile.mkdtemp(prefix="perennial-bench-"))
    try:
        if not (made / "lake").exists():
            build(made, int(millions * 1_000_000), accounts)
        ahead(made)
        report(made, accounts)
    finally:
        if folder is None:
            shutil.rmtree(made, ignore_errors=True)


def build(folder: Path, events: int, accounts: int) -> None:
    setup(folder, migrate=True)
    from perennial.apps.intake.files import ImportOptions, import_file
    from perennial.apps.team.actions import create_workspace
    from perennial.apps.team.lake import lake_of
    from perennial.apps.team.models import Membership, User
    from perennial.apps.team.roles import Role

    workspace = create_workspace("default")
    user = User.objects.create_user(VISITOR[0])
    Membership.objects.create(user=user, workspace=workspace, role=Role.OWNER)
    lake = lake_of(workspace)
    parquet, csv = data.write(folder / "source", events, accounts)
    csv.unlink()
    import_file(lake.lake, "events", parquet, ImportOptions())
    parquet.unlink()
    customers(lake, accounts)
    began, used = time.perf_counter(), time.process_time()
    lake.refresh(as_of=DAY + timedelta(days=7))
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    print(f"first refresh: {seconds:.0f} s, {cpu:.0f} of the processor\n", flush=True)


def ahead(folder: Path) -> None:
    began, used = time.perf_counter(), time.process_time()
    warm(folder)
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    print(f"ahead: {seconds:.0f} s, {cpu:.0f} of the processor\n", flush=True)


def report(folder: Path, accounts: int) -> None:
    # An account of a hundred thousand events, and a usual one.
    some = ("account-0", f"account-{accounts // 2}")
    paths = [*PAGES, *(f"/accounts/{a}/{tab}" for a in some for tab in TABS)]
    with served(folder) as site:
        first = [site.visit(path) for path in paths]
        again = [site.visit(path) for path in paths]
    print(f"load {os.getloadavg()[0]:.1f}\n")
    print("| page | status | first ms | again ms | first CPU ms | again CPU ms |")
    print("| --- | --- | --- | --- | --- | --- |")
    for path, a, b in zip(paths, first, again, strict=True):
        visit = Visit(path, a[0], a[1], b[1], a[2], b[2])
        numbers = " | ".join(f"{n:.0f}" for n in visit[2:])
        print(f"| {visit.path} | {visit.status} | {numbers} |")


if __name__ == "__main__":
    main()
