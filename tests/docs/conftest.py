from tests.clients.conftest import npm_client

__all__ = ["npm_client"]
