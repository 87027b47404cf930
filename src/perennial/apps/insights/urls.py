from __future__ import annotations

from django.urls import path

from perennial.apps.insights import version_views, views

app_name = "insights"
urlpatterns = [
    path("", views.index, name="insights"),
    path("power-feature/", views.power_feature, name="power"),
    path("renewal-model/", views.renewal_model, name="renewal"),
    path("back-test/", views.back_test, name="backtest"),
    path("survival/", views.survival, name="survival"),
    path("forecast/", views.forecast, name="forecast"),
    path("usage-patterns/", views.usage_patterns, name="patterns"),
    path("product-health/", views.product_health, name="product"),
    path("lifetime-value/", views.lifetime_value, name="value"),
    path("explain/<slug:topic>/", views.explain, name="explain"),
    path("versions/", version_views.versions, name="versions"),
    path("versions/go-by/", version_views.go_by, name="go_by"),
    path("versions/look/", version_views.look, name="look"),
    path("versions/<int:number>/decide/", version_views.decide, name="decide"),
]
