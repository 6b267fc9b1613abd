"""All questions of a ledger: of now, of its history, and of any moment before."""

from ledger.store.connection import Connect
from projections.queries.history import HistoryQueries
from projections.queries.now import ViewQueries
from projections.queries.past import PastQueries


class ViewLedgerQueries(ViewQueries):
    """The queries of the ledger (`ledger.asking.answers.LedgerQueries`), over connections that the caller opens."""

    def __init__(self, connect: Connect) -> None:
        super().__init__(connect)
        self.history = HistoryQueries(connect)
        self.past = PastQueries(connect)
