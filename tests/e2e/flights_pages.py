#!/usr/bin/env python3
"""The pages of the five flights examples, as they tell them, with the January that is shipped.

    flights_pages.py EBB [TEST…]

Their ```sh blocks are carried out in a folder that looks like a fresh clone, `ebb up` included; the ```text block
after one is what must come out. tests/differential/flights.py compares what the examples answer with PostgreSQL's.
Ends in `N passed, N failed`.
"""
import sys

import e2e
from service_examples import Page, examples


def carry_out(name):
    examples("flights")
    page = Page(f"example-flights-{name}.md")
    in_service, page.steps, page.before = page.steps, page.before, []
    assert page.steps and in_service, "a page has steps before and after ebb up"
    page.play()
    page.steps = in_service
    with page.service():
        page.play()


def test_hourly():
    carry_out("hourly")


def test_turnarounds():
    carry_out("turnarounds")


def test_weather():
    carry_out("weather")


def test_planes():
    carry_out("planes")


def test_routes():
    carry_out("routes")


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
