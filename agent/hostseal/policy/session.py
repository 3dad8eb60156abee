"""The connection under opa-python-client: the same questions and answers, at two thirds of the client's CPU.

requests makes a prepared request, cookies and hooks for each post. There are none here: one host, one token, JSON both ways.
"""

from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import requests
import urllib3


class PolicySession(requests.Session):
    """A session whose posts go straight to the connection; everything else is as requests does it."""

    def __init__(self, token: str | None, ca: Path | None) -> None:
        super().__init__()
        self.trust_env = False  # neither proxies nor .netrc belong on the way to loopback
        if ca is not None:
            self.verify = str(ca)
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"
        self._direct = urllib3.PoolManager(
            num_pools=1, maxsize=1, retries=False, ca_certs=None if ca is None else str(ca)
        )
        self._posted = {"Content-Type": "application/json", "Accept": "*/*"}
        if token is not None:
            self._posted["Authorization"] = f"Bearer {token}"

    def post(self, url: Any, data: Any = None, json: Any = None, **settings: Any) -> requests.Response:
        """Post JSON and return the answer; raises as requests does."""
        if data is not None or settings.keys() - {"timeout"}:
            raise ValueError("a question is JSON, with a time-out and nothing else")
        try:
            answer = self._direct.request(
                "POST", url, body=msgspec.json.encode(json), headers=self._posted,
                timeout=settings.get("timeout"), redirect=False,
            )  # fmt: skip
        except urllib3.exceptions.NewConnectionError as error:  # to urllib3 a time-out too, and it is none
            raise requests.ConnectionError(error) from error
        except urllib3.exceptions.SSLError as error:  # somebody else's certificate: worth a name of its own
            raise requests.exceptions.SSLError(error) from error
        except urllib3.exceptions.TimeoutError as error:
            raise requests.Timeout(error) from error
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(error) from error
        response = requests.Response()
        response.status_code, response.reason, response.url = answer.status, answer.reason or "", url
        response.headers.update(answer.headers)
        response.raw = BytesIO(answer.data)
        return response

    def close(self) -> None:
        """End the connections."""
        self._direct.clear()
        super().close()
