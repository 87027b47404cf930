"""Verbs of the page Data: take a file in, check it, import it, refresh."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile

from perennial.apps.intake import uploads
from perennial.apps.intake.files import ImportOptions, import_file
from perennial.apps.intake.uploads import Checked, Upload
from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.models import JobRun
from perennial.apps.jobs.registry import Report
from perennial.apps.team.actions import record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import User, Workspace
from perennial.core.errors import PerennialError

AUTO = "auto"
#: Files up to this size are checked while one waits, larger ones by a job.
AT_ONCE = 4 << 20


def take_in(
    workspace: Workspace, file: UploadedFile[bytes], table: str, *, by: User
) -> Upload:
    """Keeps a file and checks it; a large one in the background."""
    upload = uploads.keep(workspace, file)
    check_soon(workspace, upload, table, by=by)
    return upload


def check_soon(workspace: Workspace, upload: Upload, table: str, *, by: User) -> None:
    upload.note(None)
    if upload.size <= AT_ONCE:
        check(workspace, upload, table)
        return
    jobs.run_now("check_file", workspace, by=by, upload=upload.token, table=table)


def check(
    workspace: Workspace,
    upload: Upload,
    table: str,
    *,
    progress: Report | None = None,
) -> Checked:
    """A dry run: what the file is and what would be taken; loads nothing."""
    lake = lake_of(workspace)
    options = ImportOptions(timezone=lake.settings.timezone, dry_run=True)
    report = progress or (lambda share, message: None)
    try:
        found = uploads.checked_from(
            import_file(
                lake.lake,
                table,
                upload.path,
                options,
                progress=lambda share: report(share, ""),
            )
        )
    except PerennialError as error:
        found = Checked(table="" if table == AUTO else table, error=str(error))
    upload.note(found)
    return found


def start(workspace: Workspace, upload: Upload, table: str, *, by: User) -> JobRun:
    """Imports a checked file in the background."""
    run = jobs.run_now(
        "import_file", workspace, by=by, upload=upload.token, table=table
    )
    record(workspace, by, "data.imported", upload.path.name, table=table)
    return run


def refresh_now(workspace: Workspace, *, by: User) -> JobRun:
    return jobs.run_now("refresh", workspace, by=by)
