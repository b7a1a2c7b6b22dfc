"""Trains the claim classifier on the corpus and annotated documents, cross-validates it, and exports int8 weights.

Run `python -m pipeline.nlp.training.train --out DIR [--corpus DIR] [--gold TEXTS CLAIMS] [--cross-validate --folds 5]`.
It needs the `train` extra, runs on a CPU or a CUDA device, and is deterministic on one machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.nlp.classifier.features import Batch, Featurizer, role_query
from pipeline.nlp.classifier.runtime import SentenceReading, decode
from pipeline.nlp.training.corpus import Example, Note, data_hash, read_annotated
from pipeline.nlp.training.corpus_check import check
from pipeline.nlp.training.encoder import MODALITIES, ClaimModel, base_folder, new_model
from pipeline.nlp.training.scoring import choose_thresholds, folds, score_table
from pipeline.records import EVENT_TYPES, ROLES

_NO = -100  # label of a token or type that is ignored


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Hyperparameters, chosen so that training takes well under an hour on a CPU with two cores."""

    epochs: int = 3
    role_share: float = 1.0  # share of the role queries used in each epoch
    batch: int = 16
    frozen_layers: int = 2  # number of lowest layers that are frozen along with the embeddings
    encoder_rate: float = 1e-4
    head_rate: float = 1e-3
    warmup: float = 0.1  # share of the steps
    weight_decay: float = 0.01
    positive_weight: float = 2.0  # weight of a claim relative to a sentence without one
    seed: int = 20260101
    threads: int = 1  # a second thread hardly helps: the matrices are small


@dataclass(frozen=True, slots=True)
class _Labels:
    types: np.ndarray  # [n, 15]: 1, 0 or _NO
    trigger: np.ndarray  # [n, tokens]: 0 none, 1 + type, or _NO
    modality: np.ndarray  # [n, tokens]: index or _NO
    flags: np.ndarray  # [n, tokens, 2]: background, lift: 1, 0 or _NO


def labels(examples: Sequence[Example], batch: Batch) -> _Labels:
    """Turn the notes of examples into label arrays; optional claims are ignored."""
    n, size = batch.ids.shape
    types = np.zeros((n, len(EVENT_TYPES)), np.float32)
    trigger = np.where(batch.own == 1, 0, _NO)
    modality = np.full((n, size), _NO)
    flags = np.full((n, size, 2), float(_NO), np.float32)
    for row, example in enumerate(examples):
        for note in sorted(example.notes, key=lambda each: not each.optional):  # required notes overwrite optional ones
            column = EVENT_TYPES.index(note.type)
            if not note.optional:
                types[row, column] = 1
            elif types[row, column] == 0:
                types[row, column] = _NO
            for at, (start, end) in enumerate(batch.offsets[row]):
                if start < end and start < note.end and note.start < end:
                    trigger[row, at] = _NO if note.optional else 1 + column
                    modality[row, at] = MODALITIES.index(note.modality)
                    flags[row, at, 0] = note.newness == "background"
                    flags[row, at, 1] = note.direction == "lift" if note.direction else _NO
    return _Labels(types, trigger, modality, flags)


def loss_of(outputs: tuple[Tensor, ...], target: _Labels, positive_weight: float, device: torch.device) -> Tensor:
    """Return the summed loss of all heads but the role head; ignored labels do not count."""
    sentence, trigger, modality, flags, _ = outputs
    types = torch.from_numpy(target.types).to(device)
    known = types != _NO
    weight = torch.where(types == 1, positive_weight, 1.0) * known
    total = nn.functional.binary_cross_entropy_with_logits(sentence, types.clamp(0, 1), weight=weight, reduction="sum")
    total = total / known.shape[0]
    classes = torch.ones(trigger.shape[-1], device=device)
    classes[1:] = positive_weight
    at = torch.from_numpy(target.trigger).to(device).long()
    total = total + nn.functional.cross_entropy(trigger.transpose(1, 2), at, weight=classes, ignore_index=_NO)
    kind = torch.from_numpy(target.modality).to(device).long()
    if (kind != _NO).any():
        total = total + 0.5 * nn.functional.cross_entropy(modality.transpose(1, 2), kind, ignore_index=_NO)
    wanted = torch.from_numpy(target.flags).to(device)
    asked = wanted != _NO
    if asked.any():
        total = total + 0.5 * nn.functional.binary_cross_entropy_with_logits(flags[asked], wanted[asked])
    return total


def role_labels(notes: Sequence[tuple[Example, Note]], batch: Batch) -> np.ndarray:
    """Return [n, tokens]: the role of each token in the note's event, 0 for none, or _NO."""
    roles = np.where(batch.own == 1, 0, _NO)
    for row, (example, note) in enumerate(notes):
        for role in note.roles:
            begin = example.sentence.find(role.text) if role.text else -1
            if begin < 0:
                continue
            for at, (start, end) in enumerate(batch.offsets[row]):
                if start < end and start < begin + len(role.text) and begin < end:
                    roles[row, at] = 1 + ROLES.index(role.role)
    return roles


def role_loss_of(outputs: tuple[Tensor, ...], target: np.ndarray, device: torch.device) -> Tensor:
    """Return the loss of the role head."""
    at = torch.from_numpy(target).to(device).long()
    return nn.functional.cross_entropy(outputs[-1].transpose(1, 2), at, ignore_index=_NO)


def train(
    examples: Sequence[Example], featurizer: Featurizer, settings: TrainSettings, say: Callable[[str], None]
) -> ClaimModel:
    """Fine-tune the base encoder on examples."""
    device, half = prepare(settings), half_precision()
    model = new_model().to(device).train()
    for part in (model.embeddings, *model.encoder["layer"][: settings.frozen_layers]):
        part.requires_grad_(False)
    encodings = featurizer.encode([e.sentence for e in examples], [e.previous for e in examples])
    notes = [(example, note) for example in examples for note in example.notes if note.roles]
    asked = featurizer.encode([e.sentence for e, _ in notes], [role_query(n.type, n.trigger) for _, n in notes])
    heads = ("sentence", "trigger", "modality", "flags", "role")
    groups = [
        {
            "params": [
                p for name, p in model.named_parameters() if p.requires_grad and name.startswith(heads) is chosen
            ],
            "lr": rate,
        }
        for chosen, rate in ((True, settings.head_rate), (False, settings.encoder_rate))
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
    asked_each = max(1, round(settings.role_share * len(notes))) if notes else 0
    steps = settings.epochs * (-(-len(examples) // settings.batch) + -(-asked_each // settings.batch))
    warm = max(1, int(settings.warmup * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(step / warm, max(0.0, (steps - step) / max(1, steps - warm)))
    )
    dice, begun = random.Random(settings.seed), time.monotonic()
    for epoch in range(settings.epochs):
        total = 0.0
        work = [(False, rows) for rows in _batches(encodings, settings.batch, dice)]
        chosen = dice.sample(range(len(notes)), asked_each)
        work += [
            (True, [chosen[n] for n in rows]) for rows in _batches([asked[n] for n in chosen], settings.batch, dice)
        ]
        dice.shuffle(work)
        for for_roles, rows in work:
            batch = featurizer.batch([(asked if for_roles else encodings)[n] for n in rows])
            with torch.autocast(device.type, torch.bfloat16, enabled=half):
                outputs = model(*_tensors(batch, device))
            outputs = tuple(each.float() for each in outputs)
            if for_roles:
                loss = role_loss_of(outputs, role_labels([notes[n] for n in rows], batch), device)
            else:
                loss = loss_of(outputs, labels([examples[n] for n in rows], batch), settings.positive_weight, device)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item()
        say(f"  epoch {epoch + 1}/{settings.epochs}: loss {total / len(work):.3f}, {time.monotonic() - begun:.0f} s")
    return model.eval()


def prepare(settings: TrainSettings) -> torch.device:
    """Fix every source of randomness and return the device to train on."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    random.seed(settings.seed)
    np.random.seed(settings.seed % 2**32)
    torch.manual_seed(settings.seed)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(settings.threads)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def half_precision() -> bool:
    """Return whether the hardware multiplies bfloat16 matrices, which is a third faster with the same accuracy here."""
    return torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported()


def _batches(encodings: Sequence, size: int, dice: random.Random) -> list[list[int]]:
    """Return shuffled batches of similar length: sorted by length within stretches of 16 batches."""
    order = list(range(len(encodings)))
    dice.shuffle(order)
    stretch, batches = size * 16, []
    for at in range(0, len(order), stretch):
        part = sorted(order[at : at + stretch], key=lambda n: len(encodings[n].ids))
        batches += [part[n : n + size] for n in range(0, len(part), size)]
    dice.shuffle(batches)
    return batches


def _tensors(batch: Batch, device: torch.device) -> tuple[Tensor, ...]:
    return tuple(torch.from_numpy(each).to(device) for each in (batch.ids, batch.mask, batch.types, batch.own))


@torch.no_grad()
def read(model: ClaimModel, examples: Sequence[Example], featurizer: Featurizer) -> list[SentenceReading]:
    """Read examples with a model in memory, as `Classifier.read` does with the exported one."""
    device = next(model.parameters()).device
    encodings = featurizer.encode([e.sentence for e in examples], [e.previous for e in examples])
    found: list[SentenceReading] = []
    for at in range(0, len(encodings), 32):
        batch = featurizer.batch(encodings[at : at + 32])
        found += decode(batch, *(each.float().cpu().numpy() for each in model(*_tensors(batch, device))))
    return found


def cross_validate(
    examples: Sequence[Example],
    featurizer: Featurizer,
    settings: TrainSettings,
    n_folds: int,
    say: Callable[[str], None],
) -> list[SentenceReading]:
    """Read every example with a model trained without its group and its events."""
    readings: dict[int, SentenceReading] = {}
    for number, test in enumerate(folds(examples, n_folds), 1):
        groups = {examples[n].group for n in test}
        events = {note.event for n in test for note in examples[n].notes if note.event}
        training = [
            each
            for each in examples
            if each.group not in groups and not any(note.event in events for note in each.notes if note.event)
        ]
        say(f"fold {number}/{n_folds}: {len(training)} sentences to train on, {len(test)} to test")
        model = train(training, featurizer, settings, say)
        readings.update(zip(test, read(model, [examples[n] for n in test], featurizer), strict=True))
    return [readings[n] for n in range(len(examples))]


def write_folds(
    examples: Sequence[Example],
    featurizer: Featurizer,
    settings: TrainSettings,
    n_folds: int,
    out: Path,
    *,
    stories: bool = False,
    apart: frozenset[str] = frozenset(),
) -> None:
    """Write weights for n folds of the annotated documents, each trained without its documents and their events.

    `out`/1, `out`/2 ... receive the weights and documents.json, the ids of the documents unseen by them.

    Args:
        examples: All examples.
        featurizer: The tokenizer.
        settings: The hyperparameters.
        n_folds: The number of folds.
        out: The folder to write to.
        stories: Whether to spread the corpus stories over the folds too, for more test data and less training data.
            By default they are in every training set: they are invented and share no event with any document.
        apart: Documents in no fold. They are in each training set unless they share an event with the fold.
    """
    documents = [n for n, each in enumerate(examples) if (stories or not each.register) and each.source not in apart]
    for number, test in enumerate(folds([examples[n] for n in documents], n_folds), 1):
        held = {documents[n] for n in test}
        events = {note.event for n in held for note in examples[n].notes if note.event}
        training = [
            each
            for n, each in enumerate(examples)
            if n not in held and not any(note.event in events for note in each.notes if note.event)
        ]
        print(f"fold {number}/{n_folds}: {len(training)} sentences to train on", flush=True)
        folder = out / str(number)
        export(train(training, featurizer, settings, print), featurizer, folder)
        (folder / "card.json").write_text(json.dumps(_card(training, settings), indent=1) + "\n", encoding="utf-8")
        names = sorted({examples[n].source for n in held})
        (folder / "documents.json").write_text(json.dumps(names, indent=1) + "\n", encoding="utf-8")


def export(model: ClaimModel, featurizer: Featurizer, out: Path) -> None:
    """Write a model as int8 ONNX with its tokenizer."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    out.mkdir(parents=True, exist_ok=True)
    model = model.cpu().eval()
    batch = featurizer.batch(featurizer.encode(["One sentence.", "Another, longer sentence."], ["", "Before."]))
    full = out / "full.onnx"
    names = ["ids", "mask", "types", "own"]
    outputs = ["sentence", "trigger", "modality", "flags", "role"]
    axes = {name: {0: "n", 1: "tokens"} for name in [*names, *outputs[1:]]} | {"sentence": {0: "n"}}
    torch.onnx.export(
        model,
        _tensors(batch, torch.device("cpu")),
        str(full),
        input_names=names,
        output_names=outputs,
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
    quantize_dynamic(full, out / "model.onnx", weight_type=QuantType.QInt8, per_channel=True)
    full.unlink()
    shutil.copyfile(base_folder() / "tokenizer.json", out / "tokenizer.json")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.nlp.training.train", description=__doc__)
    pair = ("TEXTS", "CLAIMS")
    parser.add_argument("--corpus", type=Path, help="Folder of training stories (default: the packaged corpus).")
    parser.add_argument(
        "--gold", nargs=2, type=Path, action="append", default=[], metavar=pair, help="Annotated documents."
    )
    parser.add_argument(
        "--also", nargs=2, type=Path, action="append", default=[], metavar=pair, help="Annotated documents in no fold."
    )
    parser.add_argument("--out", type=Path, help="Folder for the weights.")
    parser.add_argument("--cross-validate", action="store_true", help="Score by event groups before training.")
    parser.add_argument("--folds", type=int, default=5, help="Number of folds.")
    parser.add_argument("--folds-out", type=Path, help="Folder for the weights of each fold over the --gold documents.")
    parser.add_argument("--fold-stories", action="store_true", help="Spread the stories over the folds too.")
    parser.add_argument("--epochs", type=int, default=TrainSettings().epochs, help="Number of epochs.")
    parser.add_argument("--seed", type=int, default=TrainSettings().seed, help="Random seed.")
    parser.add_argument("--threads", type=int, default=TrainSettings().threads, help="Number of CPU threads.")
    arguments = parser.parse_args(argv)
    settings = TrainSettings(epochs=arguments.epochs, seed=arguments.seed, threads=arguments.threads)
    reading, faults = check(arguments.corpus)
    for fault in faults:
        print(fault, file=sys.stderr)
    examples = [each for each in reading.examples if each.relevant]
    examples += [each for texts, claims in arguments.gold for each in read_annotated(texts, claims)]
    also = [each for texts, claims in arguments.also for each in read_annotated(texts, claims)]
    examples += also
    if not examples:
        print("There are no training examples. Give --corpus or --gold.", file=sys.stderr)
        return 2
    featurizer = Featurizer(base_folder() / "tokenizer.json")
    card = _card(examples, settings)
    if arguments.cross_validate:
        readings = cross_validate(examples, featurizer, settings, arguments.folds, print)
        card["thresholds"] = choose_thresholds(examples, readings)
        card["cross_validated"] = {
            "folds": arguments.folds,
            **score_table(examples, readings, card["thresholds"], print),
        }
    if arguments.folds_out:
        write_folds(
            examples,
            featurizer,
            settings,
            arguments.folds,
            arguments.folds_out,
            stories=arguments.fold_stories,
            apart=frozenset(each.source for each in also),
        )
    if arguments.out:
        model = train(examples, featurizer, settings, print)
        export(model, featurizer, arguments.out)
        (arguments.out / "card.json").write_text(
            json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        size = sum(path.stat().st_size for path in arguments.out.iterdir())
        print(f"Wrote {arguments.out}: {size / 1e6:.1f} MB")
    return 0


def _card(examples: Sequence[Example], settings: TrainSettings) -> dict:
    """Return the model card: data, settings and versions."""
    notes = [note for each in examples for note in each.notes]
    return {
        "model": "all-MiniLM-L6-v2 (Apache-2.0), fine-tuned for claims on AI oversight, int8",
        "types": list(EVENT_TYPES),
        "modalities": list(MODALITIES),
        "data_hash": data_hash(examples),
        "sentences": len(examples),
        "sentences_with_claims": sum(bool(each.notes) for each in examples),
        "claims": len(notes),
        "claims_by_type": {name: sum(note.type == name for note in notes) for name in EVENT_TYPES},
        "stories": sorted({each.source for each in examples if each.register}),
        "groups_of_events": len({each.group for each in examples}),
        "settings": {name: getattr(settings, name) for name in settings.__slots__},
        "versions": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()},
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "precision": "bfloat16" if half_precision() else "float32",
    }


if __name__ == "__main__":
    sys.exit(main())
