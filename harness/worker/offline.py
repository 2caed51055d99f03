"""No network for the processes of a run: libraries are told by the environment, and connections are refused."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType

OFFLINE = "BENCH_OFFLINE"
ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    dict.fromkeys((OFFLINE, "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"), "1")
)
"""Variables of a command with `--offline`, which its processes inherit, and the programs that they run."""
_REFUSED = ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect")


def obey() -> None:
    """Refuse connections to other machines from now on, if the environment says so."""
    if os.environ.get(OFFLINE):
        sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in _REFUSED:
        target = arguments[1] if event == "socket.connect" else arguments
        host = target[0] if isinstance(target, tuple) else None  # a local socket is named by a path
        if isinstance(host, (str, bytes)) and not _is_here(os.fsdecode(host)):
            raise OSError(errno.ENETUNREACH, "the network is not used, since --offline forbids it")


def _is_here(host: str) -> bool:
    return host in ("", "localhost", "::1", "::") or host.startswith("127.") or host == "0.0.0.0"
