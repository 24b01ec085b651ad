"""The base of every value: frozen, closed to unknown fields, times aware."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints


class Value(BaseModel):
    """An immutable value. Two values with equal fields are equal."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(max_length=200_000)]
Moment = AwareDatetime
