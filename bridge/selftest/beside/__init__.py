"""Battery "beside": what others do to an order while the bridge takes its money, at every adapter.

town.py      shops and providers of every kind, one bridge, one clock
acts.py      what staff, the store itself, another gateway, a cache and broken webhooks do, and what is owed after it
buyers.py    what clients ask for and buyers press, and what they are told
books.py     what the providers' ledgers say of an order
verdicts.py  what must never be, said from the books alone
lives.py     one order from its first create to its end
battery.py   who does what when, by the seed
"""
