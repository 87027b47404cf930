"""An address that only takes what a form sends has nothing to show. Who opens it, by
its address or signed in anew after sending the form, gets a page instead of a blank."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import render


class NotAllowedMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_blank = isinstance(response, HttpResponseNotAllowed) and not response.content
        if is_blank and request.method == "GET" and request.accepts("text/html"):
            page = render(request, "ui/405.html", status=405)
            page["Allow"] = response["Allow"]
            return page
        return response
