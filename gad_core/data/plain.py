"""JSON from outside, held against a declared form before anything is made of it: what does not fit is named."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from gad_core.errors import GadError


class Form(BaseModel):
    """A declared form of JSON: numbers that are numbers, finite, and in their ranges."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, frozen=True)

    @classmethod
    def of(cls, values: Mapping[str, Any], *, what: str) -> Self:
        """Read `values`, called `what`; raises `GadError` with the first field that does not fit, and why."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(map(str, found["loc"]))
            reason = found["msg"].removeprefix("Input ").removeprefix("Value error, ").lower()
            raise GadError(f"{what}{f', {field}' if field else ''}: {reason}") from error


def _distinct(values: list[int]) -> list[int]:
    if len(set(values)) < len(values):
        raise ValueError("holds a number twice")
    return values


#: A share or a probability.
Share = Annotated[float, Field(ge=0, le=1)]
#: Levels of a network, counted from 1.
Levels = Annotated[list[Annotated[int, Field(ge=1, le=1000)]], Field(min_length=1), AfterValidator(_distinct)]
#: Places, counted from 0.
Places = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), AfterValidator(_distinct)]
