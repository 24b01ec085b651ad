"""Small shops that ``bench.headlines`` makes up: pages with titles from templates, and every click that was to be had."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.titles import features_of

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
WEEKS, PAGES, TITLES = 26, 30, 5
BASE_RATE = 0.03
TEMPLATES = (
    "{written}",
    "{product}",
    "{product} for {price}",
    "{product} from {shop}",
    "{product} in {material}",
    "{product}: is it for you?",
    "{product} for {price}, from {shop}",
    "{product}: 5 things to know",
    "{product} in {material}: order it for {price}",
    "Which {product} is right? See size, care and materials",
    "{product}: choose from 3 sizes",
    "{product}: everything to know before you order it",
)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Standard deviations are on the logit scale: 0.2 makes a click a fifth more or less likely.

    ``fixed`` pages keep the title they started with; the others may change it every week.
    """

    name: str
    feature_sd: float
    template_sd: float
    own_sd: float
    drifts: bool = False
    fixed: bool = False


SHARED = Scenario(name="templates matter", feature_sd=0.2, template_sd=0.1, own_sd=0.15)
NULL = Scenario(name="templates mean nothing", feature_sd=0.0, template_sd=0.0, own_sd=0.25)
SCENARIOS = (
    SHARED,
    NULL,
    Scenario(name="taste changes in half a year", feature_sd=0.2, template_sd=0.1, own_sd=0.15, drifts=True),
    Scenario(name="one title for a page's life", feature_sd=0.2, template_sd=0.1, own_sd=0.15, fixed=True),
)


@dataclass(frozen=True, kw_only=True)
class World:
    """``offered`` (page, title) are templates by number; ``rate``, ``shown`` and ``clicks`` are by week, page and title.

    ``unit`` (week, page, title) is all the chance that a policy gets; ``born`` is each page's first week.
    """

    offered: Ints
    born: Ints
    rate: Floats
    shown: Ints
    clicks: Ints
    unit: Floats


def world_of(scenario: Scenario, seed: int) -> World:
    """A shop of ``PAGES`` pages that come up over the first half of ``WEEKS`` weeks."""
    rng = np.random.default_rng([seed, *scenario.name.encode()])
    offered = np.array([rng.permutation(len(TEMPLATES))[:TITLES] for _ in range(PAGES)])
    born = np.sort(rng.integers(0, WEEKS if scenario.fixed else WEEKS // 2, size=PAGES))
    ends = [_template_effects(scenario, rng) for _ in range(2)]
    later = np.linspace(0, 1, WEEKS)[:, None] if scenario.drifts else np.zeros((WEEKS, 1))
    shared = (1 - later) * ends[0] + later * ends[1]
    season = 0.3 * np.sin(np.linspace(0, np.pi, WEEKS)) if scenario.drifts else np.zeros(WEEKS)
    base = np.log(BASE_RATE / (1 - BASE_RATE)) + rng.normal(0, 0.5, size=PAGES)
    own = rng.normal(0, scenario.own_sd, size=(PAGES, TITLES))
    rate = 1 / (1 + np.exp(-(base[None, :, None] + season[:, None, None] + shared[:, offered] + own)))
    shown = rng.poisson(rng.lognormal(np.log(300), 0.4, size=PAGES), size=(WEEKS, PAGES))
    return World(
        offered=offered,
        born=born,
        rate=rate,
        shown=shown,
        clicks=rng.binomial(shown[:, :, None], rate),
        unit=rng.uniform(1e-9, 1 - 1e-9, size=(WEEKS, PAGES, TITLES)),
    )


def _template_effects(scenario: Scenario, rng: np.random.Generator) -> Floats:
    names = sorted({name for template in TEMPLATES for name in features_of(template)})
    worth = dict(zip(names, rng.normal(0, scenario.feature_sd, size=len(names)), strict=True))
    own = rng.normal(0, scenario.template_sd, size=len(TEMPLATES))
    return np.asarray(own + [sum(worth[name] for name in features_of(template)) for template in TEMPLATES])
