"""Trains the event model on the corpus, then on annotated documents, and exports it for `pipeline.nlp.classifier`.

Run `python -m pipeline.nlp.training.train --out DIR [--gold TEXTS CLAIMS] [--folds FOLDS.json --folds-out DIR]`. It
needs the `train` extra and the base weights (`make train-base`), uses a GPU when there is one, and is deterministic on
one machine with one number of threads.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.nlp.classifier.runtime import ATTRIBUTES, MODALITIES
from pipeline.nlp.classifier.windows import Packer
from pipeline.nlp.training.base_weights import MODEL, TOKENIZER, WEIGHTS_SHA256, base_folder
from pipeline.nlp.training.corpus import Example, data_hash, read_annotated, read_corpus
from pipeline.nlp.training.data import LabelledWindow, batches, labelled_documents
from pipeline.nlp.training.encoder import JointModel, to_tensors
from pipeline.nlp.training.export import export
from pipeline.nlp.training.losses import indices, loss_of
from pipeline.nlp.training.scoring import Tally
from pipeline.records import EVENT_TYPES

Documents = Mapping[str, Sequence[LabelledWindow]]
Say = Callable[[str], None]

_REPORT = 50  # steps between two lines of progress
_LAST_RATE = 0.02  # least share of the learning rate, at the end
_BETAS = (0.9, 0.98)
_LONGEST_GRADIENT = 1.0
_SAMPLE = 40  # windows on which the ranges of features are measured for the export
_AT_ONCE = 8  # windows read at once when scoring
CHECKPOINT = "model.pt"  # in the folder of a fold: a stopped training goes on after it
_ALL = 9  # in place of the number of a fold: all annotated documents


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Hyperparameters, chosen so that training fits two processor cores; they were not searched."""

    layers: int = 9  # lowest layers of the base model that are used
    frozen_layers: int = 1  # lowest layers that are not trained; nor are the embeddings of words and positions
    corpus_epochs: int = 1  # before the annotated documents
    corpus_alone_epochs: int = 3  # without any
    gold_epochs: int = 2
    encoder_rate: float = 8e-5
    head_rate: float = 1e-3
    batch: int = 3  # full windows in a step
    warmup: float = 0.08  # share of the steps
    weight_decay: float = 0.01
    positive_weight: float = 2.0  # of a trigger's word, relative to a word that is no trigger
    optional_weight: float = 0.2  # the same for a claim that may be left out
    seed: int = 1
    threads: int = 2


def prepare(settings: TrainSettings) -> torch.device:
    """Choose deterministic algorithms and the number of threads, and return the device to train on."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # it costs an eighth of the time
    torch.set_num_threads(settings.threads)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def half_precision() -> bool:
    """Return whether the hardware multiplies bfloat16 matrices: a GPU, or a CPU with AMX or AVX-512 BF16."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(bool(getattr(torch.cpu, name, lambda: False)()) for name in checks)


def new_model(settings: TrainSettings) -> JointModel:
    """Return a model with the base weights in its encoder and newly initialised heads."""
    torch.manual_seed(settings.seed)
    model = JointModel(settings.layers)
    model.enc.load_base()
    return model


class _Optimizer:
    """AdamW on float32 copies of the trained weights: the encoder itself may compute in bfloat16."""

    def __init__(self, model: JointModel, steps: int, settings: TrainSettings, half: bool) -> None:
        encoder = model.enc
        for part in (encoder.word, encoder.pos, encoder.rel, *encoder.layers[: settings.frozen_layers]):
            part.requires_grad_(False)
        self._model, self._steps, self._done = model, steps, 0
        self._warm = settings.warmup * steps
        named = [(name, each) for name, each in model.named_parameters() if each.requires_grad]
        self._trained = [each for _, each in named]
        self._copies = [each.detach().float().clone() for each in self._trained]
        groups: dict[tuple[bool, bool], list[Tensor]] = {}
        for (name, _), copied in zip(named, self._copies, strict=True):
            groups.setdefault((name.startswith("enc."), copied.ndim > 1), []).append(copied)
        self._rates = [settings.encoder_rate if of_encoder else settings.head_rate for of_encoder, _ in groups]
        decay = [settings.weight_decay if is_matrix else 0.0 for _, is_matrix in groups]
        self._adam = torch.optim.AdamW(
            [{"params": own, "weight_decay": each} for own, each in zip(groups.values(), decay, strict=True)],
            lr=settings.encoder_rate,
            betas=_BETAS,
            fused=True,
        )
        if half:
            encoder.bfloat16()

    def step(self, loss: Tensor) -> None:
        """Take one step; the learning rate rises to its value and falls linearly."""
        loss.backward()
        share = min(1.0, (self._done + 1) / self._warm) * max(_LAST_RATE, 1 - self._done / self._steps)
        self._done += 1
        for group, rate in zip(self._adam.param_groups, self._rates, strict=True):
            group["lr"] = rate * share
        for own, copied in zip(self._trained, self._copies, strict=True):
            copied.grad = None if own.grad is None else own.grad.float()
            own.grad = None
        nn.utils.clip_grad_norm_(self._copies, _LONGEST_GRADIENT)
        self._adam.step()
        self._store()

    def finish(self) -> None:
        """Leave the model in float32, with the copies as its weights."""
        self._model.enc.float()
        self._store()

    def _store(self) -> None:
        for own, copied in zip(self._trained, self._copies, strict=True):
            own.data.copy_(copied)


def fit(model: JointModel, documents: Documents, epochs: int, seed: int, settings: TrainSettings, say: Say) -> None:
    """Fine-tune a model on documents; the order of batches and the dropout depend on `seed` alone."""
    dice = random.Random(seed)
    torch.manual_seed(seed)
    work = [batch for _ in range(epochs) for batch in batches(documents.values(), settings.batch, dice)]
    if not work:
        return
    optimizer = _Optimizer(model, len(work), settings, half_precision())
    model.train()
    begun, recent = time.monotonic(), []
    for number, windows in enumerate(work, 1):
        loss, parts = loss_of(model, windows, settings.positive_weight, settings.optional_weight)
        optimizer.step(loss)
        recent.append(parts)
        if number % _REPORT == 0 or number == len(work):
            say(f"  step {number}/{len(work)}, {time.monotonic() - begun:.0f} s: {_means(recent)}")
            recent = []
    optimizer.finish()
    model.eval()


def _means(recent: Sequence[dict[str, float]]) -> str:
    names = dict.fromkeys(name for parts in recent for name in parts)
    values = {name: [parts[name] for parts in recent if name in parts] for name in names}
    return ", ".join(f"{name} {sum(own) / len(own):.3f}" for name, own in values.items())


@torch.no_grad()
def score(model: JointModel, documents: Iterable[Sequence[LabelledWindow]]) -> dict[str, float]:
    """Return the scores of a model on documents that it was not trained on; see `scoring.Tally`."""
    tally, device = Tally(), next(model.parameters()).device
    windows = sorted((each for own in documents for each in own), key=lambda each: len(each.ids))
    for start in range(0, len(windows), _AT_ONCE):
        some = windows[start : start + _AT_ONCE]
        ids, segments, own = to_tensors(some, device)
        states = model.states(ids, segments)
        types = torch.sigmoid(model.kind(states)).cpu().numpy()
        for row, window in enumerate(some):
            tally.add_window(window, types[row])
        placed = [(row, each) for row, window in enumerate(some) for each in window.triggers if not each.optional]
        if not placed:
            continue
        attributes, pointers, _ = model.read_triggers(states, *indices(placed, device))
        split = torch.split(attributes, list(ATTRIBUTES.values()), 1)
        classes = torch.stack([each.argmax(1) for each in split], 1).tolist()
        marked = (pointers > 0) & own[[row for row, _ in placed]][:, None]
        for (_, trigger), found, pointed in zip(placed, classes, marked, strict=True):
            tally.add_trigger(trigger, found, [set(each.nonzero()[:, 0].tolist()) for each in pointed])
    return tally.result()


@dataclass(frozen=True, slots=True)
class _Data:
    """The training data: examples for the model card, labelled windows by document, and the fold of each document."""

    corpus: Sequence[Example]
    gold: Sequence[Example]
    corpus_windows: Documents
    gold_windows: Documents
    folds: Mapping[str, int]

    def without(self, held_out: Iterable[str]) -> _Data:
        """Return the data without some annotated documents."""
        left_out = set(held_out)
        return replace(
            self,
            gold=[each for each in self.gold if each.source not in left_out],
            gold_windows={name: own for name, own in self.gold_windows.items() if name not in left_out},
        )

    def sample(self) -> list[LabelledWindow]:
        """Return the first windows of some documents, of the annotated ones if there are any."""
        first = [own[0] for own in (self.gold_windows or self.corpus_windows).values()]
        return first[:: max(1, len(first) // _SAMPLE)][:_SAMPLE]


def _read(corpus: Path | None, gold: Sequence[Path] | None, folds: Path | None, tokenizer: Path) -> _Data:
    """Read the training data.

    Raises:
        ValueError: there is no story, or a document is in no fold.
    """
    reading = read_corpus(corpus)
    for fault in reading.faults:
        print(fault, file=sys.stderr)
    if not reading.examples:
        raise ValueError(f"{corpus} has no training stories. Name a folder of .txt files in the format of FORMAT.md.")
    annotated = read_annotated(*gold) if gold else []
    fold_of = json.loads(folds.read_text(encoding="utf-8"))["folds"] if folds else {}
    if folds and (missing := {each.source for each in annotated} - set(fold_of)):
        raise ValueError(f"{folds} gives no fold for {len(missing)} documents, such as {min(missing)}. Add them.")
    packer = Packer(tokenizer)
    return _Data(
        reading.examples,
        annotated,
        labelled_documents(packer, reading.examples),
        labelled_documents(packer, annotated),
        fold_of,
    )


def train_on_corpus(
    data: _Data, settings: TrainSettings, device: torch.device, kept: Path | None, say: Say
) -> JointModel:
    """Return a model after the corpus. `kept`: a checkpoint of it, loaded if it exists, else written."""
    model = new_model(settings).to(device)
    if kept and _loaded(model, kept, say):
        return model.eval()
    epochs = settings.corpus_epochs if data.gold else settings.corpus_alone_epochs
    say(f"corpus: {len(data.corpus_windows)} stories, {len(data.corpus)} sentences")
    fit(model, data.corpus_windows, epochs, settings.seed, settings, say)
    if kept:
        _save(model, kept)
    return model


def _loaded(model: JointModel, checkpoint: Path, say: Say) -> bool:
    """Load a checkpoint if it exists, and return whether it does: a stopped training goes on after its last one."""
    if not checkpoint.is_file():
        return False
    model.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True))
    say(f"{checkpoint} is used as it is; delete it to train again.")
    return True


def _save(model: JointModel, checkpoint: Path) -> None:
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    partial = checkpoint.with_suffix(".partial")
    torch.save(model.state_dict(), partial)
    partial.replace(checkpoint)


def train_folds(
    model: JointModel, data: _Data, settings: TrainSettings, tokenizer: Path, out: Path, only: Sequence[int], say: Say
) -> list[dict[str, Any]]:
    """Write weights for each fold of the annotated documents, trained without the documents of the fold.

    `out`/0, `out`/1 ... receive the weights and documents.json, the ids of the documents unseen by them. At the end the
    model has the mean of the weights of all folds, which together have seen every document.

    Args:
        model: The model after the corpus.
        data: The training data.
        settings: The settings.
        tokenizer: The tokenizer.json of the base weights.
        out: The folder to write to.
        only: The numbers of the folds to train; none for all.
        say: Reports progress.

    Returns:
        For each fold its number, the number of its documents, and the scores on them.
    """
    start = {name: value.detach().clone() for name, value in model.state_dict().items()}
    total = {name: torch.zeros_like(value, dtype=torch.float32) for name, value in start.items()}
    results = []
    for number in sorted({data.folds[name] for name in data.gold_windows} & set(only or data.folds.values())):
        held_out = sorted(name for name in data.gold_windows if data.folds[name] == number)
        seen = data.without(held_out)
        say(f"fold {number}: {len(seen.gold_windows)} documents to train on, {len(held_out)} held out")
        folder = out / str(number)
        if not _loaded(model, folder / CHECKPOINT, say):
            fit(model, seen.gold_windows, settings.gold_epochs, _gold_seed(settings, number), settings, say)
            _save(model, folder / CHECKPOINT)
        scores = score(model, (data.gold_windows[name] for name in held_out))
        results.append({"fold": number, "documents": len(held_out), "scores": scores})
        say("  " + ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))
        export(model, seen.sample(), tokenizer, model_card(seen, settings, results[-1:]), folder)
        (folder / "documents.json").write_text(json.dumps(held_out, indent=1) + "\n", encoding="utf-8")
        for name, value in model.state_dict().items():
            total[name] += value.float()
        model.load_state_dict(start)
    model.load_state_dict({name: value / len(results) for name, value in total.items()})
    return results


def _gold_seed(settings: TrainSettings, fold: int) -> int:
    """Return the seed of the second stage; every fold and the weights of all documents have their own."""
    return 10 * settings.seed + fold


def model_card(data: _Data, settings: TrainSettings, folds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the model card: model, data, settings, scores by fold, and versions."""
    everything = [*data.corpus, *data.gold]
    notes = [note for each in everything for note in each.notes]
    gold = _described(data.gold) | {
        "note": "Real documents with annotated claims. Their texts belong to their publishers, so they are not in the "
        "repository; the hash covers sentences and claims."
    }
    return {
        "model": f"The lowest {settings.layers} layers of {MODEL} (Apache-2.0), fine-tuned with joint heads for claims "
        "on AI oversight; int8.",
        "base": {"name": MODEL, "sha256": WEIGHTS_SHA256},
        "types": list(EVENT_TYPES),
        "modalities": list(MODALITIES),
        "data_hash": data_hash(everything),
        "data": {"corpus": _described(data.corpus), "gold": gold if data.gold else None},
        "sentences": len(everything),
        "sentences_with_claims": sum(bool(each.notes) for each in everything),
        "claims": len(notes),
        "claims_by_type": {name: sum(note.type == name for note in notes) for name in EVENT_TYPES},
        "stories": sorted({each.source for each in data.corpus}),
        "settings": asdict(settings),
        "held_out": list(folds),
        "versions": {name: version(name) for name in ("torch", "numpy", "onnx", "onnxruntime", "tokenizers")}
        | {"python": platform.python_version()},
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "precision": "bfloat16 encoder, float32 weights" if half_precision() else "float32",
    }


def _described(examples: Sequence[Example]) -> dict[str, Any]:
    return {
        "hash": data_hash(examples),
        "documents": len({each.source for each in examples}),
        "sentences": len(examples),
        "claims": sum(len(each.notes) for each in examples),
    }


def _parser() -> argparse.ArgumentParser:
    settings = TrainSettings()
    parser = argparse.ArgumentParser(prog="python -m pipeline.nlp.training.train", description=__doc__)
    parser.add_argument("--corpus", type=Path, help="Folder of training stories (default: the packaged corpus).")
    parser.add_argument("--gold", nargs=2, type=Path, metavar=("TEXTS", "CLAIMS"), help="Annotated documents.")
    parser.add_argument("--out", type=Path, help="Folder for the weights: the mean of the folds', if there are any.")
    parser.add_argument("--folds", type=Path, help='JSON file {"folds": {document: number}}.')
    parser.add_argument("--folds-out", type=Path, help="Folder for the weights of each fold, trained without it.")
    parser.add_argument("--only", nargs="+", type=int, default=[], help="Numbers of the folds to train (default: all).")
    parser.add_argument(
        "--after-corpus", type=Path, help="Checkpoint after the corpus: read if it exists, else written."
    )
    parser.add_argument("--epochs", type=int, default=settings.gold_epochs, help="Epochs on the annotated documents.")
    parser.add_argument("--seed", type=int, default=settings.seed, help="Random seed.")
    parser.add_argument("--threads", type=int, default=settings.threads, help="Number of CPU threads.")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not arguments.out and not arguments.folds_out:
        parser.error("Give --out, --folds-out or both: nothing would be written.")
    if arguments.folds_out and not (arguments.gold and arguments.folds):
        parser.error("--folds-out needs --gold and --folds.")
    settings = TrainSettings(gold_epochs=arguments.epochs, seed=arguments.seed, threads=arguments.threads)
    try:
        tokenizer = base_folder() / TOKENIZER
        data = _read(arguments.corpus, arguments.gold, arguments.folds, tokenizer)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    device = prepare(settings)
    model = train_on_corpus(data, settings, device, arguments.after_corpus, _say)
    folds = []
    if arguments.folds_out:
        folds = train_folds(model, data, settings, tokenizer, arguments.folds_out, arguments.only, _say)
    if arguments.out:
        if data.gold and not folds:
            _say(f"all {len(data.gold_windows)} annotated documents")
            fit(model, data.gold_windows, settings.gold_epochs, _gold_seed(settings, _ALL), settings, _say)
        card = model_card(data, settings, folds) | {"mean_of_folds": [each["fold"] for each in folds]}
        export(model, data.sample(), tokenizer, card, arguments.out)
        _say(f"Wrote {arguments.out}.")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
