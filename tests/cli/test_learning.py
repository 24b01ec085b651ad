"""Learning through the command: the page, flags, experiments, and the operator's word on a proposal."""

import asyncio
from datetime import UTC, datetime, timedelta

from cli.context import open_system, record
from domain.policies import PolicyProposed, PolicyRecord, PolicyVersion
from learning.steering import begin, propose
from tests.cli.steward import Steward
from tests.unit.learning.trial import candidate


async def _tried(shop: Steward) -> str:
    """A trial of the support policy, as the learning cycle begins one; its experiment's name."""
    now = datetime.now(UTC)
    async with open_system(shop.settings) as system:
        found = await system.memory.state.get(PolicyRecord, "support") or PolicyRecord(name="support")
        asked = candidate(parent=found.active, days=1.5)
        proposed, version = propose(found, asked, now=now)
        trial = begin(proposed.fold(found), version, asked, level=0.1, share=0.2, expires_at=now + timedelta(days=28), now=now)
        await record(system, proposed, *trial, at=now)
    return f"support@{version.version}"


async def _proposed(shop: Steward) -> int:
    """A change of who may act alone, waiting for the operator; its version."""
    now = datetime.now(UTC)
    async with open_system(shop.settings) as system:
        found = await system.memory.state.get(PolicyRecord, "autonomy") or PolicyRecord(name="autonomy")
        version = PolicyVersion(
            version=found.next_version, document={"sample": 0.2}, proposed_by="learner", at=now, parent=found.active
        )
        await record(system, PolicyProposed(name="autonomy", version=version), at=now)
    return version.version


def test_a_look_back_gives_a_page_that_can_be_read_again(shop: Steward) -> None:
    """`learn` looks and shows; `learn --last` only shows."""
    looked, read = shop("learn", "--json"), shop("learn", "--last", "--json")
    assert looked.json == read.json
    assert shop("learn", "--last").out.startswith("Learning, ")


def test_a_trial_is_shown_and_taken_back_with_one_command(shop: Steward) -> None:
    """It names what changes; after the rollback it has ended and its version is out."""
    name = asyncio.run(_tried(shop))
    assert "follow_up_after_days" in shop("experiments", "show", name).out
    assert f"policy/{name.partition('@')[0]}" in shop("flags", "list").out
    back = shop("policies", "rollback", "support", "--json")
    assert back.code == 0, back
    assert back.json["trial"] == ""
    listed = next(e for e in shop("experiments", "list", "--json").json if e["experiment_id"] == name)
    assert (listed["stage"], listed["ending"]) == ("ended", "stopped")
    assert shop("experiments", "stop", name).code == 2


def test_a_proposal_is_in_force_once_it_is_ratified_and_not_before(shop: Steward) -> None:
    """Twice is refused; what is not proposed cannot be ratified."""
    version = asyncio.run(_proposed(shop))
    before = shop("policies", "show", "autonomy", "sample", "--json").json["document"]
    assert shop("policies", "ratify", "autonomy", str(version), "--json").json["active"] == version
    assert (before, shop("policies", "show", "autonomy", "sample", "--json").json["document"]) == (0.1, 0.2)
    assert shop("policies", "ratify", "autonomy", str(version)).code == 2
    assert shop("policies", "rollback", "autonomy").code == 0


def test_a_flag_is_switched_and_pinned(shop: Steward) -> None:
    """A flag of an experiment is left to its experiment."""
    assert shop("flags", "set", "learning", "off", "--json").json["on"] is False
    assert shop("flags", "set", "learning", "on", "--share", "0.5", "--json").json["share"] == 0.5
    assert shop("flags", "pin", "learning", "--json").json["pinned"] is True
    assert shop("flags", "set", "nothing", "on").code == 2


def test_a_pinned_policy_takes_no_proposal(shop: Steward) -> None:
    """Until it is let go again."""
    assert shop("policies", "pin", "content", "--json").json["pinned"] is True
    assert shop("policies", "pin", "content", "--off", "--json").json["pinned"] is False


def test_a_question_is_answered_by_describing_the_product(shop: Steward) -> None:
    """The catalogue has the answer from then on."""
    sku = shop("state", "list", "product", "--json").json[0]["sku"]
    assert shop("describe", sku, "care=by hand", "--json").json["attributes"]["care"] == "by hand"
    assert shop("describe", "NOTHING", "care=by hand").code == 2
    assert shop("describe", sku, "care").code == 2
