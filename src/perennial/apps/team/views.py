from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from perennial.apps.team import actions, links, queries
from perennial.apps.team import tokens as tokening
from perennial.apps.team.access import (
    PersonRequest,
    TeamRequest,
    public,
    role_required,
    signed_in,
)
from perennial.apps.team.forms import (
    AddMemberForm,
    ProfileForm,
    RoleForm,
    SignInForm,
    TokenForm,
)
from perennial.apps.team.middleware import SESSION_KEY
from perennial.apps.team.models import ApiToken, Membership, User
from perennial.apps.team.roles import Role
from perennial.core.errors import PerennialError
from perennial.ui import navigation

# --- in and out --------------------------------------------------------------


@sensitive_post_parameters("password")
@never_cache
@public
def sign_in(request: HttpRequest) -> HttpResponse:
    target = _safe_target(request)
    if request.user.is_authenticated:
        return redirect(target)
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            user = actions.sign_in(request, data["email"], data["password"])
        except actions.SignInRefused as refused:
            form.add_error(None, str(refused))
        else:
            return _welcome(user, target)
    status = 422 if form.errors else 200
    context = {"form": form, "next": target, "is_demo": settings.DEMO}
    return render(request, "team/sign_in.html", context, status=status)


@never_cache
@public
def use_link(request: HttpRequest, kind: str, token: str) -> HttpResponse:
    """The link shows a button; only pressing it signs in, because mail scanners
    and previews open links too."""
    found = links.KINDS.get(kind)
    if found is None:
        raise Http404
    if request.method == "POST":
        user = actions.sign_in_by_link(request, token, found)
        if user is not None:
            return _welcome(user, settings.LOGIN_REDIRECT_URL)
    person = links.person_behind(token, found)
    context = {"person": person, "is_invitation": found is links.INVITATION}
    status = 200 if person else 410
    return render(request, "team/use_link.html", context, status=status)


def _safe_target(request: HttpRequest) -> str:
    target = request.POST.get("next") or request.GET.get("next") or ""
    is_safe = url_has_allowed_host_and_scheme(
        target, {request.get_host()}, require_https=request.is_secure()
    )
    return target if is_safe else settings.LOGIN_REDIRECT_URL


def _welcome(user: User, target: str) -> HttpResponse:
    is_placed = queries.memberships_of(user).exists()
    response = redirect(target if is_placed else "team:no_workspace")
    if user.language:
        _remember_language(response, user.language)
    return response


def _remember_language(response: HttpResponse, language: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


@require_POST
@signed_in
def sign_out(request: PersonRequest) -> HttpResponse:
    logout(request)
    return redirect(settings.LOGIN_URL)


@never_cache
@public
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    """Only where the installation says it is a demonstration."""
    if not settings.DEMO or not actions.sign_in_demo(request, settings.DEMO_EMAIL):
        raise Http404
    return redirect(settings.LOGIN_REDIRECT_URL)


# --- the frame ---------------------------------------------------------------


@role_required(Role.VIEWER)
def palette(request: TeamRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:100]
    context = {"groups": navigation.search(request, query), "query": query}
    template = "ui/palette.html"
    return render(request, f"{template}#list" if request.htmx else template, context)


@require_POST
@signed_in
def open_workspace(request: PersonRequest) -> HttpResponse:
    mine = queries.memberships_of(request.user)
    chosen = get_object_or_404(mine, workspace__key=request.POST.get("key", ""))
    request.session[SESSION_KEY] = chosen.workspace.key
    return redirect(settings.LOGIN_REDIRECT_URL)


@signed_in
def no_workspace(request: PersonRequest) -> HttpResponse:
    return render(request, "team/no_workspace.html")


@role_required(Role.VIEWER)
def settings_home(request: TeamRequest) -> HttpResponse:
    """The first page of Settings that is for this person; else the profile."""
    pages = navigation.settings_pages(request)
    return redirect(pages[0].url if pages else "team:profile")


# --- oneself -----------------------------------------------------------------


@signed_in
def profile(request: PersonRequest) -> HttpResponse:
    user = request.user
    initial = {
        "name": user.name,
        "language": user.language,
        "timezone": user.timezone,
        "has_shortcuts": user.has_shortcuts,
    }
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        actions.change_profile(user, form.cleaned_data)
        messages.success(request, _("Your profile is saved."))
        response = redirect("team:profile")
        if user.language:
            _remember_language(response, user.language)
        return response
    context = {"form": form, "passwords": _password_form(user)}
    return render(request, "team/profile.html", context)


def _password_form(user: User, data: QueryDict | None = None) -> SetPasswordForm[User]:
    """Those who came by link have no password yet and give none."""
    if not user.has_usable_password():
        return SetPasswordForm(user, data)
    form = PasswordChangeForm(user, data)
    form.fields["old_password"].widget.attrs.pop("autofocus", None)
    return form


@sensitive_post_parameters()
@require_POST
@signed_in
def password(request: PersonRequest) -> HttpResponse:
    form = _password_form(request.user, request.POST)
    if form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, _("Your password is changed."))
        return redirect("team:profile")
    context = {"form": ProfileForm(initial=vars(request.user)), "passwords": form}
    return render(request, "team/profile.html", context, status=422)


# --- people ------------------------------------------------------------------


@role_required(Role.ADMIN)
def people(request: TeamRequest) -> HttpResponse:
    form = AddMemberForm(request.POST or None, by=request.membership)
    made: tuple[Membership, str] | None = None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = actions.add_member(
                request.workspace,
                data["email"],
                form.role_value(),
                by=request.membership,
                name=data["name"],
            )
            form = AddMemberForm(by=request.membership)
        except PerennialError as error:
            form.add_error("email", str(error))
    return _people(request, form, made, status=422 if form.errors else 200)


def _people(
    request: TeamRequest,
    form: AddMemberForm,
    made: tuple[Membership, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "people": queries.people(request.workspace),
        "form": form,
        "roles": [(r, r.label) for r in Role if request.membership.covers(r)],
        "made": made[0] if made else None,
        "made_link": request.build_absolute_uri(made[1]) if made and made[1] else "",
    }
    return render(request, "team/people.html", context, status=status)


@require_POST
@role_required(Role.ADMIN)
def role(request: TeamRequest, pk: int) -> HttpResponse:
    membership = _member_or_404(request, pk)
    form = RoleForm(request.POST, by=request.membership)
    if form.is_valid():
        try:
            actions.change_role(membership, form.role_value(), by=request.membership)
            messages.success(request, _("The role is changed."))
        except PerennialError as error:
            messages.error(request, str(error))
    return redirect("team:people")


@require_POST
@role_required(Role.ADMIN)
def link(request: TeamRequest, pk: int) -> HttpResponse:
    membership = _member_or_404(request, pk)
    form = AddMemberForm(by=request.membership)
    try:
        path = actions.invite(membership, by=request.membership)
    except PerennialError as error:
        messages.error(request, str(error))
        return redirect("team:people")
    return _people(request, form, (membership, path))


@require_POST
@role_required(Role.ADMIN)
def remove(request: TeamRequest, pk: int) -> HttpResponse:
    membership = _member_or_404(request, pk)
    try:
        actions.remove_member(membership, by=request.membership)
        messages.success(request, _("%(name)s is removed.") % {"name": membership.user})
    except PerennialError as error:
        messages.error(request, str(error))
    return redirect("team:people")


def _member_or_404(request: TeamRequest, pk: int) -> Membership:
    return get_object_or_404(queries.people(request.workspace), pk=pk)


# --- programs ----------------------------------------------------------------


@role_required(Role.ADMIN)
def tokens(request: TeamRequest) -> HttpResponse:
    """The tokens of programs; the text of a new one is shown this once."""
    form = TokenForm(request.POST or None)
    made = ""
    if request.method == "POST" and form.is_valid():
        name, scope = form.cleaned_data["name"], form.cleaned_data["scope"]
        _token, made = tokening.create(
            request.workspace, name, by=request.user, scope=ApiToken.Scope(scope)
        )
    context = {
        "tokens": request.workspace.tokens.order_by("revoked_at", "name"),
        "form": TokenForm() if made else form,
        "made": made,
        "made_name": form.cleaned_data["name"] if made else "",
    }
    status = 422 if form.errors else 200
    return render(request, "team/tokens.html", context, status=status)


@require_POST
@role_required(Role.ADMIN)
def revoke_token(request: TeamRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(request.workspace.tokens, pk=pk)
    tokening.revoke(token, by=request.user)
    messages.success(request, _("The token %(name)s is revoked.") % {"name": token})
    return redirect("team:tokens")


@role_required(Role.ADMIN)
def audit(request: TeamRequest) -> HttpResponse:
    pages = Paginator(queries.audit(request.workspace), 50)
    page = pages.get_page(request.GET.get("page"))
    return render(request, "team/audit.html", {"page": page})
