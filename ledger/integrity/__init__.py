"""Proof that history was not altered: sealed by whoever holds a key, checked by anybody who has its public half.

Each event is a leaf of one RFC 6962 Merkle tree (`leaf`, `hashing`), kept as tiles so that appending and proving touch
few of them (`tiles`, `proofs`). The `sealer` follows the ledger and signs checkpoints, C2SP notes (`note`,
`checkpoint`, `keys`). `verify` walks the stored rows and names the first that is not what was sealed; `export` writes
what an auditor checks offline with the public key alone (`audit`).

It does not prevent: it shows. What it cannot show is what came after the newest checkpoint, and a rewriting by somebody
who holds the key, unless a checkpoint was kept outside the database.
"""
