from __future__ import annotations

from django.urls import path

from perennial.apps.team import views

app_name = "team"
urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-in/<slug:kind>/<str:token>/", views.use_link, name="use_link"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("demo/sign-in", views.demo_sign_in, name="demo_sign_in"),
    path("palette/", views.palette, name="palette"),
    path("profile/", views.profile, name="profile"),
    path("profile/password/", views.password, name="password"),
    path("workspace/", views.open_workspace, name="open_workspace"),
    path("no-workspace/", views.no_workspace, name="no_workspace"),
    path("settings/", views.settings_home, name="settings"),
    path("settings/people/", views.people, name="people"),
    path("settings/people/<int:pk>/role/", views.role, name="role"),
    path("settings/people/<int:pk>/link/", views.link, name="link"),
    path("settings/people/<int:pk>/remove/", views.remove, name="remove"),
    path("settings/tokens/", views.tokens, name="tokens"),
    path("settings/tokens/<int:pk>/revoke/", views.revoke_token, name="revoke_token"),
    path("settings/audit/", views.audit, name="audit"),
]
