from __future__ import annotations

from django.urls import path, register_converter

from perennial.apps.customers import (
    account_views,
    contact_views,
    edit_views,
    field_views,
    merge_views,
    note_views,
    saved_views,
    segment_views,
    views,
)
from perennial.apps.customers.converters import AccountId

register_converter(AccountId, "account_id")

app_name = "customers"
urlpatterns = [
    path("", views.my_day, name="home"),
    path("why-these-accounts/", views.ranking, name="ranking"),
    path("accounts.csv", views.accounts_file, name="accounts_file"),
    path("accounts/-/view/", saved_views.save, name="view"),
    path("accounts/-/bulk/", edit_views.bulk, name="bulk"),
    path("accounts/-/edits/<int:pk>/", edit_views.edited, name="edited"),
    path("accounts/-/edits/<int:pk>/undo/", edit_views.undo, name="undo"),
    path("accounts/-/merges/<int:pk>/", merge_views.merged, name="merged"),
    path("accounts/-/merges/<int:pk>/undo/", merge_views.undo, name="merge_undo"),
    path("settings/fields/", field_views.fields, name="fields"),
    path("settings/fields/define/", field_views.define, name="define"),
    path(
        "settings/fields/<int:pk>/archive/", field_views.archive, name="field_archive"
    ),
    path("settings/stages/", field_views.stages, name="stages"),
    path("settings/stages/<int:pk>/", field_views.rule, name="stage_rule"),
    path("accounts/", views.accounts, name="accounts"),
    path("segments/", segment_views.listing, name="segments"),
    path("segments/new/", segment_views.create, name="segment_new"),
    path("segments/condition/", segment_views.condition, name="condition"),
    path("segments/of/<slug:key>/", segment_views.segment, name="segment"),
    path("segments/of/<slug:key>/change/", segment_views.change, name="segment_change"),
    path(
        "segments/of/<slug:key>/archive/",
        segment_views.archive,
        name="segment_archive",
    ),
    path("accounts/<account_id:account_id>/", account_views.account, name="account"),
    path(
        "accounts/<account_id:account_id>/details/",
        edit_views.account_details,
        name="details",
    ),
    path(
        "accounts/<account_id:account_id>/contacts/",
        contact_views.change,
        name="contacts",
    ),
    path("accounts/<account_id:account_id>/log/", note_views.log, name="log"),
    path(
        "accounts/<account_id:account_id>/notes/<int:pk>/",
        note_views.note,
        name="note",
    ),
    path(
        "accounts/<account_id:account_id>/notes/<int:pk>/change/",
        note_views.change,
        name="note_change",
    ),
    path(
        "accounts/<account_id:account_id>/notes/<int:pk>/keep/",
        note_views.keep,
        name="note_keep",
    ),
    path(
        "accounts/<account_id:account_id>/files/<uuid:key>/",
        note_views.attachment,
        name="attachment",
    ),
    path("accounts/<account_id:account_id>/merge/", merge_views.merge, name="merge"),
    path("accounts/<account_id:account_id>/edit/", edit_views.edit, name="edit"),
    path(
        "accounts/<account_id:account_id>/timeline/",
        account_views.account_timeline,
        name="timeline",
    ),
    path(
        "accounts/<account_id:account_id>/usage/",
        account_views.account_usage,
        name="usage",
    ),
    path(
        "accounts/<account_id:account_id>/money/",
        account_views.account_money,
        name="money",
    ),
    path(
        "accounts/<account_id:account_id>/people/",
        account_views.account_people,
        name="people",
    ),
    path(
        "accounts/<account_id:account_id>/health/",
        account_views.account_health,
        name="health",
    ),
]
