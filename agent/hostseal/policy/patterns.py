"""Asks OPA whether it takes the patterns in the site's data: one that it does not take matches nothing, without a word."""

from collections.abc import Iterator

from hostseal.errors import NoAnswerError
from hostseal.policy.problem import Problem
from hostseal.policy.replay import new_session, query_opa

_QUERY = """given := [[key, pattern] |
    pattern := data.hostseal.site.exemptions[rule][subject][number].paths[place]
    key := sprintf("exemptions.%s.%s[%d].paths[%d]", [rule, subject, number, place])
]
taken := {pattern | some [_, pattern] in given; glob.match(pattern, ["/"], "/") in {true, false}}
globs := [one | some one in given; not one[1] in taken]
ticket := [pattern | pattern := data.hostseal.site.break_glass.ticket_pattern; not regex.is_valid(pattern)]"""


def untaken(url: str, where: str) -> Iterator[Problem]:
    """Yield the patterns of the site's data, which lies at `where`, that the OPA at `url` does not take; NoAnswerError."""
    with new_session() as session:
        results, error = query_opa(session, url, _QUERY, {})
    if error or not results:
        raise NoAnswerError(f"OPA cannot evaluate this: {error}", hint=where)
    [found] = results
    for key, pattern in found["globs"]:
        yield Problem(where=where, what=f"{key}: {pattern!r} is not a glob that OPA takes")
    for pattern in found["ticket"]:
        yield Problem(
            where=where,
            what=f"break_glass.ticket_pattern: {pattern!r} is not a regular expression that OPA takes",
        )
