"""The policy's `hostseal/replace/decision` behind the controller's Policy port."""

from hostseal.core.decision import Decision
from hostseal.core.lifecycle import Life, State
from hostseal.images.catalogue import Catalogue
from hostseal.policy.engine import OpaEngine

ENTRY_POINT = "hostseal/replace/decision"


class ReplacePolicy:
    """Asks a real OPA; mode and class come from the bundle's data by the host's name, never from the host."""

    def __init__(self, engine: OpaEngine, catalogue: Catalogue, requested_by: str) -> None:
        self._engine, self._catalogue, self._requested_by = engine, catalogue, requested_by

    def replace(self, life: Life, image: str, now: str) -> Decision:
        """Return the decision; NoAnswerError when OPA has none."""
        instance, incident = life.instance, life.incident
        question = {
            "replace": {
                "host": {
                    "name": instance.host,
                    "slot": instance.slot,
                    "generation": instance.generation,
                    "instance_id": instance.id,
                },
                "standing": "flagged" if life.state is State.FLAGGED else "sealed",
                "incident": None
                if incident is None
                else {"id": incident.id, "deadline": incident.deadline, "reasons": list(incident.reasons)},
                "held": life.hold is not None,
                "attempts": life.attempts,
                "now": now,
                "image": {"digest": image, "track": str(self._catalogue.images().find(image).track)},
                "requested_by": self._requested_by,
            }
        }
        return self._engine.ask(ENTRY_POINT, question).decision
