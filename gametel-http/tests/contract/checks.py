"""What schemathesis does not know by itself: lines of JSON, JSON within a form, codes of errors."""

import json
import re
from collections import Counter

import schemathesis

FORM = "application/x-www-form-urlencoded"


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    events = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(event) for event in events).encode()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Writes those parts of a form as JSON of which the document says so."""
    if case.media_type != FORM or not isinstance(case.body, dict):
        return
    form = case.operation.definition.raw["requestBody"]["content"][FORM]
    for name, encoding in form["encoding"].items():
        if name in case.body and encoding["contentType"] == "application/json":
            case.body[name] = json.dumps(case.body[name])


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Keeps all failures but for false alarms."""
    match failure.code:
        case "ST201":  # what is wrong was accepted
            return not (query_has_all(case, response) or is_judged_here(case, response))
        case "ST202":  # what is right was refused
            return not at_the_ends(response)
    return True


def query_has_all(case, response):
    """A query has parameters that are not declared, which are ignored, or "lacks" one which it has: it was
    put back among those."""
    if case.meta is None or case.method != "GET" or response.status_code != 200:
        return False
    description = case.meta.phase.data.description or ""
    violated = set(re.findall("`([a-zA-Z]+)`", description))
    violated.discard(case.meta.phase.data.parameter)
    parameters = case.operation.definition.raw.get("parameters", [])
    required = {each["name"] for each in parameters if each["required"] and each["in"] == "query"}
    undeclared = violated == {"additionalProperties", "required"} or "unexpected properties" in description
    return undeclared and required <= set(case.query)


def is_judged_here(case, response):
    """Of `/v1/events` a 200 accepts nothing that is wrong, if the answer says so, event by event, or if
    no event was sent: see `an_event_that_is_wrong_is_not_accepted`."""
    if case.operation.path != "/v1/events" or response.status_code != 200:
        return False
    return has_fault(response.json())


def has_fault(answer):
    """Whether an answer of `/v1/events` calls any event wrong, or has no event to speak of."""
    return answer["rejected"] > 0 or answer.get("quarantined", 0) > 0 or answer["accepted"] == 0


def at_the_ends(response):
    """A schema can't say where the years 0001 to 9999 end once a time's offset is applied."""
    ends = ("0000-", "0001-01-01", "9999-12-31")
    return any(f'is \\"{end}' in response.text for end in ends)


@schemathesis.check
def documented_code(context, response, case):
    """The code of a refusal is among those that the document gives for its status."""
    if response.status_code < 400 or (case.operation.path == "/healthz/ready" and "checks" in response.text):
        return
    error = response.json()["error"]
    responses = case.operation.definition.raw["responses"]
    answer = responses.get(str(response.status_code))
    # Whatever the document does not speak of: other methods, other paths.
    if answer is None:
        assert error["code"] in ("method_not_allowed", "not_found"), error
        return
    codes = answer["content"]["application/json"]["examples"]
    assert error["code"] in codes, f"{error} is none of {list(codes)}"


@schemathesis.check
def counts_add_up(context, response, case):
    """Of `/v1/events`, the counts are those of the results, which are in order."""
    if case.operation.path != "/v1/events" or "results" not in response.text:
        return
    answer = response.json()
    results = answer["results"]
    counts = Counter(result["status"] for result in results)
    assert [result["index"] for result in results] == list(range(len(results)))
    assert answer["accepted"] == counts["accepted"]
    assert answer["rejected"] == counts["rejected"]
    # Where none was kept apart the answer does not speak of it.
    assert answer.get("quarantined") == (counts["quarantined"] or None)
    for result in results:
        assert ("error" in result) == (result["status"] != "accepted"), result
    stored = counts["accepted"] + counts["quarantined"] > 0
    assert (stored or not results) == (response.status_code == 200), answer


@schemathesis.check
def what_is_kept_apart_is_wrong(context, response, case):
    """A 202 is for an event whose fields are not what the document says, and names the fault."""
    if response.status_code != 202:
        return
    answer = response.json()
    description = case.operation.definition.raw["responses"]["202"]["description"]
    assert f"`{answer['error']['code']}`" in description, answer
    if case.meta is not None and case.meta.generation.mode.is_positive:
        assert at_the_ends(response), answer


@schemathesis.check
def an_event_that_is_wrong_is_not_accepted(context, response, case):
    """A request to `/v1/events` can be wrong in one event, and have 200 for the others."""
    if case.operation.path != "/v1/events" or response.status_code != 200:
        return
    declared = case.operation.definition.raw["requestBody"]["content"]
    # What a body is, it says itself; a content type that is none of these changes nothing.
    if response.request.headers["Content-Type"] not in declared:
        return
    if case.meta is not None and case.meta.generation.mode.is_negative:
        assert has_fault(response.json()), response.text
