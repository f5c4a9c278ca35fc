"""What a caller gave as parameters, as the API takes it; what can't be meant is refused here by its name."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ._problems import PenstockError


class InvalidParameter(PenstockError, ValueError, TypeError):
    """A parameter of this package has a value that can't be used; the message says which, and what it takes."""


def integer(name: str, value: Any, minimum: int | None = None) -> int:
    """A whole number: an int, or what stands for one (NumPy's integers, a tensor of one integer)."""
    try:
        number = operator.index(value)
    except TypeError:
        raise InvalidParameter(f"{name} must be an integer. Found: {value!r}") from None
    if minimum is not None and number < minimum:
        must_be = "positive" if minimum == 1 else f"at least {minimum}"
        raise InvalidParameter(f"{name} must be {must_be}. Found: {number}")
    return number


def optional_integer(name: str, value: Any) -> int | None:
    """A positive whole number, or None."""
    return None if value is None else integer(name, value, 1)


def optional_rate(name: str, value: Any) -> int | float | str | None:
    """Frames per second, or None."""
    return None if value is None else rate(name, value)


def rate(name: str, value: Any) -> int | float | str:
    """Frames per second: a number, a Fraction, or a text such as "30000/1001"."""
    if isinstance(value, str):
        try:
            number = float(Fraction(value.replace(" ", "")))
        except (ValueError, ZeroDivisionError):
            raise InvalidParameter(f'{name} must be a number or a fraction ("30000/1001"). Found: {value!r}') from None
        _check_rate(name, number)
        return value
    if isinstance(value, Fraction):
        _check_rate(name, float(value))
        return f"{value.numerator}/{value.denominator}"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidParameter(f"{name} must be a number. Found: {value!r}") from None
    _check_rate(name, number)
    return int(number) if number.is_integer() else number


def _check_rate(name: str, number: float) -> None:
    if not math.isfinite(number) or number <= 0:
        raise InvalidParameter(f"{name} must be positive and finite. Found: {number:g}")


def seconds(name: str, value: Any) -> float | None:
    """A time: finite, and not before 0."""
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidParameter(f"{name} must be a number of seconds. Found: {value!r}") from None
    if not math.isfinite(number) or number < 0:
        raise InvalidParameter(f"The value of {name.upper()} must be positive and finite. Found: {number:g}")
    return number


def options(name: str, value: Mapping[str, Any] | None) -> dict[str, str] | None:
    """Options by name, with values as text: numbers as they are written, True and False as 1 and 0."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidParameter(f'{name} is a mapping of names to values ({{"crf": "23"}}). Found: {value!r}')
    return {str(key): _as_text(name, str(key), entry) for key, entry in value.items()}


def _as_text(name: str, key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (str, int, float)):
        return str(value)
    if hasattr(value, "item"):
        # A number of NumPy's or of one element of a tensor.
        return _as_text(name, key, value.item())
    raise InvalidParameter(f"{name}: the value of {key} must be text or a number. Found: {value!r}")


def without_none(**members: Any) -> dict[str, Any]:
    """What was given: members that are None are left out, as the API has them."""
    return {name: value for name, value in members.items() if value is not None}
