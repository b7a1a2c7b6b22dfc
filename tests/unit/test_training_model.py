"""Training and export of the event model with one layer of random weights, where PyTorch is installed."""

from __future__ import annotations

import importlib.util
import json
from datetime import date

import numpy as np
import pytest

from pipeline.nlp.classifier.runtime import ATTRIBUTES, MODALITIES, POINTERS, WEIGHTS, EventModel, EventReading
from pipeline.nlp.classifier.windows import Packer
from pipeline.nlp.training.corpus import Example, read_note
from pipeline.nlp.training.data import labelled_documents
from pipeline.records import EVENT_TYPES

if not all(importlib.util.find_spec(name) for name in ("torch", "safetensors", "onnx")):
    pytest.skip("the training extra is not installed", allow_module_level=True)

import torch

from pipeline.nlp.training import train
from pipeline.nlp.training.encoder import JointModel, distance_bucket, to_tensors
from pipeline.nlp.training.export import FILES, export
from pipeline.nlp.training.losses import loss_of
from pipeline.nlp.training.train import TrainSettings, fit, score

CPU = torch.device("cpu")
SETTINGS = TrainSettings(layers=1, frozen_layers=0, threads=1)
BARRED = "The Pentagon on Friday barred Halden Systems from new contracts."
NOTE = (
    "restriction occurred impose new | barred | actor=The Pentagon | target=Halden Systems | date=none | by=anonymous"
)
STORY = [
    Example(BARRED, "", (read_note(NOTE, BARRED),), "a", "a", published=date(2026, 5, 8), title="Halden barred"),
    Example("It declined to comment.", BARRED, (), "a", "a", published=date(2026, 5, 8), title="Halden barred"),
]


@pytest.fixture(scope="module")
def documents():
    return labelled_documents(Packer(WEIGHTS / "tokenizer.json"), STORY)


def small_model() -> JointModel:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    return JointModel(1)


def test_one_window_gives_a_loss_for_each_head_and_gradients(documents):
    model = small_model().train()
    loss, parts = loss_of(model, documents["a"], 2.0, 0.2)
    loss.backward()
    assert set(parts) == {"type", "pointers", *ATTRIBUTES}
    assert float(loss.detach()) == pytest.approx(sum(parts.values()), rel=1e-5)
    without = {name for name, each in model.named_parameters() if each.grad is None}
    assert without == {"enc.rel.weight", "event.weight", "event.bias", "eb"}  # no pair of events in one story


def test_padding_does_not_change_what_is_read(documents):
    model = small_model().eval()
    (window,) = documents["a"]
    ids, segments, _ = to_tensors([window], CPU)
    longer = torch.nn.functional.pad(ids, (0, 32), value=1), torch.nn.functional.pad(segments, (0, 32))
    with torch.no_grad():
        one, other = model.states(ids, segments), model.states(*longer)
    n = len(window.ids)
    assert torch.allclose(one[0, :n], other[0, :n], atol=1e-4)


def test_distances_have_their_own_bucket_when_near_and_share_one_far_off():
    buckets = distance_bucket(torch.arange(-300, 301)).tolist()
    assert len(set(buckets)) == 31  # a distance of 0 has no direction
    assert len({buckets[300 + n] for n in range(-7, 8)}) == 15
    assert buckets[0] == buckets[100] != buckets[500] == buckets[600]


def test_training_lowers_the_loss_and_is_deterministic(documents):
    models = [small_model(), small_model()]
    before, _ = loss_of(models[0].eval(), documents["a"], 2.0, 0.2)
    for model in models:
        fit(model, documents, 6, 1, SETTINGS, lambda _: None)
    after, _ = loss_of(models[0], documents["a"], 2.0, 0.2)
    assert float(after.detach()) < float(before.detach())
    pairs = zip(models[0].state_dict().values(), models[1].state_dict().values(), strict=True)
    assert all(torch.equal(one, other) and one.dtype == torch.float32 for one, other in pairs)
    assert set(score(models[0], documents.values())) >= {"average_precision", "f1", "modality", *POINTERS}


def test_the_export_reads_as_the_model_does(documents, tmp_path):
    model = small_model().eval()
    torch.nn.init.constant_(model.kind[-1].bias, 1.0)  # every word is a trigger
    export(model, documents["a"], WEIGHTS / "tokenizer.json", {"types": list(EVENT_TYPES)}, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)
    exported = EventModel.load(tmp_path)
    events = exported.read(STORY[0].title, [each.sentence for each in STORY])
    event, token = next((each, at) for each in events if (at := _token_of(each)) is not None)
    type_ = EVENT_TYPES.index(event.type)
    ids, segments, _ = to_tensors(documents["a"], CPU)
    with torch.no_grad():
        states = model.states(ids, segments)
        scores = torch.sigmoid(model.kind(states))[0]
        sentence = documents["a"][0].own[event.sentence]
        where = [torch.tensor([each]) for each in (0, token, type_, sentence)]
        attributes, _, vector = model.read_triggers(states, *where)
    assert event.score == pytest.approx(float(scores[token, type_]), abs=0.05)
    modality = torch.softmax(attributes[0, : len(MODALITIES)], -1).numpy()
    assert np.abs(event.modality - modality).max() < 0.05
    assert float(event.vector @ torch.nn.functional.normalize(vector[0], dim=0).numpy()) > 0.98


def _token_of(event: EventReading) -> int | None:
    """Return the token of an event's trigger, None if its word has several tokens."""
    packed = Packer(WEIGHTS / "tokenizer.json").pack(STORY[0].title, [each.sentence for each in STORY])
    place = packed[0].places[event.sentence]
    span = event.start, event.end
    return place.first + place.offsets.index(span) if span in place.offsets else None


def _write_card(model, windows, tokenizer, card, out):
    """Stand in for the export, which another test covers."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "card.json").write_text(json.dumps(card))


def test_folds_are_trained_without_their_documents(tmp_path, monkeypatch, capsys):
    texts, claims = tmp_path / "texts", tmp_path / "claims"
    for folder in (texts, claims):
        folder.mkdir()
    claim = {
        "quote": BARRED, "trigger": "barred", "type": "restriction", "modality": "occurred", "direction": "impose",
        "mention": "new", "attribution": {"kind": "anonymous", "name": None}, "date": None, "event": "e",
        "participants": [{"role": "target", "name": "Halden Systems", "text": "Halden Systems"}],
    }  # fmt: skip
    for name in ("one", "two"):
        (texts / f"{name}.json").write_text(json.dumps({"text": BARRED, "title": name}))
        (claims / f"{name}.json").write_text(json.dumps({"claims": [claim | {"event": name}]}))
    corpus, folds = tmp_path / "corpus", tmp_path / "folds.json"
    corpus.mkdir()
    heading = "# story: s\n# event-group: g\n# register: wire\n# region: US\n# published: 2026-05-08\n# title: T\n"
    (corpus / "a.txt").write_text(f"{heading}{BARRED}\n> {NOTE}\n")
    folds.write_text(json.dumps({"folds": {"one": 0, "two": 1}}))
    monkeypatch.setattr(train, "base_folder", lambda: WEIGHTS)
    monkeypatch.setattr(train, "new_model", lambda settings: small_model())
    monkeypatch.setattr(train, "export", _write_card)
    out = tmp_path / "out"
    arguments = ["--corpus", corpus, "--gold", texts, claims, "--folds", folds, "--folds-out", out, "--epochs", 1]
    assert train.main([str(each) for each in [*arguments, "--threads", 1, "--out", tmp_path / "all"]]) == 0
    for number, name in enumerate(("one", "two")):
        assert json.loads((out / str(number) / "documents.json").read_text()) == [name]
        card = json.loads((out / str(number) / "card.json").read_text())
        assert card["data"]["gold"]["documents"] == 1
        assert [each["fold"] for each in card["held_out"]] == [number]
    card = json.loads((tmp_path / "all/card.json").read_text())
    assert card["data"]["gold"]["documents"] == len(card["held_out"]) == 2
    assert card["claims_by_type"]["restriction"] == card["claims"] == 3
    (out / "1/model.pt").unlink()
    capsys.readouterr()
    assert train.main([str(each) for each in arguments]) == 0
    said = capsys.readouterr().out
    assert f"{out}/0/model.pt is used" in said and f"{out}/1/model.pt is used" not in said
    folds.write_text(json.dumps({"folds": {"one": 0}}))
    assert train.main([str(each) for each in arguments]) == 2
