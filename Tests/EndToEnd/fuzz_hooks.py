"""What `schemathesis` is told about requests that no schema can say."""

import schemathesis
from schemathesis.generation import GenerationMode

# A cursor comes from an answer, a version from a resource, and there is one organization: made up, each is refused.
MADE_UP = {"query": ["cursor"], "headers": ["X-Org-ID", "If-Match", "If-None-Match"]}


@schemathesis.hook
def before_call(context, case, kwargs):
    if not case.meta or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    for place, names in MADE_UP.items():
        values = getattr(case, place)
        for name in names:
            if values and name in values:
                del values[name]
