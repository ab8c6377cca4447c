import pytest
from shop import create_office, create_shop

pytest_plugins = ["bridge.testing"]


@pytest.fixture(params=[create_shop, create_office])
def app(request, bridge_config):
    return request.param({"TESTING": True, **bridge_config})
