from ledger.application import Ledger


def _touched(ledger: Ledger) -> list[str]:
    return [
        f"{entity['role']} {entity['type']}/{entity['id']} {entity['access']}" for entity in ledger.job("a").entities
    ]


def test_what_a_job_let_go_is_not_shown(ledger: Ledger) -> None:
    """Held again with another access, an entity appears as it is held now."""
    ledger.plan("Move", job="a", entities=[{"type": "disk", "id": "1"}, {"type": "host", "id": "h"}])
    ledger.detach("a", [{"type": "disk", "id": "1"}, {"type": "host", "id": "h"}])
    ledger.attach("a", [{"type": "disk", "id": "1", "access": "shared"}])
    assert _touched(ledger) == ["target disk/1 shared"]


def test_a_closed_job_shows_what_it_held_and_made(ledger: Ledger) -> None:
    """Also one that was unknown in between."""
    ledger.plan("Move", job="a", entities=[{"type": "disk", "id": "1"}, {"type": "host", "id": "h"}])
    ledger.detach("a", [{"type": "host", "id": "h"}])
    ledger.lose("a", products=[{"type": "image", "id": "i"}])
    ledger.resolve("a", "succeeded", products=[{"type": "image", "id": "j"}])
    assert _touched(ledger) == ["target disk/1 exclusive", "product image/i none", "product image/j none"]


def test_what_was_made_is_shown_once_however_often_it_is_told(ledger: Ledger) -> None:
    """A job that was lost tells again what it made when it is found."""
    ledger.plan("Copy", job="a")
    ledger.lose("a", products=[{"type": "image", "id": "i"}])
    ledger.succeed("a", products=[{"type": "image", "id": "i"}, {"type": "image", "id": "j"}])
    assert _touched(ledger) == ["product image/i none", "product image/j none"]
    assert ledger.as_of(ledger.position()).job("a").entities == ledger.job("a").entities


def test_a_job_planned_without_entities_may_attach_one(ledger: Ledger) -> None:
    """Its tree is known all the same, so it does not stand in its own way."""
    ledger.plan("Move", job="root", entities=[{"type": "vm", "id": "1"}], children=[{"job": "a", "type": "Copy"}])
    ledger.attach("a", [{"type": "vm", "id": "1"}])
    assert [view.job for view in ledger.busy("vm/1").jobs] == ["root", "a"]


def test_an_entity_that_is_held_already_is_not_held_twice(ledger: Ledger) -> None:
    """An attach of something held and something new begins one stay."""
    ledger.plan("Move", job="a", entities=[{"type": "disk", "id": "1"}])
    ledger.attach("a", [{"type": "disk", "id": "1"}, {"type": "disk", "id": "2"}])
    assert _touched(ledger) == ["target disk/1 exclusive", "target disk/2 exclusive"]
    ledger.detach("a", [{"type": "disk", "id": "1"}])
    assert _touched(ledger) == ["target disk/2 exclusive"]
