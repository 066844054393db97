from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.mixture import Mixture, subsample, tune_plan, visits_of
from d2b_gate.core.rows import RowRef, Turn, make_row
from d2b_gate.core.rules import MethodSpec


def rows(prefix, count):
    return tuple(make_row([Turn("user", f"{prefix}{i}", False), Turn("assistant", "yes", True)]) for i in range(count))


def refs(count, path="a.jsonl"):
    return tuple(RowRef(f"{i:064x}", path, i + 1) for i in range(count))


METHOD = MethodSpec(steps=6, batch=4, sample=24)


def mixture(kept, changed, share=0.1):
    return Mixture(rows("k", kept), rows("c", changed), share, float(changed))


def visited(plan):
    return Counter(row for step in plan.steps for row in step.rows)


def kept_order(plan, kept):
    return [row for step in plan.steps for row in step.rows if row < kept]


def test_both_states_meet_the_same_kept_rows_in_the_same_order():
    before = tune_plan(mixture(40, 0), METHOD)
    after = tune_plan(mixture(40, 5), METHOD)
    assert kept_order(before, 40) == kept_order(after, 40)
    assert len(after.steps) > len(before.steps)


def test_changed_rows_are_met_as_often_as_the_declared_training_would():
    plan = tune_plan(mixture(40, 5), METHOD)
    counts = visited(plan)
    assert [counts[row] for row in range(40, 45)] == [3] * 5  # three epochs


def test_changed_rows_never_get_more_visits_than_kept_rows_unless_they_are_most_of_the_set():
    assert visits_of(mixture(40, 30), METHOD).changed == visits_of(mixture(40, 30), METHOD).kept == 24
    majority = visits_of(mixture(40, 30, share=0.75), METHOD)
    assert majority.changed == 3 * majority.kept


def test_changed_rows_are_spread_over_all_steps():
    plan = tune_plan(mixture(40, 5), METHOD)
    per_step = [sum(row >= 40 for row in step.rows) for step in plan.steps]
    assert max(per_step) - min(per_step) <= 1


def test_a_step_weighs_its_rows_alike_and_to_one():
    for step in tune_plan(mixture(40, 5), METHOD).steps:
        assert abs(sum(step.weights) - 1) < 1e-12
        assert len(set(step.weights)) == 1


def test_one_row_a_step_is_a_plan_too():
    single = MethodSpec(steps=16, batch=1, sample=16)
    plan = tune_plan(mixture(16, 3), single)
    assert sum(len(step.rows) for step in plan.steps) == visits_of(mixture(16, 3), single).total
    assert all(step.rows for step in plan.steps)


def test_without_kept_rows_only_changed_rows_are_met_for_the_declared_epochs():
    plan = tune_plan(Mixture((), rows("c", 8), 1.0, 8.0), METHOD)
    assert visited(plan) == Counter(dict.fromkeys(range(8), 3))


def test_small_sets_are_not_met_more_often_than_the_declared_training_would():
    assert visits_of(mixture(4, 0), METHOD).kept == 12


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 5))
def test_subsamples_of_two_states_share_their_rows(count, more, seed):
    small, large = refs(count), refs(count + more)
    chosen_small = set(subsample(small, {}, 10, seed))
    chosen_large = set(subsample(large, {}, 10, seed))
    assert chosen_large & set(small) <= chosen_small
    assert len(chosen_large) == min(10, count + more)


@given(st.permutations(list(refs(12))))
def test_the_order_of_the_input_does_not_matter(shuffled):
    assert subsample(shuffled, {}, 5, 3) == subsample(refs(12), {}, 5, 3)


def test_duplicates_count_as_often_as_they_occur():
    twice = (RowRef("a" * 64, "x", 1), RowRef("a" * 64, "x", 2))
    assert len(subsample(twice, {}, 10, 0)) == 2


def test_weights_tilt_the_draw_and_zero_weight_leaves_out():
    heavy, light = refs(300, "heavy"), tuple(RowRef(f"{i + 1000:064x}", "light", i) for i in range(300))
    chosen = Counter(ref.path for ref in subsample((*heavy, *light), {"heavy": 4.0, "light": 1.0}, 100, 1))
    assert 65 <= chosen["heavy"] <= 92
    assert {ref.path for ref in subsample((*heavy, *light), {"heavy": 0.0}, 100, 1)} == {"light"}


def test_seeds_draw_differently():
    assert subsample(refs(100), {}, 10, 0) != subsample(refs(100), {}, 10, 1)
