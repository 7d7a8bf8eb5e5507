"""A C2PA manifest store, as c2pa-python reports it, to bounded, JSON-ready facts. All strings are hostile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from imforensics.evidence.text import shorten
from imforensics.types import JsonValue

MAX_LISTED = 50
MAX_LENGTH = 300
# IPTC's digital source types that say a trained model made the image or a part of it.
GENERATED = ("compositeWithTrainedAlgorithmicMedia", "trainedAlgorithmicMedia")
UNTRUSTED = "signingCredential.untrusted"


def summarize_store(store: Mapping[str, Any]) -> dict[str, JsonValue]:
    """The facts of the active manifest, and the failures of the whole store.

    Args:
        store: see `imforensics.evidence.credentials.read_manifest_store`.

    Returns:
        Claim generator, signer, time, actions, ingredients, claimed generation and failures.
    """
    manifests = _mapping(store.get("manifests"))
    active_label = store.get("active_manifest")
    active = _mapping(manifests.get(active_label)) if isinstance(active_label, str) else {}
    signature = _mapping(active.get("signature_info"))
    others = [_mapping(each) for label, each in manifests.items() if label != active_label]
    return {
        "manifest_count": len(manifests),
        "title": _text(active.get("title")),
        "claim_generator": _name_generator(active),
        "signer": _text(signature.get("issuer")),
        "signer_name": _text(signature.get("common_name")),
        "signature_algorithm": _text(signature.get("alg")),
        "signed_at": _text(signature.get("time")),
        "actions": [_summarize_action(action) for action in _bounded(_actions(active))],
        "ingredients": [_summarize_ingredient(each) for each in _bounded(_items(active.get("ingredients")))],
        "claimed_generation": _find_generation(active),
        "claimed_generation_in_ingredients": next(
            (found for each in others if (found := _find_generation(each)) is not None), None
        ),
        "failures": list_failures(store),
    }


def list_failures(store: Mapping[str, Any]) -> list[JsonValue]:
    """Code and explanation of each validation failure, of the active manifest and of ingredients."""
    results = _mapping(store.get("validation_results"))
    active = _items(_mapping(results.get("activeManifest")).get("failure"))
    if not results:
        active = _items(store.get("validation_status"))
    deltas = map(_mapping, _items(results.get("ingredientDeltas")))
    of_ingredients = [
        failure
        for delta in deltas
        for failure in _items(_mapping(delta.get("validationDeltas")).get("failure"))
    ]
    listed = [(failure, False) for failure in active] + [(failure, True) for failure in of_ingredients]
    return [
        {
            "code": _text(_mapping(failure).get("code")),
            "explanation": _text(_mapping(failure).get("explanation")),
            "is_of_ingredient": is_of_ingredient,
        }
        for failure, is_of_ingredient in _bounded(listed)
    ]


def _find_generation(manifest: Mapping[str, Any]) -> str | None:
    """The source type by which a manifest claims that a trained model was at work, None without."""
    types = {source for action in _actions(manifest) if (source := _source_type(action)) is not None}
    return next((name for name in GENERATED if name in types), None)


def _actions(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for assertion in map(_mapping, _items(manifest.get("assertions"))):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            yield from map(_mapping, _items(_mapping(assertion.get("data")).get("actions")))


def _summarize_action(action: Mapping[str, Any]) -> JsonValue:
    agent = action.get("softwareAgent")
    name = _mapping(agent).get("name") if isinstance(agent, dict) else agent
    facts = {
        "action": _text(action.get("action")),
        "when": _text(action.get("when")),
        "software": _text(name),
        "source_type": _source_type(action),
        "description": _text(action.get("description")),
    }
    return {key: value for key, value in facts.items() if value is not None}


def _summarize_ingredient(ingredient: Any) -> JsonValue:
    facts = _mapping(ingredient)
    kept = {
        "title": _text(facts.get("title")),
        "format": _text(facts.get("format")),
        "relationship": _text(facts.get("relationship")),
    }
    return {
        **{key: value for key, value in kept.items() if value is not None},
        "has_manifest": facts.get("active_manifest") is not None,
    }


def _source_type(action: Mapping[str, Any]) -> str | None:
    value = action.get("digitalSourceType") or _mapping(action.get("parameters")).get("digitalSourceType")
    return _text(value.rstrip("/").rpartition("/")[2]) if isinstance(value, str) else None


def _name_generator(manifest: Mapping[str, Any]) -> str | None:
    information = [_mapping(each) for each in _items(manifest.get("claim_generator_info"))]
    if information:
        names = (_text(information[0].get(key)) for key in ("name", "version"))
        return " ".join(name for name in names if name) or None
    return _text(manifest.get("claim_generator"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else shorten(str(value), MAX_LENGTH)


def _bounded(values: Iterable[Any]) -> list[Any]:
    return [value for _, value in zip(range(MAX_LISTED), values, strict=False)]
