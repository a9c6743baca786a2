"""Says in the schema that every operation may answer a problem document."""

from typing import Any

CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
PLACE = {
    "type": "object",
    "required": ["path", "reason"],
    "properties": {"path": {"type": "string"}, "reason": {"type": "string"}},
}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; the rest is for people, in the language asked for.",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {"type": "array", "items": PLACE},
    },
    "example": {
        "type": "urn:redress:problem:invalid",
        "title": "The request is not valid",
        "status": 400,
        "detail": "Correct what “errors” lists, and send it again. Nothing was stored.",
        "code": "invalid",
        "errors": [{"path": "score", "reason": "A score is a whole number."}],
    },
}


def with_problems(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = {"description": "A problem", "content": CONTENT}
    return result
