"""A call that torchaudio or torchcodec takes is taken here: parameters, their order and defaults are the same."""

from __future__ import annotations

import json

import pytest

import signatures


@pytest.mark.parametrize("library", signatures.CALLABLES)
def test_parameters_are_those_of_the_original_and_what_is_further_is_optional(library: str) -> None:
    expected = json.loads((signatures.EXPECTED / f"signatures_{library}.json").read_text())
    assert signatures.differences(expected, signatures.of_penstock(library)) == []
