"""Errors of the REST API as problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, AuthorizationError, ValidationError

from perennial.core.errors import Forbidden, PerennialError, UnknownName

_TYPE = "application/problem+json"


class Problem(Schema):
    """What went wrong; `detail` is for people, `type` for programs."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""


#: What any question may be answered with instead, as `response` of its route.
ERRORS = {400: Problem, 401: Problem, 403: Problem, 404: Problem, 422: Problem}


def answer(status: int, detail: str = "") -> HttpResponse:
    title = HTTPStatus(status).phrase
    body = Problem(title=title, status=status, detail=detail)
    return JsonResponse(body.dict(), status=status, content_type=_TYPE)


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI schema whose errors have the media type they are sent with."""
    for verbs in schema["paths"].values():
        for operation in verbs.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400 and "content" in response:
                    response["content"] = {
                        _TYPE: response["content"]["application/json"]
                    }
    return schema


def known_verbs(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view of a route, which refuses an unknown verb with a problem, too."""

    @wraps(view)
    def answered(*args: Any, **given: Any) -> HttpResponse:
        response = view(*args, **given)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return response
        allowed = response.headers["Allow"]
        problem = answer(response.status_code, f"this address takes {allowed}")
        problem.headers["Allow"] = allowed
        return problem

    return answered


def install(api: NinjaAPI) -> None:
    """Let every error of an API leave as a problem."""

    @api.exception_handler(PerennialError)
    def _wrong(request: HttpRequest, error: PerennialError) -> HttpResponse:
        return answer(400, str(error))

    @api.exception_handler(Forbidden)
    def _not_theirs(request: HttpRequest, error: Forbidden) -> HttpResponse:
        return answer(403, str(error))

    @api.exception_handler(UnknownName)
    def _unknown(request: HttpRequest, error: UnknownName) -> HttpResponse:
        return answer(400, str(error))

    @api.exception_handler(DataError)
    def _unkept(request: HttpRequest, error: DataError) -> HttpResponse:
        # PostgreSQL keeps no NUL, no text longer than its column, no number beyond it.
        return answer(422, "a value cannot be stored: a NUL, or too much of it")

    @api.exception_handler(ValidationError)
    def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        said = "; ".join(
            f"{'.'.join(str(part) for part in e['loc'][1:])}: {e['msg']}"
            for e in error.errors
        )
        return answer(422, said)

    @api.exception_handler(AuthenticationError)
    def _stranger(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        response = answer(401, "send a token: Authorization: Bearer …")
        response.headers["WWW-Authenticate"] = "Bearer"
        return response

    @api.exception_handler(AuthorizationError)
    def _forbidden(request: HttpRequest, error: AuthorizationError) -> HttpResponse:
        return answer(403, "the token lacks the scope for this")

    @api.exception_handler(Http404)
    def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
        return answer(404, str(error) or "there is nothing here")
