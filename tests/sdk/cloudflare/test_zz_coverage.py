"""Runs last: every method of every ai_gateway resource was called by some test."""

from conftest import called, methods, resources


def test_every_method_was_called(client):
    there = {f"{name}.{method}".lstrip(".") for name, each in resources(client.ai_gateway) for method in methods(each)}
    assert len(there) >= 22
    assert sorted(there - called) == []
