# Copyright: Hostseal contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Asks an OPA for a decision: one request, TLS pinned to one authority, no proxy, no redirect."""

from __future__ import annotations

import http.client
import json
import ssl
from urllib.parse import urlsplit

ANSWER_LIMIT = 4 * 1024 * 1024
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class NoAnswer(Exception):
    """There is no usable answer: neither allow nor deny."""


class Opa:
    """One OPA. Raises ValueError for an address that cannot be asked, OSError for a file that cannot be read."""

    def __init__(self, url, ca_file=None, token_file=None, timeout=5.0):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("%r is not like https://opa.example.org:8181" % url)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("%r: without TLS only an OPA on this machine is asked" % url)
        self._host, self._port, self._timeout, self._url = parts.hostname, parts.port, timeout, url
        self._tls = ssl.create_default_context(cafile=ca_file) if parts.scheme == "https" else None
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token_file:
            with open(token_file, encoding="ascii") as file:
                token = file.read().strip()
            if not token.isprintable():
                raise ValueError("%s is not a token: more than one line" % token_file)
            self._headers["Authorization"] = "Bearer " + token

    def decide(self, entry_point, question):
        """Return the decision and its id; raise NoAnswer when there is none, or none that can be understood."""
        status, body = self._post("/v1/data/" + entry_point, json.dumps({"input": question}))
        if status != http.client.OK:
            raise NoAnswer("%s answers HTTP %d" % (self._url, status))
        try:
            answer = json.loads(body)
        except ValueError:
            raise NoAnswer("%s answers something that is not JSON" % self._url) from None
        if not isinstance(answer, dict):
            raise NoAnswer("%s answers something that is not an object" % self._url)
        if "result" not in answer:
            raise NoAnswer("%s is undefined at %s: is the policy bundle loaded?" % (entry_point, self._url))
        return _decision(answer["result"]), answer.get("decision_id")

    def _post(self, path, body):
        if self._tls is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        else:
            connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=self._tls
            )
        try:
            connection.request("POST", path, body, self._headers)
            response = connection.getresponse()
            answer = response.read(ANSWER_LIMIT + 1)
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer("%s: %s: %s" % (self._url, type(error).__name__, error)) from error
        finally:
            connection.close()
        if len(answer) > ANSWER_LIMIT:
            raise NoAnswer("%s answers more than %d bytes" % (self._url, ANSWER_LIMIT))
        return response.status, answer


def _decision(raw):
    if not isinstance(raw, dict) or not isinstance(raw.get("allowed"), bool):
        raise NoAnswer("the policy's answer is not a decision")
    violations, findings = raw.get("violations"), raw.get("findings")
    if not isinstance(violations, list) or not all(isinstance(one, str) for one in violations):
        raise NoAnswer("the policy's answer has no list of violations")
    if raw["allowed"] is bool(violations):
        raise NoAnswer("the policy's answer contradicts itself: allowed with violations, or refused without one")
    if not isinstance(findings, list) or not all(isinstance(one, dict) for one in findings):
        raise NoAnswer("the policy's answer has no list of findings")
    return raw
