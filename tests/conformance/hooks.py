"""What schemathesis does not know of Taskbell: who calls, how an export is sent, and what no schema can tell."""

import itertools
import json
import os
import uuid

import schemathesis
from schemathesis.core.parameters import ParameterLocation

MOSTLY = itertools.cycle([True, True, True, True, False])
# Those that are furnished, neither done nor deleted.
TASKS = itertools.cycle(range(1, 39))

# Codes of well-formed inputs that are refused all the same, and why a schema cannot say so.
UNTELLABLE = {
    "count_or_until": "a grammar of its own (RFC 5545)",
    "empty_window": "two fields together",
    "like_an_id": "a name that is none of all ids",
    "monthday_in_week": "a grammar of its own (RFC 5545)",
    "no_such_label": "what there is",
    "no_such_role": "what there is",
    "no_such_task": "what there is",
    "not_a_cursor": "cursors are sealed: what was not given out is none",
    "not_a_member": "who there is",
    "not_a_time_zone": "which zones there are changes with the database of zones",
    "not_a_version": "the number of a version is limited",
    "offset_without_due": "two fields together",
    "ordinal_needs_month": "a grammar of its own (RFC 5545)",
    "out_of_range": "the sum of a duration's parts; a time from now",
    "own_parent": "what the path names",
    "parent_is_a_subtask": "what there is",
    "password_common": "what people try first",
    "password_guessable": "who it is for",
    "recurrence_needs_zone": "two fields together",
    "recurs_never": "a grammar of its own (RFC 5545)",
    "repeated": "`due` and `-due` are one key",
    "rule_part_twice": "a grammar of its own (RFC 5545)",
    "same_address": "what there is",
    "setpos_needs_choice": "a grammar of its own (RFC 5545)",
    "start_after_due": "two fields together",
    "too_deep": "what there is",
    "until_before_start": "two fields together",
    "until_form": "two fields together",
    "wrong_code": "what an app shows now",
}

# Codes of whole requests: what the key was used for before; what the deeds of a batch are refused for, each as by its own route;
# that an empty `If-Match`, which the generator takes for one, is none.
WHOLE = {"batch_failed", "idempotency_key_reused", "malformed_if_match"}
# To a schema their bodies are any text.
UPLOADS = {"application/x-ndjson", "text/csv"}

# Whoever calls these may not be able to call again.
ENDINGS = {
    "deletion_request",
    "emails_ask",
    "passwords_change",
    "second_factor_enrol",
    "second_factor_renew_codes",
    "second_factor_switch_off",
    "sessions_destroy",
    "sessions_destroy_current",
    "sessions_destroy_others",
}


def _tokens(name):
    path = os.environ.get(name)
    if not path:
        return None
    with open(path, encoding="ascii") as lines:
        return itertools.cycle(lines.read().split())


LASTING, ENDING = _tokens("TASKBELL_TOKENS"), _tokens("TASKBELL_ENDING_TOKENS")


if LASTING and ENDING:

    @schemathesis.auth(refresh_interval=None)
    class Sessions:
        """A session that lasts, but for what ends sessions one of many that may."""

        def get(self, case, context):
            ends = context.operation.definition.raw.get("operationId") in ENDINGS
            return next(ENDING if ends else LASTING)

        def set(self, case, token, context):
            case.headers["Authorization"] = f"Bearer {token}"


ORG = os.environ.get("TASKBELL_ORG")
# What stands for the ids of the description's examples, which nobody has.
THINGS = json.loads(os.environ.get("TASKBELL_THINGS", "{}"))


def _real(value):
    """A body about things that are there: of others it is only found that they are not, however wrong the rest is."""
    if isinstance(value, dict):
        return {name: _real(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_real(one) for one in value]
    return THINGS.get(value, value) if isinstance(value, str) else value


@schemathesis.hook
def before_call(ctx, case, **kwargs):
    """Headers that arrive; and of an organization that nobody knows there is one thing to find out: most calls go to one that is there."""
    # Rocket drops headers that are no UTF-8; as they are sent here, that is what is not ASCII. To the server such a header is not wrong
    # but absent, which is another case. Another wrong value takes its place: with a space it is no key and no list of tags.
    for name, value in (case.headers or {}).items():
        if isinstance(value, str) and not value.isascii():
            case.headers[name] = "not ASCII"
    if case.media_type == "application/json" or case.media_type == "application/merge-patch+json":
        case.body = _real(case.body)
    # Not in paths: a project that is archived, deleted or called otherwise leaves nothing to ask about. Of tasks there are enough.
    given = case.path_parameters or {}
    if given.get("id") == "OPS-42" and next(MOSTLY):
        case.path_parameters = given = {**given, "id": f"OPS-{next(TASKS)}"}
    # What a key does is tried elsewhere (tests/api/idempotency.rs); here every request is to be judged, not its key.
    if case.headers and "Idempotency-Key" in case.headers and case.meta and not case.meta.is_negative_at(ParameterLocation.HEADER):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    if ORG and "org" in given and case.meta and not case.meta.is_negative_at(ParameterLocation.PATH) and next(MOSTLY):
        case.path_parameters = {**given, "org": ORG}


@schemathesis.serializer("application/x-ndjson")
def lines(ctx, value):
    """To schemathesis they are text like any other."""
    return {"data": value if isinstance(value, bytes) else str(value).encode("utf-8", "ignore")}


@schemathesis.check
def what_a_schema_tells_is_accepted(ctx, response, case):
    """A request that fits the description is refused with 400 or 422 only for what a description cannot say."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 422, 428):
        return
    if response.status_code == 428:
        # Only recurring tasks need it, and what a path names is not in the description.
        if case.operation.definition.raw.get("operationId") != "tasks_complete":
            raise AssertionError("If-Match is asked for, and not required by the description")
        return
    problem = json.loads(response.content)
    faults = {fault["code"] for fault in problem.get("errors", [])}
    if problem["code"] in WHOLE or (faults and case.media_type in UPLOADS):
        return
    unexplained = faults - UNTELLABLE.keys() or {problem["code"]} - {"invalid", "invalid_query"}
    if unexplained:
        raise AssertionError(f"well-formed, and refused: {sorted(unexplained)}: {response.content.decode()}")
