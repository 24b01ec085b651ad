"""Which title templates get clicks: what every page's titles have shown, weighed together. Pure and repeatable.

One page of a small shop is seen a few hundred times a week, far too little to compare its titles on their own. Templates and
their features are shared by all pages, so a page borrows what the others have shown, as far as the evidence says that they
are alike (see ``title_effects``). A title is chosen as often as two independent draws of Thompson's (1933) agree on it: with the
few choices that a page's life has, one draw alone tries too much (``python -m bench.headlines`` says what either is worth).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from domain.choice import weighted_choice
from domain.entities import ContentPiece, TitlePeriod
from domain.policies import ContentPolicy
from domain.titles import WRITTEN, fields_of, literal_of
from learning.title_effects import Clicks, Effects, Floats, effects_of

HALF_LIFE_DAYS = 180.0
"""After that long an impression counts half: what people click changes, slowly."""
ENOUGH_PAGES = 3
ENOUGH_IMPRESSIONS = 1_000
TRIAL_WEIGHT = 0.1
"""For a template that fewer than ENOUGH_PAGES pages have shown: it is tried, and not yet compared."""
LEAST_WEIGHT = 0.05
"""For every other template, however poor: so a change of taste can be seen."""
LEAST_CHANGE = 0.1
"""The share of pages that must get another template before new weights are worth proposing."""
_CALLS = frozenset({"see", "find", "order", "discover", "choose", "get", "take"})
_LONG = 24
_GROUPS = ("all", "feature", "template", "page")
_SCALES = np.array([1.0, 0.07, 0.05, 0.5])
_OWN_SCALE = 0.15
_DRAWS = 256
_SEED = 20_260_301
_JITTER = 1e-9  # two templates may be the same to the model


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What a page's title was worth on one day. ``clicks`` are at most ``impressions``."""

    page: str
    template: str
    day: date
    impressions: float
    clicks: float


@dataclass(frozen=True)
class TitleModel:
    """Impressions and clicks by (page, template), aged to ``as_of``. ``templates`` may be chosen from without having been seen."""

    templates: tuple[str, ...] = ()
    half_life_days: float = HALF_LIFE_DAYS
    as_of: date = date.min
    counts: Mapping[tuple[str, str], tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which effects add up to a title's: ``pattern`` has those of each template, ``page`` says where a known page's own is."""

    pattern: Mapping[str, Floats]
    page: Mapping[str, int]
    group: NDArray[np.intp]

    def design(self, page: str, templates: Iterable[str]) -> Floats:
        """One row a template, for a page that is known or not. Raises KeyError for a template the model was not told of."""
        rows = np.array([self.pattern[template] for template in templates])
        if page in self.page:
            rows[:, self.page[page]] = 1.0
        return rows


@dataclass(frozen=True, kw_only=True)
class TitlePosterior:
    """What a model makes of its counts. ``row`` says where a cell stands in ``effects``."""

    effects: Effects
    columns: Columns
    row: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Choice:
    """The index of the chosen variant, and how likely it was to be chosen."""

    index: int
    propensity: float


def features_of(template: str) -> tuple[str, ...]:
    """What kinds of titles a template makes; the title the writer gave has no known kind."""
    own, fields = literal_of(template), fields_of(template)
    words = set(own.lower().replace(":", " ").replace(",", " ").split())
    told = {
        "price": "price" in fields,
        "brand": "shop" in fields,
        "attribute": bool(fields - {"price", "shop", "product", "written"}),
        "question": "?" in own,
        "number": any(sign.isdigit() for sign in own),
        "call-to-action": bool(words & _CALLS),
        "long": len(own) > _LONG,
    }
    return tuple(name for name, holds in told.items() if holds)


def fold(model: TitleModel, seen: Observation) -> TitleModel:
    """The model with one more observation; the order of observations does not matter."""
    as_of = max(model.as_of, seen.day)
    aged, fresh = _kept(model, as_of, since=model.as_of), _kept(model, as_of, since=seen.day)
    counts = {cell: (shown * aged, clicked * aged) for cell, (shown, clicked) in model.counts.items()}
    shown, clicked = counts.get((seen.page, seen.template), (0.0, 0.0))
    counts[seen.page, seen.template] = (shown + seen.impressions * fresh, clicked + seen.clicks * fresh)
    return replace(model, as_of=as_of, counts=counts)


def posterior(model: TitleModel) -> TitlePosterior:
    """Effects of features, templates and pages, given all counts."""
    columns, cells = _columns(model), sorted(model.counts)
    rows = [columns.design(page, [template]) for page, template in cells]
    shown, clicked = np.array([model.counts[cell] for cell in cells]).reshape(-1, 2).T
    clicks = Clicks(
        design=np.concatenate([np.empty((0, len(columns.group))), *rows]), group=columns.group, shown=shown, clicked=clicked
    )
    effects = effects_of(clicks, scales=_SCALES, own_scale=_OWN_SCALE)
    return TitlePosterior(effects=effects, columns=columns, row={cell: row for row, cell in enumerate(cells)})


def page_weights(known: TitlePosterior, page: str, templates: Sequence[str]) -> Floats:
    """How often to choose each title for this page, what is peculiar to the page included; they sum to 1."""
    design = known.columns.design(page, templates)
    rows = [known.row.get((page, template), -1) for template in templates]
    kept, pulled = np.append(known.effects.kept, 1.0)[rows], np.append(known.effects.pulled, 0.0)[rows]
    covariance = kept[:, None] * (design @ known.effects.covariance @ design.T) * kept
    own = np.diag(known.effects.own_variance * kept)
    return _agreed_best(kept * (design @ known.effects.mean) + pulled, covariance + own)


def template_weights(known: TitlePosterior, templates: Sequence[str]) -> Floats:
    """How often to choose each template for a page that nothing is known of; they sum to 1."""
    design = known.columns.design("", templates)
    return _agreed_best(design @ known.effects.mean, design @ known.effects.covariance @ design.T)


def choose(known: TitlePosterior, page: str, templates: Sequence[str], unit: float) -> Choice:
    """A title of the page by its weight; ``unit`` in [0, 1) is all the chance in it."""
    weights = page_weights(known, page, templates)
    index = weighted_choice(weights.tolist(), unit)
    return Choice(index, float(weights[index]))


def observations(pieces: Iterable[ContentPiece]) -> tuple[Observation, ...]:
    """Every whole day of every title that the pages have had; the day of a change belongs to neither title."""
    return tuple(
        Observation(page=piece.slug, template=template, day=day.day, impressions=day.impressions, clicks=day.clicks)
        for piece in pieces
        for template, after, before in _spans(piece.titles)
        for day in piece.metrics
        if after < day.day < before and day.impressions
    )


def title_candidate(pieces: Sequence[ContentPiece], policy: ContentPolicy) -> ContentPolicy | None:
    """The policy with the weights that the evidence calls for; None where there is too little of it, or little would change."""
    seen = observations(pieces)
    templates = policy.title_templates
    tried = [template for template in templates if len({one.page for one in seen if one.template == template}) >= ENOUGH_PAGES]
    if not tried or sum(one.impressions for one in seen) < ENOUGH_IMPRESSIONS:
        return None
    weights = _weights(posterior(reduce(fold, seen, TitleModel(templates=templates))), templates, tried)
    proposed = policy.model_copy(update={"title_weights": weights})
    change = sum(abs(new - old) for new, old in zip(proposed.title_shares, policy.title_shares, strict=True)) / 2
    return proposed if change >= LEAST_CHANGE else None


def _weights(known: TitlePosterior, templates: Sequence[str], tried: Sequence[str]) -> dict[str, float]:
    """At least half of the weight for those ``tried``, by what they have shown; the others only have what a trial takes."""
    least = {template: LEAST_WEIGHT if template in tried else TRIAL_WEIGHT for template in templates}
    scale = min(1.0, 0.5 / sum(least.values()))
    rest = 1 - scale * sum(least.values())
    earned = dict(zip(tried, template_weights(known, tried).tolist(), strict=True))
    return {template: round(scale * least[template] + rest * earned.get(template, 0.0), 3) for template in templates}


def _kept(model: TitleModel, as_of: date, *, since: date) -> float:
    return float(0.5 ** ((as_of - since).days / model.half_life_days))


def _columns(model: TitleModel) -> Columns:
    """All effects in a sorted order: in which order things arrived must not show."""
    templates = sorted({*model.templates, *(template for _, template in model.counts)})
    features = {template: features_of(template) for template in templates}
    names = [
        ("all", ""),
        *(("feature", name) for name in sorted({name for found in features.values() for name in found})),
        *(("template", name) for name in templates),
        *(("page", name) for name in sorted({page for page, _ in model.counts})),
    ]
    place = {name: number for number, name in enumerate(names)}
    pattern = {template: np.zeros(len(names)) for template in templates}
    for template, row in pattern.items():
        row[[place["all", ""], place["template", template], *(place["feature", name] for name in features[template])]] = 1.0
    pages = {name: number for (group, name), number in place.items() if group == "page"}
    return Columns(pattern=pattern, page=pages, group=np.array([_GROUPS.index(group) for group, _ in names]))


def _agreed_best(mean: Floats, covariance: Floats) -> Floats:
    """How often two draws of jointly normal values agree on the largest, from a fixed set of draws and their mirror images."""
    half = np.random.default_rng(_SEED).standard_normal((_DRAWS // 2, len(mean)))
    root = np.linalg.cholesky(covariance + _JITTER * np.eye(len(mean)))
    drawn = mean + np.concatenate([half, -half]) @ root.T
    best = (np.bincount(drawn.argmax(axis=1), minlength=len(mean)) + 0.5) ** 2
    return np.asarray(best / best.sum())


def _spans(titles: Sequence[TitlePeriod]) -> list[tuple[str, date, date]]:
    """(template, day of its start, day of its end), both exclusive."""
    ends = [*(later.since for later in titles[1:]), date.max]
    return [(period.template or WRITTEN, period.since, end) for period, end in zip(titles, ends, strict=True)]
