"""Who may use a model, since when and by whose order, according to its timelines."""

from __future__ import annotations

from typing import Any

from pipeline.site.text.permissions import permission, permitted

AGENCY = {"entity_id": "office", "name": "Office of Machine Safety", "kind": "agency"}
LAB = {"entity_id": "lab", "name": "Meridian Labs", "kind": "organisation"}
MODEL = {"entity_id": "lantern", "name": "Lantern 2", "kind": "model"}
FEDERAL = [{"name": "federal agencies", "kind": "group"}]


def stage(name: str, since: str = "30 March 2026", **more: Any) -> dict[str, Any]:
    return {
        "stage": name,
        "since": since,
        "contradicted": 0,
        "event_id": "e1",
        "summary": "Something is planned.",
        "brief": f"{name.capitalize()}, {since}",
        **more,
    }


def timeline(matter: str, actor, other, done=None, head=None) -> dict[str, Any]:  # noqa: ANN001
    return {
        "matter": matter,
        "actor": actor,
        "counterpart": other,
        "thing": MODEL,
        "done": done,
        "head": head or done,
    }


def words(*of: Any) -> str:
    return permission(timeline(*of[:4]), *of[4:])["words"]


def test_a_ban_says_who_may_not_since_when_and_by_whose_order() -> None:
    found = permission(timeline("restriction", AGENCY, LAB, stage("banned")), FEDERAL)
    assert (found["may"], found["who"], found["by"]) == ("no", "federal agencies", "the Office of Machine Safety")
    assert found["words"] == (
        "Federal agencies may not use it, by order of the Office of Machine Safety: banned, 30 March 2026."
    )
    assert words("restriction", AGENCY, LAB, stage("suspended")) == (
        "Meridian Labs is restricted in using it, by order of the Office of Machine Safety: suspended, 30 March 2026."
    )


def test_a_lifted_ban_and_a_grant_say_who_may() -> None:
    assert words("restriction", AGENCY, LAB, stage("lifted"), FEDERAL) == (
        "Federal agencies may use it again, by order of the Office of Machine Safety, 30 March 2026."
    )
    assert words("access", AGENCY, LAB, stage("granted")) == (
        "The Office of Machine Safety may use it with permission from Meridian Labs: granted, 30 March 2026."
    )
    assert words("access", AGENCY, LAB, stage("refused", contradicted=1)) == (
        "The Office of Machine Safety asked for access and was refused by Meridian Labs, 30 March 2026."
        " Reports disagree."
    )
    assert words("release", LAB, None, stage("released")) == "Released by Meridian Labs, 30 March 2026."
    assert words("release", LAB, None, stage("released"), FEDERAL) == (
        "Released by Meridian Labs to federal agencies, 30 March 2026."
    )


def test_a_plan_or_a_request_neither_permits_nor_forbids() -> None:
    planned = timeline("restriction", AGENCY, LAB, None, stage("banned", "reported 1 March 2026"))
    assert permission(planned, FEDERAL)["may"] == ""
    assert permission(planned, FEDERAL)["words"].startswith("Open: Something is planned (")
    asked = permission(timeline("access", AGENCY, LAB, stage("requested")))
    assert asked["may"] == "" and "may" not in asked["words"]


def test_settled_permissions_come_before_open_ones() -> None:
    open_, done = (
        timeline("access", AGENCY, LAB, stage("requested")),
        timeline("restriction", AGENCY, LAB, stage("banned")),
    )
    [model] = permitted([{**MODEL, "lines": [open_, done]}], {"e1": FEDERAL})
    assert [view["permission"]["may"] for view in model["lines"]] == ["no", ""]
    assert model["lines"][0]["permission"]["who"] == "federal agencies"
