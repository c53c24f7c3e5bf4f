import numpy as np
import pandas as pd
import pytest

from matchclf.features.facts import once, sharing


class Counted:
    """A fact of matches, and how often it was found."""

    def __init__(self):
        self.found = 0
        self.ask = once(self._find)

    def _find(self, matches, *columns):
        self.found += 1
        return matches[list(columns)].to_numpy(copy=True)


@pytest.fixture
def matches():
    return pd.DataFrame({"a": [1, 2], "b": [3, 4]})


def test_a_fact_is_found_once_for_all_who_share_the_matches(matches):
    fact = Counted()
    with sharing(matches):
        assert fact.ask(matches, "a") is fact.ask(matches, "a")
        assert fact.ask(matches, "b").tolist() == [[3], [4]]
        assert fact.found == 2
    fact.ask(matches, "a")
    assert fact.found == 3


def test_other_matches_have_facts_of_their_own_even_if_they_are_equal(matches):
    fact, others = Counted(), matches.copy()
    with sharing(matches):
        first = fact.ask(matches, "a")
        matches.loc[0, "a"] = 7
        assert fact.ask(others, "a").tolist() == [[1], [2]]
        with sharing(others):
            assert fact.ask(others, "a") is fact.ask(others, "a")
            assert fact.ask(matches, "a").tolist() == [[7], [2]]
        assert fact.ask(matches, "a") is first


def test_who_changes_a_shared_fact_is_stopped_and_the_next_ones_have_it_as_it_was(matches):
    fact = Counted()
    with pytest.raises(ValueError, match="read-only"), sharing(matches):
        fact.ask(matches, "a")[0] = 9
    with sharing(matches):
        assert fact.ask(matches, "a").tolist() == [[1], [2]]
    own = fact.ask(matches, "a")
    own[0] = 9
    assert np.array_equal(own, [[9], [2]])
