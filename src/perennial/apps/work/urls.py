from __future__ import annotations

from django.urls import path

from perennial.apps.work import outbox_views as outbox
from perennial.apps.work.alerts import views as alerts
from perennial.apps.work.crew import views as crew
from perennial.apps.work.documents import views as documents
from perennial.apps.work.mailings import views as mailings
from perennial.apps.work.plans import views as plans
from perennial.apps.work.playbooks import condition_views as playbook_conditions
from perennial.apps.work.playbooks import many_views as many
from perennial.apps.work.playbooks import views as playbooks
from perennial.apps.work.strategy import views as strategy
from perennial.apps.work.tasks import many_views as many_tasks
from perennial.apps.work.tasks import views as tasks
from perennial.apps.work.telling import views as telling

app_name = "work"
urlpatterns = [
    path("tasks/", tasks.tasks, name="tasks"),
    path("tasks/board/", tasks.board, name="board"),
    path("tasks/calendar/", tasks.calendar, name="calendar"),
    path("tasks/new/", tasks.new, name="new_task"),
    path("tasks/bulk/", tasks.bulk, name="bulk"),
    path("tasks/many/", many_tasks.add, name="add_many_tasks"),
    path("tasks/many/<int:micros>/", many_tasks.added, name="many_tasks"),
    path("tasks/many/<int:micros>/undo/", many_tasks.undo, name="undo_many_tasks"),
    path("tasks/account-names/", tasks.account_names, name="account_names"),
    path("tasks/<int:pk>/", tasks.task, name="task"),
    path("tasks/<int:pk>/move/", tasks.move, name="move"),
    path("tasks/<int:pk>/tick/<int:place>/", tasks.tick, name="tick"),
    path("tasks/alerts/", alerts.alerts, name="alerts"),
    path("tasks/alerts/<int:pk>/", alerts.act, name="alert"),
    path("tasks/alerts/rules/<slug:key>/", alerts.rule, name="rule"),
    path("tasks/outbox/", outbox.messages_, name="outbox"),
    path("tasks/outbox/<int:pk>/", outbox.message, name="message"),
    path("tasks/team/", crew.team, name="team"),
    path("tasks/team/away/", crew.away, name="away"),
    path("tasks/team/hand-over/", crew.hand_over, name="hand_over"),
    path("tasks/team/back/<int:pk>/", crew.back, name="back"),
    path("tasks/plans/", plans.plans, name="plans"),
    path("tasks/plans/new/", plans.new, name="new_plan"),
    path("tasks/plans/<int:pk>/", plans.plan, name="plan"),
    path("tasks/plans/<int:pk>/change/", plans.change, name="change_plan"),
    path("tasks/plans/<int:pk>/document/", documents.plan, name="plan_document"),
    path("reviews/<account_id:account_id>/", documents.review, name="review"),
    path("tasks/strategy/", strategy.strategy, name="strategy"),
    path("tasks/strategy/change/", strategy.change, name="change_strategy"),
    path("plan/<str:token>/", plans.shared, name="shared_plan"),
    path("mailings/", mailings.mailings, name="mailings"),
    path("mailings/new/", mailings.new, name="new_mailing"),
    path("mailings/<int:pk>/", mailings.mailing, name="mailing"),
    path("mailings/<int:pk>/act/", mailings.act, name="act_mailing"),
    path("leave/<str:token>/", mailings.leave, name="leave_mailing"),
    path("notifications/", telling.notifications, name="notices"),
    path("notifications/read/", telling.read_all, name="read_all"),
    path("notifications/team/", telling.team_channels, name="team_channels"),
    path("notifications/settings/", telling.preferences, name="preferences"),
    path("playbooks/", playbooks.playbooks, name="playbooks"),
    path("playbooks/start/", many.start_many, name="start_many"),
    path("playbooks/new/", playbooks.new, name="new_playbook"),
    path("playbooks/<int:pk>/", playbooks.playbook, name="playbook"),
    path(
        "playbooks/<int:pk>/if/<str:place>/",
        playbook_conditions.condition,
        name="playbook_condition",
    ),
    path("playbooks/<int:pk>/turn/", playbooks.turn, name="turn"),
    path("playbooks/<int:pk>/dry-run/", playbooks.dry_run, name="dry_run"),
    path(
        "playbooks/<int:pk>/dry-run/state/",
        playbooks.dry_run_state,
        name="dry_run_state",
    ),
    path("playbooks/<int:pk>/runs/", playbooks.runs, name="runs"),
    path("playbooks/<int:pk>/many/", many.state, name="many_state"),
    path("playbooks/<int:pk>/start/", playbooks.start, name="start"),
    path("playbooks/<int:pk>/results/", playbooks.result, name="results"),
    path("playbooks/<int:pk>/why/", playbooks.why, name="why"),
    path("playbooks/runs/<int:pk>/", playbooks.run, name="run"),
    path("playbooks/runs/<int:pk>/stop/", playbooks.stop, name="stop"),
]
