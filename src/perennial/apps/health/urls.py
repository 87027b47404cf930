from __future__ import annotations

from django.urls import path

from perennial.apps.health import account_views, card_views, views

app_name = "health"
urlpatterns = [
    path("", views.health, name="health"),
    path("movers/", views.movers, name="movers"),
    path("whom-to-call/", views.calls, name="outreach"),
    path("explain/<slug:topic>/", views.explain, name="explain"),
    path("scorecards/", card_views.listing, name="scorecards"),
    path("scorecards/drafts/", card_views.start, name="start"),
    path("scorecards/drafts/<int:pk>/", card_views.draft, name="draft"),
    path("scorecards/drafts/<int:pk>/preview/", card_views.shown, name="preview"),
    path("scorecards/drafts/<int:pk>/try/", card_views.one, name="try"),
    path("scorecards/drafts/<int:pk>/backtest/", card_views.judge, name="judge"),
    path("scorecards/drafts/<int:pk>/verdict/", card_views.judged, name="judged"),
    path("scorecards/drafts/<int:pk>/review/", card_views.review, name="review"),
    path("scorecards/drafts/<int:pk>/discard/", card_views.discard, name="discard"),
    path("scorecards/<int:number>/", card_views.version, name="version"),
    path("accounts/<account_id:account_id>/", account_views.account, name="account"),
    path(
        "accounts/<account_id:account_id>/override/",
        account_views.override,
        name="override",
    ),
    path(
        "accounts/<account_id:account_id>/override/<int:pk>/withdraw/",
        account_views.withdraw,
        name="withdraw",
    ),
    path("accounts/<account_id:account_id>/pulse/", account_views.pulse, name="pulse"),
]
