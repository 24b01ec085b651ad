"""How the console is served."""

from collections.abc import Mapping

import pytest
from fastapi import FastAPI

from console.__main__ import configured
from settings import Settings


@pytest.mark.parametrize(
    ("environ", "trusted"),
    [
        ({}, False),
        ({"STEWARD_CONSOLE_URL": "http://127.0.0.1:8400"}, False),
        ({"STEWARD_CONSOLE_URL": "https://steward.example"}, True),
    ],
)
def test_the_address_in_a_header_counts_where_a_proxy_is_declared(environ: Mapping[str, str], trusted: bool) -> None:
    """The stack names the console's own address to it, which is no proxy's."""
    config = configured(FastAPI(), Settings.load(environ))
    assert (config.proxy_headers, config.forwarded_allow_ips) == (trusted, "127.0.0.1")
