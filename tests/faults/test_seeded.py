from pathlib import Path

import pytest

from tests.faults.fault_list import FAULTS, Fault

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_seeded_fault_still_has_its_place_and_its_tests(fault: Fault) -> None:
    assert (ROOT / fault.path).read_text().count(fault.before) == 1
    assert fault.before != fault.after
    assert all((ROOT / test.split("::")[0]).exists() for test in fault.tests)


def test_at_least_twenty_faults_are_seeded_each_under_its_own_name() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 20
