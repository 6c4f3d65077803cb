import numpy as np

from cxr_runtime.arrivals import known_files
from cxr_runtime.arrivals.known_files import KnownFiles


def keys(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def test_files_that_were_given_are_known_with_their_states() -> None:
    known = KnownFiles()
    known.add(5, 50)
    known.add(-3, 30)
    assert (known.state(5), known.state(-3), known.state(4)) == (50, 30, None)
    assert known.unknown(keys(4, 5, -3)).tolist() == [True, False, False]
    known.add(5, 51)
    assert known.state(5) == 51
    assert known.unknown(keys(5, -3, 6)).tolist() == [False, False, True]
    assert (known.state(5), known.state(-3)) == (51, 30)


def test_files_that_are_not_listed_any_more_are_forgotten() -> None:
    known = KnownFiles()
    for key in range(10):
        known.add(key, 1)
    known.forget_others(keys(1, 2))
    assert [key for key in range(10) if known.state(key) is not None] == [1, 2]


def test_many_files_are_kept_in_two_sorted_arrays() -> None:
    known = KnownFiles()
    numbers = np.random.default_rng(0).permutation(3 * known_files.MERGED_AT)
    for number in numbers.tolist():
        known.add(number, number + 1)
    assert [known.state(number) for number in numbers[:100].tolist()] == (numbers[:100] + 1).tolist()
    assert not known.unknown(numbers.astype(np.int64)).any()
