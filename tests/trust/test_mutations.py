"""No damaged file ends in a traceback, a crash or a wait; what is wrong is one sentence."""

import json

import pytest

from tests.conftest import run
from tests.trust.mutations import KINDS, attempt, matlab, mutated


@pytest.mark.slow
@pytest.mark.parametrize("count", [20])
def test_mutated_files_are_read_or_refused_in_a_sentence(tmp_path, count):
    said = run("-m", "tests.trust.mutations", 0, count, tmp_path)
    outcomes = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [one.pop("kind") for one in outcomes] == list(KINDS)
    for one in outcomes:
        assert one.keys() <= {"read", "told"}, one
        assert sum(one.values()) == count


def test_files_that_crash_scipy_are_refused(tmp_path):
    path = matlab(tmp_path)
    good, outcomes = path.read_bytes(), set()
    for seed in range(12):
        path.write_bytes(mutated(good, seed))
        outcomes.add(attempt(KINDS["mat"][1], path))
    assert outcomes <= {"read", "told"}
    assert "told" in outcomes
