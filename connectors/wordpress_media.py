"""Pictures in the media library of a WordPress site.

WordPress knows no idempotency keys, so a picture is uploaded under an address that is made of its bytes and its words, and
looked for there first: the same picture is uploaded once, whatever happened in between and however many pages show it. It is
never deleted, as nothing is: one that no page shows any more stays in the library.

A picture is never worth an outage. Where one cannot be had, or the site does not take it, the page keeps the one it shows, or
is left without, and it is said why.
"""

import asyncio
from dataclasses import dataclass, replace
from hashlib import sha256
from weakref import WeakValueDictionary

from connectors.pictures import Image, image_at
from connectors.wordpress_api import WordpressApi
from domain.entities import Picture
from domain.errors import EffectError, Permanent
from domain.ids import digest


@dataclass(frozen=True)
class Shown:
    """A page's picture: its number in the library, 0 for none, what the receipt says of it, and the picture itself."""

    media: int = 0
    said: str = ""
    picture: Picture | None = None

    def without(self, error: EffectError) -> "Shown":
        """What the page shows where another picture was meant for it and ``error`` came instead."""
        return replace(self, said=f"{'kept as it was' if self.media else 'left out'}: {error.message}")


class MediaLibrary:
    """``loopback``: the site is on this machine, so its pictures may be there too."""

    def __init__(self, api: WordpressApi, *, loopback: bool) -> None:
        self._api = api
        self._loopback = loopback
        self._busy: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def shown(self, picture: Picture | None, *, before: Shown) -> Shown:
        """``before`` is what the page shows. Raises Retryable and Stale where that is what the site itself answers."""
        if picture is None:
            return Shown()
        if before.media and before.picture == picture:
            return replace(before, said=f"media-{before.media}")
        try:
            image = await image_at(picture.url, loopback=self._loopback)
        except EffectError as error:
            return before.without(error)
        try:
            number = await self._kept(image, picture.alt)
        except Permanent as error:
            return before.without(error)
        return Shown(number, f"media-{number}", picture)

    async def _kept(self, image: Image, alt: str) -> int:
        """The words belong to the picture there, so that another text is another picture."""
        slug = f"steward-{digest([sha256(image.content).hexdigest(), alt])[:32]}"
        async with self._busy.setdefault(slug, asyncio.Lock()):
            known = await self._api.numbered("media", slug)
            return known or await self._api.upload(
                image.content, image.media_type, name=f"{slug}.{image.ending}", slug=slug, alt=alt
            )
