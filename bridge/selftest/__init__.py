"""`wcpay-bridge selftest`: batteries that try to make the bridge charge twice, lose something or guess.

The bridge runs here as it runs anywhere, with its clock, its way out and its database handed in; the judges are the
simulated provider's own ledger and the simulated shop, in a process that is never killed, and never the bridge's
database. Nothing of the served app imports this.
"""
