"""Each benchmark runs, so that none rots; how fast anything is, is no business of a test."""

import pytest

from benchmarks.pairs import pairs
from benchmarks.run import measure, print_table
from tests.make import Cast


def test_it_measures_every_pair_and_prints_a_line_for_each(
    cast: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = [measure(pair, rounds=1) for pair in pairs(cast, tickets=3, history=50)]
    print_table(measured)
    assert len(measured) == 10
    assert all(row.ratio > 0 and row.micros > 0 for row in measured)
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(measured)
