"""The recorder test cases that the eventsourcing library publishes, run on our recorder and our schema."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import ApplicationRecorder
from eventsourcing.tests.persistence import ApplicationRecorderTestCase, NonInterleavingNotificationIDsBaseCase

from ledger.appending.recorder import Recorder
from ledger.store.datastore import Datastore
from projections.inline.views import InlineViews


class _OnOurSchema:
    INITIAL_VERSION = 1
    conninfo: str
    opened: list[Datastore]

    @pytest.fixture(autouse=True)
    def _database(self, superuser: str) -> Iterator[None]:
        self.conninfo, self.opened = superuser, []  # whom no guard binds: the cases store topics of their own
        yield
        for datastore in self.opened:
            datastore.close()

    def new_originator_id(self) -> str:
        return f"job:{uuid4()}"

    def create_recorder(self) -> Any:
        datastore = Datastore(self.conninfo)
        self.opened.append(datastore)
        return Recorder(datastore, InlineViews())


class TestApplicationRecorder(_OnOurSchema, ApplicationRecorderTestCase[ApplicationRecorder]):
    pass


class TestNonInterleaving(_OnOurSchema, NonInterleavingNotificationIDsBaseCase):
    pass
