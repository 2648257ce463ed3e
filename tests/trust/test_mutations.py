"""No damaged file ends in a traceback, a crash or a wait; what is wrong is one sentence."""

import json

import pytest

from tests.conftest import run
from tests.trust.mutations import KINDS


@pytest.mark.slow
@pytest.mark.parametrize("count", [20])
def test_mutated_files_are_read_or_refused_in_a_sentence(tmp_path, count):
    said = run("-m", "tests.trust.mutations", 0, count, tmp_path)
    outcomes = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [one.pop("kind") for one in outcomes] == list(KINDS)
    for one in outcomes:
        assert one.keys() <= {"read", "told"}, one
        assert sum(one.values()) == count
