"""Passwords as hashes, and the setup code as a file."""

import stat
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from domain.access import PasswordSet
from domain.errors import SetupError
from domain.event import Event
from memory.passwords import Passwords
from memory.setup_code import same_code, setup_code, until_password

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


async def test_hashes_are_argon2id_with_the_librarys_parameters() -> None:
    """64 MiB and three passes; the same password never gives the same hash."""
    passwords = Passwords()
    one, other = await passwords.hash("tin roof sparrow"), await passwords.hash("tin roof sparrow")
    found = extract_parameters(one)
    assert (found.type, found.memory_cost, found.time_cost) == (Type.ID, 65_536, 3)
    assert one != other
    assert await passwords.matches("tin roof sparrow", one)
    assert not passwords.outdated(one)
    assert passwords.outdated(CHEAP.hash("x"))


async def test_only_the_same_password_matches() -> None:
    """Composed or decomposed; where none is stored nothing does."""
    passwords = Passwords(CHEAP)
    stored = await passwords.hash("Scho\u0308ne Gru\u0308\u00dfe")
    assert await passwords.matches("Sch\u00f6ne Gr\u00fc\u00dfe", stored)
    assert not await passwords.matches("Schone Gru\u00dfe", stored)
    assert not await passwords.matches("", None)


async def test_where_no_password_is_set_a_try_costs_as_much() -> None:
    """Argon2 runs once with the same parameters either way, so the time tells nothing."""
    passwords = Passwords(PasswordHasher(time_cost=20, memory_cost=8_192, parallelism=1))
    stored, spent = await passwords.hash("tin roof sparrow"), []
    for known in (stored, None):
        begun = time.process_time()
        assert not await passwords.matches("wrong", known)
        spent.append(time.process_time() - begun)
    assert 1 / 3 < spent[0] / spent[1] < 3


@pytest.mark.parametrize("damaged", ["", "x", "$argon2id$v=19$m=8,t=1,p=1$x"])
async def test_a_damaged_hash_is_no_wrong_password(damaged: str) -> None:
    """The operator is told how to get in again."""
    with pytest.raises(SetupError, match="--set-password"):
        await Passwords(CHEAP).matches("x", damaged)


def test_the_setup_code_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """Processes that start at once agree on it, and nothing else is left in the folder."""
    home = tmp_path / "home"
    with ThreadPoolExecutor(8) as pool:
        (code,) = set(pool.map(setup_code, [home] * 8))
    assert len(code.replace("-", "")) == 16
    (file,) = home.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert code != setup_code(tmp_path / "other")


def test_the_setup_code_is_gone_once_a_password_is_set(tmp_path: Path) -> None:
    """Whichever way it was set; other events leave it as it is."""
    code, told = setup_code(tmp_path), list[Sequence[Event]]()
    appended = until_password(tmp_path, told.append)
    for kind, there in (("access.logged-in", True), (PasswordSet.type, False), (PasswordSet.type, False)):
        appended([cast(Event, SimpleNamespace(type=kind))])
        assert (tmp_path / "setup-code").exists() is there
    assert (len(told), setup_code(tmp_path) == code) == (3, False)


def test_a_code_may_be_typed_as_it_is_read() -> None:
    """And an empty one is never right."""
    assert same_code(" ABCD efgh ", "abcd-efgh")
    assert [same_code(given, code) for given, code in (("abcd", "abcd-efgh"), ("", ""), ("\ud800", "a"), ("", "a"))] == [False] * 4


def test_a_code_that_cannot_be_read_says_where_it_is(tmp_path: Path) -> None:
    """For example because something else has its name."""
    (tmp_path / "setup-code").mkdir()
    with pytest.raises(SetupError, match="setup-code"):
        setup_code(tmp_path)
