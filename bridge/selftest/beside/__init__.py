"""Battery "beside": what others do to an order while the bridge takes its money, at every adapter.

kinds.py     the stores: who moves their money, and which are entries of one shop
town.py      shops and providers of every kind, one bridge, one clock
towns.py     one after the other, on one kind of database
office.py    the commands with which owners add, change and remove stores
acts.py      what staff, the store itself, another gateway, a cache and broken webhooks do, and what is owed after it
buyers.py    what clients ask for and buyers press, and what they are told
books.py     what the providers' ledgers say of an order
verdicts.py  what must never be, said from the books alone
lives.py     one order from its first create to its end
away.py      a bridge that is away, for B8
plans.py     who does what to which order at which moment, by the seed
stage.py     what the stories below need of the one that they play in
tills.py     orders that an app takes at a card reader by itself
entries.py   orders that are asked for through several entries of their shop
owners.py    a store that is added, changed and removed while its payments are under way
battery.py   all of it in one town, one thing after the other, and what the judges say
"""
