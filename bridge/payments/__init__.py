"""The use cases: create, look up, settle, deliver, keys, stores. They know the database and the ports, and no HTTP."""
