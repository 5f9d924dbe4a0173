"""Letters to sound: the network's shapes, the search against all paths, what is shipped, and how it is trained."""

from __future__ import annotations

import importlib.util
import itertools
import shutil
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from percept.core import checkpoint, weights
from percept.core.errors import UsageError
from percept.speech import letters
from percept.speech.letters import ALPHABET, CLASSES, LettersToSound, encoded, pronounce, search, shipped, spelt
from percept.speech.phones import PHONES

RECIPE = Path(__file__).parents[3] / "recipes" / "letters.py"


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("recipe_letters", RECIPE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def parts(recipe: ModuleType) -> dict[str, list]:
    return recipe.words_by_part()


def test_two_distributions_a_letter() -> None:
    network = LettersToSound(letter=4, features=6, hidden=5).eval()
    logs = network(encoded(["cat", "do'"]))
    assert logs.shape == (2, 6, 40) and CLASSES[0] == "" and CLASSES[1:] == PHONES
    assert torch.allclose(logs.exp().sum(-1), torch.ones(2, 6))
    assert torch.allclose(network(encoded(["do'"]))[0], logs[1], atol=1e-6)


def test_each_output_depends_on_all_letters() -> None:
    torch.manual_seed(0)
    network = LettersToSound(letter=4, features=6, hidden=5).eval()
    one, other = network(encoded(["abcdefgh", "abcdefgx"]))
    assert (one[0] - other[0]).abs().max() > 0


def all_paths(probabilities: np.ndarray) -> dict[tuple[str, ...], float]:
    """The probability of each phone string, by adding up all paths (Graves et al. 2006, equation 3)."""
    found: defaultdict[tuple[str, ...], float] = defaultdict(float)
    slots, classes = probabilities.shape
    for path in itertools.product(range(classes), repeat=slots):
        p = float(np.prod([probabilities[slot, one] for slot, one in enumerate(path)]))
        found[tuple(CLASSES[one] for one, _ in itertools.groupby(path) if one)] += p
    return dict(found)


@pytest.mark.parametrize("seed", range(5))
def test_the_search_is_exact_where_nothing_is_pruned(seed: int) -> None:
    probabilities = np.random.default_rng(seed).dirichlet([0.7] * 4, size=5)  # (5 slots, 4 classes)
    exact = all_paths(probabilities)
    exact.pop(())
    found = dict(search(probabilities.tolist(), width=10_000))
    assert all(found.get(phones, 0.0) == pytest.approx(p, abs=2e-3) for phones, p in exact.items())
    best = max(exact, key=exact.__getitem__)
    assert search(probabilities.tolist(), width=10_000)[0] == (best, pytest.approx(exact[best], abs=2e-3))


def test_a_narrow_search_keeps_the_best_and_never_answers_nothing() -> None:
    nothing, something = [0.9, 0.1, 0.0], [0.2, 0.5, 0.3]
    (phones, _), *_ = search([nothing, nothing], width=4)
    assert phones == (CLASSES[1],)
    assert [len(search([something] * 3, width=width)) for width in (1, 2, 3)] == [1, 2, 3]
    # the same phone twice needs "nothing" between
    assert search([[0, 1, 0], [1, 0, 0], [0, 1, 0]])[0][0] == (CLASSES[1], CLASSES[1])
    assert search([[0, 1, 0], [0, 1, 0]])[0][0] == (CLASSES[1],)


def test_words_in_letters() -> None:
    assert spelt("Café’s") == "cafe's"
    assert spelt("X-Ray 3") == "xray"
    assert spelt("привет") == ""


def test_the_shipped_network_pronounces_words_that_no_dictionary_lists() -> None:
    assert pronounce("cat") == (("k", "ae", "t"),)
    assert pronounce("Blorping")[0][:2] == ("b", "l") and pronounce("Blorping")[0][-2:] == ("ih", "ng")
    several = pronounce("tomayto", 4)
    assert len(set(several)) == 4 and several[0] == pronounce("tomayto")[0]
    assert {phone for phones in several for phone in phones} <= set(PHONES)
    assert pronounce("北京") == pronounce("") == pronounce("'") == pronounce("42") == ()
    assert len(pronounce("a" * 60)[0]) >= 1
    assert pronounce("CAFÉ") == pronounce("cafe")


def test_the_shipped_network_is_right_about_most_words_it_never_saw(recipe: ModuleType, parts: dict[str, list]) -> None:
    words_wrong, phones_wrong = recipe.measured(shipped(), parts["test"][::40], recipe.likeliest)
    assert words_wrong < 45 and phones_wrong < 12


def test_the_shipped_header_tells_what_it_is() -> None:
    read = checkpoint.load(weights.folder() / letters.FILE, task="acoustic")
    header = read.header
    assert header["model"]["name"] == "letters" and header["classes"] == list(PHONES)
    assert header["start"] and header["data"] and header["licence"] and header["scores"]
    assert read.path.stat().st_size <= 1_500_000


def test_missing_weights_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(weights.folder() / "index.toml", tmp_path)
    monkeypatch.setattr(weights, "folder", lambda: tmp_path)
    with pytest.raises(UsageError, match=r"letters\.safetensors is missing: this installation of percept is not whole"):
        shipped.__wrapped__()


def test_the_recipe_parts_the_dictionary_once_and_for_all(parts: dict[str, list]) -> None:
    counts = {part: len(words) for part, words in parts.items()}
    assert sum(counts.values()) > 120_000
    assert counts["train"] / sum(counts.values()) == pytest.approx(0.9, abs=0.005)
    assert counts["test"] == pytest.approx(counts["watch"], rel=0.1)
    words = [word for part in parts.values() for word, _ in part]
    assert len(set(words)) == len(words) and all(set(word) <= set(ALPHABET) for word in words)


def test_the_recipes_batches_are_of_one_length_and_repeat(recipe: ModuleType) -> None:
    several = (("d", "uw", "z"), ("d", "ow", "z"))
    words = [("cat", (("k", "ae", "t"),)), ("does", several), ("dog", (("d", "ao", "g"),)), ("a", (("ah", "b", "d"),))]
    made = list(recipe.batches(words, 2, 0, 0))
    assert sorted(tuple(batch[0].shape) for batch in made) == [(1, 4), (2, 3)]  # "a" has too few outputs
    again = list(recipe.batches(words, 2, 0, 0))
    assert all(
        torch.equal(a, b) for one, other in zip(made, again, strict=True) for a, b in zip(one, other, strict=True)
    )
    seen = {tuple(batch[1].tolist()) for epoch in range(20) for batch in recipe.batches(words, 2, 0, epoch)}
    for phones in several:  # now this, now that
        assert tuple(CLASSES.index(phone) for phone in phones) in seen


def test_the_recipe_learns_and_counts(recipe: ModuleType) -> None:
    assert recipe.fits("x", ("k", "s")) and not recipe.fits("x", ("s", "s")) and not recipe.fits("x", ("eh", "k", "s"))
    assert recipe.edits(("k", "ae", "t"), ("k", "ah", "t", "s")) == 2
    assert recipe.edits((), ("a",)) == recipe.edits(("a",), ()) == 1
    torch.manual_seed(0)
    network = LettersToSound(letter=8, features=16, hidden=12)
    words = [("cat", (("k", "ae", "t"),)), ("dog", (("d", "ao", "g"),))]
    optimiser = torch.optim.Adam(network.parameters(), 0.1)
    for epoch in range(12):
        for batch in recipe.batches(words, 2, 0, epoch):
            loss = recipe.loss_of(network, *batch)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    network.eval()
    assert recipe.measured(network, words, recipe.greedy) == recipe.measured(network, words, recipe.likeliest) == (0, 0)
    assert recipe.measured(network, [("cat", (("k", "ae"), ("k", "ae", "t", "s", "s")))], recipe.greedy)[0] == 100
