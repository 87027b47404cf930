from __future__ import annotations

from django.urls import path

from perennial.apps.work.alerts import views as alerts
from perennial.apps.work.tasks import views as tasks

app_name = "work"
urlpatterns = [
    path("", tasks.tasks, name="tasks"),
    path("board/", tasks.board, name="board"),
    path("calendar/", tasks.calendar, name="calendar"),
    path("new/", tasks.new, name="new_task"),
    path("bulk/", tasks.bulk, name="bulk"),
    path("account-names/", tasks.account_names, name="account_names"),
    path("<int:pk>/", tasks.task, name="task"),
    path("<int:pk>/move/", tasks.move, name="move"),
    path("<int:pk>/tick/<int:place>/", tasks.tick, name="tick"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/<int:pk>/", alerts.act, name="alert"),
    path("alerts/rules/<slug:key>/", alerts.rule, name="rule"),
]
