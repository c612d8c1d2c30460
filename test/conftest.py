"""Options that every Python test may ask for."""

import pytest


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="more mutations, longer stress")


@pytest.fixture(scope="session")
def long(request):
    """True if the tests may take their time."""
    return request.config.getoption("--long")


def pytest_collection_modifyitems(config, items):
    """Tests for long runs are not there in others: nothing is skipped, and nothing passes without having been run."""
    if not config.getoption("--long"):
        items[:] = [item for item in items if item.get_closest_marker("only_long") is None]
