"""The tracking API as OpenAPI says it, for a fuzzer to doubt."""

from __future__ import annotations

from typing import Any, Final

from perennial.apps.intake.http.protocol import ROUTES

JSON = dict[str, Any]

_ID: Final[JSON] = {"type": ["string", "number", "null"]}
_OBJECT: Final[JSON] = {"type": ["object", "null"]}
_MESSAGE: Final[JSON] = {
    "type": "object",
    "properties": {
        "type": {"enum": ["track", "identify", "group", "page", "screen", "alias"]},
        "event": {"type": "string"},
        "userId": _ID,
        "anonymousId": _ID,
        "groupId": _ID,
        "previousId": _ID,
        "messageId": {"type": "string", "maxLength": 200},
        "timestamp": {"type": "string", "format": "date-time"},
        "sentAt": {"type": "string", "format": "date-time"},
        "name": {"type": "string"},
        "properties": _OBJECT,
        "traits": _OBJECT,
        "context": _OBJECT,
        "writeKey": {"type": "string"},
    },
}
_BATCH: Final[JSON] = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "batch": {"type": "array", "items": _MESSAGE},
        "context": _OBJECT,
        "sentAt": {"type": "string", "format": "date-time"},
        "writeKey": {"type": "string"},
    },
}
_ERROR: Final[JSON] = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
}
_TAKEN: Final[JSON] = {
    "type": "object",
    "required": ["success"],
    "properties": {"success": {"const": True}},
}
_REFUSALS: Final = {
    "400": "No JSON object.",
    "401": "The write key is missing, unknown or revoked.",
    "405": "Only POST.",
    "408": "The body did not arrive in time.",
    "413": "Too large.",
    "415": "An encoding other than gzip and deflate.",
    "429": "Too much waits: again after Retry-After seconds.",
    "503": "It cannot be written: again after Retry-After seconds.",
}


def openapi() -> JSON:
    """The document: one operation a route, without those that end in a slash."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Perennial tracking API", "version": "1"},
        "paths": {
            path: {"post": _operation(path, call)}
            for path, call in ROUTES.items()
            if not path.endswith("/")
        },
        "components": {
            "securitySchemes": {
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The write key as user name, no password.",
                },
                "bearer": {"type": "http", "scheme": "bearer"},
            }
        },
    }


def _operation(path: str, call: str) -> JSON:
    schema = _BATCH if call == "batch" else _MESSAGE
    return {
        "operationId": path.removeprefix("/v1/"),
        "summary": f"Several calls at once: {path}" if call == "batch" else call,
        # The key may also stand in the body: then there is no header.
        "security": [{"basic": []}, {"bearer": []}, {}],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        },
        "responses": {
            "200": _response("On disk.", _TAKEN),
            **{status: _response(said, _ERROR) for status, said in _REFUSALS.items()},
        },
    }


def _response(said: str, schema: JSON) -> JSON:
    return {"description": said, "content": {"application/json": {"schema": schema}}}
