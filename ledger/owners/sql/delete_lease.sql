DELETE FROM ledger.leases WHERE owner = %(owner)s AND epoch <= %(epoch)s
