"""A decision with the id the decision log knows it by."""

import msgspec

from hostseal.core.decision import Decision


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A decision and the id under which OPA's decision log holds it."""

    decision_id: str
    decision: Decision
