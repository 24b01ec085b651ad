"""What was learned: reports, proposals, trials and what acts alone; and the operator's word on them."""

from console.house import House
from console.places import place_of
from domain.event import new_event
from domain.experiments import Experiment, ExperimentStarted
from domain.failures import Failure
from domain.flags import AUTONOMY
from domain.policies import AutonomyPolicy, PolicyRecord
from domain.runs import Alert, AlertLevel, AlertRaised
from tests.console.browser import Browser
from tests.console.door import PASSWORD
from tests.console.past import CLASS

TRIAL = "/learning/experiments/content@2"
PAGES = ("", "/experiments", "/autonomy", "/policies", "/flags", "/figures")


async def rule(house: House, name: str) -> PolicyRecord:
    found = await house.memory.state.get(PolicyRecord, name)
    assert found is not None
    return found


async def test_every_page_is_there_before_anything_was_learned(browser: Browser) -> None:
    """And says so."""
    for path in PAGES:
        assert "<h1>" in await browser.page(f"/learning{path}")
    assert "Nothing was looked back at yet" in await browser.page("/learning")


async def test_a_standing_rule_is_shown_as_a_proposal(furnished: House, browser: Browser) -> None:
    """With the record it comes from; what is tried waits for nobody's word."""
    page = await browser.page("/learning")
    for shown in (
        "a standing rule, proposed",
        f"You looked at 30 of {CLASS}: 24 as they were, 6 changed",
        "nothing changes before",
    ):
        assert shown in page
    assert "wrong intent: damaged" in page
    assert "content, version 2" not in page


async def test_what_is_ratified_is_in_force(furnished: House, browser: Browser) -> None:
    """Approved by the operator, and the alert that asked for it is closed."""
    asked = Alert(key="ratify/autonomy@1", level=AlertLevel.INFO, text="a rule waits", at=furnished.clock())
    await furnished.memory.log.append([new_event(AlertRaised(alert=asked), at=asked.at, key=("1",))])
    assert (await browser.post("/learning/policies/autonomy/ratify", {"version": "1"})).status_code == 303
    in_force = (await furnished.memory.policies.in_force(AutonomyPolicy)).document
    alert = await furnished.memory.state.get(Alert, "ratify/autonomy@1")
    assert alert is not None
    assert (list(in_force.grants), alert.open) == ([CLASS], False)
    assert "acts alone" in await browser.page("/learning/autonomy")


async def test_the_last_change_can_be_rolled_back_and_a_rule_pinned(furnished: House, browser: Browser) -> None:
    """Turning down a proposal keeps it in the history with the reason."""
    await browser.post("/learning/policies/autonomy/drop", {"version": "1", "why": "too early"})
    assert (await rule(furnished, "autonomy")).dropped == {1: "too early"}
    assert "out: too early" in await browser.page("/learning/policies/autonomy")
    await browser.post("/learning/policies/content/rollback", {"hard": "yes"})
    await browser.post("/learning/policies/content/pin")
    content = await rule(furnished, "content")
    assert (content.active, content.trial, content.pinned, content.trials[-1].hard) == (1, "", True, True)


async def test_a_trial_shows_its_evidence_and_can_be_stopped(furnished: House, browser: Browser) -> None:
    """With the limits at which it decides; a second time it is refused."""
    page = await browser.page(TRIAL)
    for shown in ("for a gain (decides at 20)", "for harm (decides at 5)", "pages_per_run", "<svg"):
        assert shown in page
    assert (await browser.post(f"{TRIAL}/stop", {"why": "not now"})).status_code == 303
    trial = await furnished.memory.state.get(Experiment, "content@2")
    assert trial is not None
    assert (trial.ending, trial.reason) == ("stopped", "not now")
    assert (await browser.post(f"{TRIAL}/stop")).status_code == 409


async def test_a_trial_that_has_not_won_is_not_ratified(furnished: House, browser: Browser) -> None:
    """Neither from its own page nor as a version."""
    assert (await browser.post(f"{TRIAL}/ratify")).status_code == 409
    assert (await browser.post("/learning/policies/content/ratify", {"version": "2"})).status_code == 409


async def test_what_lowers_a_guard_wants_the_password_again(furnished: House, browser: Browser) -> None:
    """Nothing is changed without it; turning a proposal down needs none."""
    await browser.forget_the_password(furnished)
    for path in ("policies/autonomy/ratify", "policies/content/rollback", "policies/content/pin", "experiments/content@2/stop"):
        assert (await browser.post(f"/learning/{path}", {"version": "1"})).status_code == 403, path
    assert (await browser.post("/learning/flags", {"key": AUTONOMY, "value": "off"})).status_code == 403
    assert (await rule(furnished, "content")).trial == "content@2"
    assert (await browser.post("/learning/policies/autonomy/drop", {"version": "1"})).status_code == 303
    answer = await browser.post("/learning/policies/content/pin", {"password": PASSWORD})
    assert answer.status_code == 303


async def test_what_does_not_exist_is_refused(browser: Browser) -> None:
    """A policy, a version, a word, a trial, a report, a flag."""
    for path in ("policies/nothing", "experiments/x@1", "reports/2020-01-01"):
        assert (await browser.get(f"/learning/{path}")).status_code == 404, path
    wrong = {"policies/nothing/pin": 404, "policies/gate/explode": 404, "policies/gate/ratify": 422, "experiments/x@1/stop": 404}
    for path, status in wrong.items():
        assert (await browser.post(f"/learning/{path}")).status_code == status, path
    assert (await browser.post("/learning/flags", {"key": "nothing", "value": "on"})).status_code == 404


async def test_a_flag_is_switched_and_a_cause_confirmed(furnished: House, browser: Browser) -> None:
    """A flag of a trial belongs to it."""
    await browser.post("/learning/flags", {"key": AUTONOMY, "value": "off", "why": "holiday"})
    assert (await furnished.memory.flags.evaluate(AUTONOMY, unit="any")).value is False
    assert (await browser.post("/learning/flags", {"key": "policy/content", "value": "off"})).status_code == 422
    await browser.post("/learning/failures", {"failure": "f" * 8, "cause": "data-missing"})
    failure = await furnished.memory.state.get(Failure, "f" * 8)
    assert failure is not None
    assert (failure.cause, failure.confirmed) == ("data-missing", True)


async def test_the_figures_are_drawn_with_their_tables(furnished: House, browser: Browser) -> None:
    """Six pictures of twelve weeks."""
    page = await browser.page("/learning/figures")
    assert (page.count('class="chart"'), page.count("The figures")) == (6, 6)
    for shown in ("Triage was right", "Left to you", "First response", "Click-through rate", "Spent on models"):
        assert shown in page


async def test_one_class_asks_again_without_a_password(furnished: House, browser: Browser) -> None:
    """And is not proposed any more; the others go on. What does not act alone cannot be taken back."""
    await browser.post("/learning/policies/autonomy/ratify", {"version": "1"})
    await browser.forget_the_password(furnished)
    assert "Ask again" in await browser.page("/learning/autonomy")
    assert (await browser.post("/learning/autonomy/ask-again", {"key": CLASS})).status_code == 303
    policy = (await furnished.memory.policies.in_force(AutonomyPolicy)).document
    assert (policy.grants, policy.refused) == ({}, (CLASS,))
    assert (await browser.post("/learning/autonomy/ask-again", {"key": CLASS})).status_code == 404
    assert "not wanted by you" in await browser.page("/learning/autonomy")


async def test_a_trial_is_found_whatever_its_id_is(furnished: House, browser: Browser) -> None:
    """With a slash in it, too."""
    trial = await furnished.memory.state.get(Experiment, "content@2")
    assert trial is not None
    other = trial.model_copy(update={"experiment_id": "a/b@1"})
    now = furnished.clock()
    await furnished.memory.log.append([new_event(ExperimentStarted(experiment=other), at=now, key=("other",))])
    assert "a/b@1" in await browser.page(place_of("experiment/a/b@1"))
