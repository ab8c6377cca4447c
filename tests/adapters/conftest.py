"""What tests of adapters share: assertions of the shipped suite that explain, and adapters that are closed."""

import pytest

pytest.register_assert_rewrite("bridge.adapters.contract")
