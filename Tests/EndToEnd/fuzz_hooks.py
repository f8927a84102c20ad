"""What `schemathesis` is told about requests that no schema can say."""

import json
import os

import schemathesis
from schemathesis.engine import observations
from schemathesis.generation import GenerationMode

# It takes a provider's pattern such as `https://[a-z]+` for an address, and ends when it is none.
_path_of = observations._same_origin_path


def _path_or_none(value, origin):
    try:
        return _path_of(value, origin)
    except ValueError:
        return None


observations._same_origin_path = _path_or_none

# A cursor comes from an answer, a version from a resource, an owner is somebody, a range ends after it begins and is a
# key's or an app's, there is one organization, and a key that comes twice belongs to another request: made up, each is
# rightly refused.
MADE_UP = {"query": ["cursor", "owner", "oauth_app_id", "start_date", "end_date", "since", "until"],
           "headers": ["X-Org-ID", "If-Match", "If-None-Match", "Idempotency-Key"]}


# What the run itself needs is found in lists like all the rest, and left alone.
KEPT, NOBODY = os.environ["FUZZ_KEPT"].split(","), "00000000-0000-7000-8000-000000000000"


@schemathesis.hook
def filter_case(context, case):
    """TRACE ends at nginx, which does not know what else an address takes; test_json_api.py sees that it is refused. An
    empty value of a query is none at all, as forms send what was left out, so that it breaks no rule of its schema."""
    return case.method.upper() != "TRACE" and (fits(case) or "" not in (case.query or {}).values())


def fits(case):
    """Whether the case is one that fits its description."""
    return bool(case.meta) and case.meta.generation.mode == GenerationMode.POSITIVE


@schemathesis.hook
def before_call(context, case, kwargs):
    if (case.path_parameters or {}).get("id") in KEPT:
        case.path_parameters["id"] = NOBODY
    if not fits(case):
        return
    # A NUL in an address is refused as a broken escape is, which a schema of a text does not say.
    for name, value in (case.query or {}).items():
        if isinstance(value, str):
            case.query[name] = value.replace("\0", "")
    for place, names in MADE_UP.items():
        values = getattr(case, place)
        for name in names:
            if values and name in values:
                del values[name]
    if isinstance(case.body, dict):
        # No pattern says which texts are networks, and metadata has a size as a whole.
        if case.body.get("allowed_ips"):
            case.body["allowed_ips"] = ["203.0.113.0/24"]
        if len(json.dumps(case.body.get("metadata"))) > 4_000:
            case.body["metadata"] = {"team": "blue"}
