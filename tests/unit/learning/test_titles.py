"""Titles are weighed across pages, chosen repeatably, and proposed only where the evidence calls for it."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.headline_shops import NULL, SHARED
from bench.headlines import OURS, Gain, Line, missed
from domain.entities import ContentMetrics, ContentPiece, TitlePeriod
from domain.events import ContentPublished
from domain.policies import ContentPolicy
from domain.titles import WRITTEN
from learning.title_effects import Clicks, effects_of
from learning.titles import (
    Observation,
    TitleModel,
    TitlePosterior,
    choose,
    features_of,
    fold,
    observations,
    page_weights,
    posterior,
    template_weights,
    title_candidate,
)

DAY = date(2026, 3, 2)
PLAIN, OTHER = "{product} here", "{product} there"
PRICED, SHOP = "{product} for {price}", "{product} from {shop}"


def day_of(page: str, template: str, clicks: float, *, shown: float = 500, day: date = DAY) -> Observation:
    return Observation(page=page, template=template, day=day, impressions=shown, clicks=clicks)


def known(seen: Iterable[Observation], *templates: str) -> TitlePosterior:
    return posterior(reduce(fold, seen, TitleModel(templates=templates)))


def page(slug: str, template: str, *, clicks: int, shown: int = 500) -> ContentPiece:
    metrics = ContentMetrics(day=DAY + timedelta(days=1), impressions=shown, clicks=clicks)
    titles = (TitlePeriod(template=template, since=DAY),)
    given = {"slug": slug, "kind": "faq", "title": "T", "description": "D", "body": "B", "keyword": "t", "title_template": template}
    return ContentPiece.model_validate({**given, "metrics": (metrics,), "titles": titles})


def shelf(worse: str, better: str) -> list[ContentPiece]:
    """Ten pages a template; the titles of one are clicked three times as often."""
    return [
        *(page(f"a-{n}", worse, clicks=10 + n % 3) for n in range(10)),
        *(page(f"b-{n}", better, clicks=32 + n % 3) for n in range(10)),
    ]


SEEN = st.builds(
    day_of,
    page=st.sampled_from(["mug", "cup"]),
    template=st.sampled_from([PLAIN, PRICED]),
    clicks=st.integers(0, 20),
    day=st.dates(DAY, DAY + timedelta(days=400)),
)


class TestModel:
    @given(seen=st.lists(SEEN, min_size=1, max_size=8), data=st.data())
    def test_order_does_not_matter(self, seen: list[Observation], data: st.DataObject) -> None:
        """Observations that arrive late or in another order give the same counts."""
        one, other = (reduce(fold, order, TitleModel()) for order in (seen, data.draw(st.permutations(seen))))
        assert one.as_of == other.as_of
        assert one.counts.keys() == other.counts.keys()
        for cell, counts in one.counts.items():
            assert counts == pytest.approx(other.counts[cell])

    def test_old_clicks_count_less(self) -> None:
        """What is one half-life old counts half."""
        old, new = day_of("mug", PLAIN, 20), day_of("cup", PLAIN, 20, day=DAY + timedelta(days=100))
        model = reduce(fold, (old, new), TitleModel(half_life_days=100))
        assert model.counts["mug", PLAIN] == pytest.approx((250, 10))
        assert model.counts["cup", PLAIN] == pytest.approx((500, 20))

    def test_nothing_seen(self) -> None:
        """Without evidence alike templates are chosen alike."""
        weights = template_weights(known((), PLAIN, OTHER), (PLAIN, OTHER))
        assert weights == pytest.approx([0.5, 0.5], abs=0.15)

    def test_a_new_page_borrows(self) -> None:
        """What did well on other pages is preferred on a page of which nothing is known."""
        seen = [day_of(f"p{n}", t, c) for n in range(12) for t, c in ((PLAIN, 12.0), (OTHER, 24.0))]
        weights = page_weights(known(seen), "new", (PLAIN, OTHER))
        assert weights[1] > 0.8

    def test_a_new_template_borrows(self) -> None:
        """Where all titles with a price do better, a new one with a price is preferred to a new one without."""
        rates = {PLAIN: 10.0, OTHER: 11.0, PRICED: 15.0, "{product}: {price}": 16.0}
        fresh = ("{product}: only {price}", "{product}, now with us")
        weights = template_weights(known([day_of(f"p{n}", t, c) for n in range(12) for t, c in rates.items()], *fresh), fresh)
        assert weights[0] > 0.7

    def test_a_page_may_differ(self) -> None:
        """What a page has clearly shown itself outweighs what the others have shown."""
        others = [day_of(f"p{n}", t, c) for n in range(12) for t, c in ((PLAIN, 12.0), (OTHER, 18.0))]
        own = [day_of("odd", PLAIN, 400, shown=5_000), day_of("odd", OTHER, 100, shown=5_000)]
        found = known([*others, *own])
        assert page_weights(found, "odd", (PLAIN, OTHER))[0] > 0.8
        assert page_weights(found, "p1", (PLAIN, OTHER))[0] < 0.4

    def test_unknown_template(self) -> None:
        """A template that the model was not told of is an error, not a guess."""
        with pytest.raises(KeyError):
            template_weights(known((), PLAIN), (PLAIN, OTHER))


class TestChoice:
    def test_repeatable_and_with_its_propensity(self) -> None:
        """The same number chooses the same title, and over all numbers each is chosen as often as it says."""
        found = known([day_of("mug", PLAIN, 10), day_of("mug", OTHER, 14)])
        chosen = [choose(found, "mug", (PLAIN, OTHER), (n + 0.5) / 400) for n in range(400)]
        second = [choice for choice in chosen if choice.index == 1]
        assert choose(found, "mug", (PLAIN, OTHER), 0.5 / 400) == chosen[0]
        assert len(second) / 400 == pytest.approx(second[0].propensity, abs=0.005)

    def test_features(self) -> None:
        """A template's kinds follow from its fields and its own words."""
        assert features_of(WRITTEN) == ()
        assert features_of("{product} in {material} for {price}") == ("price", "attribute")
        assert features_of("{product}: choose 1 of 3?") == ("question", "number", "call-to-action")


class TestEffects:
    @pytest.fixture
    def clicks(self) -> Clicks:
        """200 pages, 8 templates with a standard deviation of 0.4, nothing else; group 0 is the level, group 1 the templates."""
        rng = np.random.default_rng(7)
        worth = rng.normal(0, 0.4, size=8)
        design = np.column_stack([np.ones(1_600), np.tile(np.eye(8), (200, 1))])
        rate = 1 / (1 + np.exp(3 - design[:, 1:] @ worth))
        clicked = rng.binomial(300, rate).astype(float)
        return Clicks(design=design, group=np.array([0, *[1] * 8]), shown=np.full(1_600, 300.0), clicked=clicked)

    def test_the_posterior_is_a_maximum(self, clicks: Clicks) -> None:
        """The gradient of the log posterior is zero at the effects found (Newton's steps have converged)."""
        found = effects_of(clicks, scales=np.array([1.0, 0.1]), own_scale=0.1)
        rate = (clicks.clicked.sum() + 0.5) / (clicks.shown.sum() + 1)
        logit = np.log(rate / (1 - rate)) + found.kept * (clicks.design @ found.mean) + found.pulled
        missing = clicks.clicked - clicks.shown / (1 + np.exp(-logit))
        gradient = clicks.design.T @ missing - found.mean / found.variances[clicks.group]
        assert np.abs(gradient).max() < 1e-4 * clicks.clicked.sum()

    def test_variances_are_learned(self, clicks: Clicks) -> None:
        """Effects that are there get a larger variance than was guessed, deviations that are not there a smaller one."""
        found = effects_of(clicks, scales=np.array([1.0, 0.05]), own_scale=0.2)
        assert 0.2 < found.variances[1] ** 0.5 < 0.5
        assert found.own_variance**0.5 < 0.1


class TestObservations:
    def test_each_day_belongs_to_its_title(self) -> None:
        """Days go to the title that was shown all day; the days of change to none, and days before the first to none."""
        days = tuple(ContentMetrics(day=DAY + timedelta(days=n), impressions=100 + n, clicks=1) for n in range(-1, 5))
        titles = (TitlePeriod(template="", since=DAY), TitlePeriod(template=PRICED, since=DAY + timedelta(days=3)))
        piece = page("mug", PRICED, clicks=0).model_copy(update={"metrics": days, "titles": titles})
        assert [(one.template, one.impressions) for one in observations([piece])] == [(WRITTEN, 101), (WRITTEN, 102), (PRICED, 104)]

    def test_publishing_again_keeps_the_earlier_titles(self) -> None:
        """A page remembers from when on each of its titles stood, so that an ignored one is not forgotten."""
        first = page("mug", PLAIN, clicks=0).model_copy(update={"titles": (), "published_at": datetime(2026, 3, 2, tzinfo=UTC)})
        second = first.model_copy(update={"title_template": PRICED, "published_at": datetime(2026, 3, 20, tzinfo=UTC)})
        state = ContentPublished(piece=second).fold(ContentPublished(piece=first).fold(None))
        assert [(t.template, t.since.day) for t in state.titles] == [(PLAIN, 2), (PRICED, 20)]


class TestCandidate:
    POLICY = ContentPolicy(title_templates=(WRITTEN, PRICED, SHOP), title_weights={WRITTEN: 0.5, PRICED: 0.5})

    def test_the_better_title_gains(self) -> None:
        """Templates that are clicked more get more pages; each keeps a little, and nothing else changes."""
        found = title_candidate(shelf(WRITTEN, PRICED), self.POLICY)
        assert found is not None
        assert found.title_weights[PRICED] > 0.6 > 0.3 > found.title_weights[WRITTEN]
        assert min(found.title_weights.values()) >= 0.05
        assert found.model_copy(update={"title_weights": self.POLICY.title_weights}) == self.POLICY
        assert ContentPolicy.model_validate(found.model_dump()) == found

    def test_the_same_evidence_is_not_proposed_twice(self) -> None:
        """With its proposal in force, the same evidence calls for nothing more."""
        pages = shelf(WRITTEN, PRICED)
        found = title_candidate(pages, self.POLICY)
        assert found is not None
        assert title_candidate(pages, found) is None

    @pytest.mark.parametrize(
        ("pages", "policy"),
        [
            (shelf(WRITTEN, PRICED)[8:12], POLICY),
            ([page(f"p-{n}", WRITTEN, clicks=1, shown=20) for n in range(10)], POLICY),
            (shelf(WRITTEN, PRICED), ContentPolicy(title_templates=(WRITTEN,))),
            ([], POLICY),
        ],
        ids=["two pages each", "hardly shown", "one template", "nothing"],
    )
    def test_too_little_to_say(self, pages: list[ContentPiece], policy: ContentPolicy) -> None:
        """Few pages, few impressions or no choice: no proposal."""
        assert title_candidate(pages, policy) is None

    def test_untried_titles_are_proposed(self) -> None:
        """Where only the written titles were ever shown, they keep half of the pages, and the others share the rest evenly."""
        found = title_candidate([page(f"p-{n}", "", clicks=12) for n in range(10)], ContentPolicy())
        assert found is not None
        assert found.title_shares == pytest.approx((0.545, *[0.091] * 5), abs=0.001)


@pytest.mark.parametrize(("low", "ratio", "problems"), [(1.0, 1.02, 0), (-1.0, 1.02, 1), (1.0, 1.03, 1), (0.0, 2.0, 2)])
def test_the_benchmark_can_fail(low: float, ratio: float, problems: int) -> None:
    """A gain that may be none is a miss, and so is losing where pooling has nothing to offer."""

    def line(scenario: str, saved: float, regret_ratio: float) -> Line:
        gained = Gain(0, 0, 0)
        more = {"clicks": 0.0, "regret": 1.0, "gained": gained, "saved": Gain(saved, saved, saved)}
        return Line(scenario=scenario, policy=OURS, regret_ratio=regret_ratio, **more)  # type: ignore[arg-type]

    assert len(missed([line(SHARED.name, low, 0.5), line(NULL.name, 0.0, ratio)])) == problems
