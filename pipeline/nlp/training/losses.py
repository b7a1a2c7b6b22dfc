"""The training loss of labelled windows: one weighted part for each head of the model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.nlp.classifier.runtime import ATTRIBUTES
from pipeline.nlp.training.data import IGNORED, LabelledTrigger, LabelledWindow
from pipeline.nlp.training.encoder import JointModel, to_tensors
from pipeline.records import EVENT_TYPES

# Weights of the parts; the loss of types is summed over the words of a sentence and has weight 1.
ATTRIBUTE_WEIGHTS = {
    "modality": 1.0,
    "newness": 0.6,
    "direction": 0.5,
    "force": 0.2,
    "attribution": 0.6,
    "basis": 0.6,
}
POINTER_WEIGHT = 0.2  # of the loss summed over the tokens and pointers of a trigger
POINTED_WEIGHT = 2.0  # of a token that should be pointed to, where another has 1
EVENT_WEIGHT = 0.5

Placed = tuple[int, LabelledTrigger]  # the number of a window in its batch, and one of its triggers


def loss_of(
    model: JointModel, windows: Sequence[LabelledWindow], positive_weight: float, optional_weight: float
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of a batch, and its parts as numbers.

    Args:
        model: The model.
        windows: The batch.
        positive_weight: Weight of a word that is a trigger, where one that is none has 1.
        optional_weight: Weight of a word that is the trigger of an optional claim.
    """
    device = next(model.parameters()).device
    ids, segments, own = to_tensors(windows, device)
    states = model.states(ids, segments)
    placed = [(row, trigger) for row, window in enumerate(windows) for trigger in window.triggers]
    target, weight = (each.to(device) for each in _types(placed, tuple(ids.shape), positive_weight, optional_weight))
    words = functional.binary_cross_entropy_with_logits(model.kind(states[own]), target[own], reduction="none")
    parts = {
        "type": (words * weight[own]).sum() / sum(len(window.own) for window in windows),
    }
    if placed:
        attributes, pointers, vectors = model.read_triggers(states, *indices(placed, device))
        parts |= _attribute_losses(attributes, placed)
        parts["pointers"] = _pointer_loss(pointers, placed, own)
        if (same := _event_loss(model, vectors, placed, windows)) is not None:
            parts["event"] = same
    return torch.stack(list(parts.values())).sum(), {name: float(value.detach()) for name, value in parts.items()}


def indices(placed: Sequence[Placed], device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the numbers of window, token and type of each trigger, each [n], and its sentence's tokens, [n, 2]."""
    rows = [(row, trigger.token, trigger.type, *trigger.inside) for row, trigger in placed]
    found = torch.tensor(rows, device=device)
    return found[:, 0], found[:, 1], found[:, 2], found[:, 3:]


def _types(
    placed: Sequence[Placed], shape: tuple[int, ...], positive_weight: float, optional_weight: float
) -> tuple[Tensor, Tensor]:
    """Return the target and weight of each token and type, [n, tokens, 15]. Required claims overwrite optional ones."""
    target = torch.zeros(*shape, len(EVENT_TYPES))
    weight = torch.ones_like(target)
    for row, trigger in sorted(placed, key=lambda each: not each[1].optional):
        for token in trigger.others:
            if target[row, token, trigger.type] == 0:
                weight[row, token, trigger.type] = 0
        target[row, trigger.token, trigger.type] = 1
        weight[row, trigger.token, trigger.type] = optional_weight if trigger.optional else positive_weight
    return target, weight


def _attribute_losses(logits: Tensor, placed: Sequence[Placed]) -> dict[str, Tensor]:
    wanted = torch.tensor([trigger.attributes for _, trigger in placed], device=logits.device)
    split = torch.split(logits, list(ATTRIBUTES.values()), 1)
    return {
        name: ATTRIBUTE_WEIGHTS[name] * functional.cross_entropy(own, wanted[:, column], ignore_index=IGNORED)
        for column, (name, own) in enumerate(zip(ATTRIBUTES, split, strict=True))
        if bool((wanted[:, column] != IGNORED).any())
    }


def _pointer_loss(logits: Tensor, placed: Sequence[Placed], own: Tensor) -> Tensor:
    """Return the loss of the pointers over the tokens of the window's own sentences."""
    target = torch.zeros(logits.shape)
    for row, (_, trigger) in enumerate(placed):
        for column, tokens in enumerate(trigger.pointers):
            target[row, column, list(tokens)] = 1
    target = target.to(logits.device)
    asked = own[[row for row, _ in placed]][:, None]
    weight = asked * (1 + (POINTED_WEIGHT - 1) * target)
    each = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return POINTER_WEIGHT * (each * weight).sum() / len(placed)


def _event_loss(
    model: JointModel, vectors: Tensor, placed: Sequence[Placed], windows: Sequence[LabelledWindow]
) -> Tensor | None:
    """Return the loss over pairs of triggers of one document whose events are known, None if there is no pair."""
    known = [n for n, (_, trigger) in enumerate(placed) if trigger.event]
    keys = [(windows[placed[n][0]].source, placed[n][1].event) for n in known]
    pairs = [
        (one, other)
        for one in range(len(keys))
        for other in range(one + 1, len(keys))
        if keys[one][0] == keys[other][0]
    ]
    if not pairs:
        return None
    unit = functional.normalize(vectors[known], dim=-1)
    one, other = torch.tensor(pairs, device=vectors.device).unbind(1)
    logits = (unit[one] * unit[other]).sum(-1) * model.eb[1].exp() + model.eb[0]
    same = torch.tensor([float(keys[a] == keys[b]) for a, b in pairs], device=vectors.device)
    return EVENT_WEIGHT * functional.binary_cross_entropy_with_logits(logits, same)
