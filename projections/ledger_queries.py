"""All questions of a ledger: of now, of its history, and of any moment before."""

from projections.history_queries import HistoryQueries
from projections.past_queries import PastQueries
from projections.queries import Connect, ViewQueries


class LedgerQueries(ViewQueries):
    """The queries of the ledger (`ledger.answers.LedgerQueries`), over connections that the caller opens."""

    def __init__(self, connect: Connect) -> None:
        super().__init__(connect)
        self.history = HistoryQueries(connect)
        self.past = PastQueries(connect)
