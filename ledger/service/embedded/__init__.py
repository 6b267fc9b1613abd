"""The embedded PostgreSQL: a database that starts itself in a folder of the user's, for trying and testing.

It promises what a database of one's own promises: what was committed is kept, through `kill -9` of a client or of the
server. All processes of a user share one server per folder; it outlives them until `stop`. It listens on a Unix socket
that only its owner can reach, runs for root too without adding a user, and changes no permission outside its folder.
It does not upgrade data from one major release to the next, and it is no place for production.

In the folder: `pg18/` is the data, `pg18.log` what the server said since its last start, `pg18.alive` a lock that every
process of the server holds while it lives, `lock` one that is held while somebody starts or stops it, `socket/` where
it listens (`socket.path` names another place where that path would be too long).
"""

from ledger.service.embedded.folder import default_folder
from ledger.service.embedded.server import EmbeddedServer, ServerStatus

__all__ = ["EmbeddedServer", "ServerStatus", "default_folder"]
