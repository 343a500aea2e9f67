"""The panels as a web page: who may see them, and what the page says when its kernel is gone."""

import json
import urllib.error
import urllib.request

from .driver import opened_app

FORGET = """id => fetch(`/voila/api/shutdown/${id}`, {method: 'POST', body: new URLSearchParams(
    {_xsrf: document.cookie.match(/_xsrf=([^;]*)/)[1]})}).then(answer => answer.status)"""


def kernel_of(page):
    page.element("g4r-picture").wait_for(state="visible")
    return json.loads(page.page.locator("#jupyter-config-data").text_content())["kernelId"]


def status(address):
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def test_nobody_gets_in_without_the_token(app):
    for page in (app, f"{app}/?token=guess"):
        with urllib.request.urlopen(page) as answer:
            assert "/login" in answer.url
    assert status(f"{app}/api/kernels/00000000-0000-0000-0000-000000000000") == 403


def test_a_visitor_has_a_kernel_that_ends_with_the_page_and_a_page_says_when_it_ends(app, browser):
    with opened_app(browser, app) as first:
        kernel = kernel_of(first)
        with opened_app(browser, app) as second:
            other = kernel_of(second)
            assert status(f"{app}/api/kernels/{other}?token=test") == 200
        assert other != kernel
        ended = f"{app}/api/kernels/{other}?token=test"
        first.until(lambda: status(ended) == 404, why="its kernel outlived the page")

        assert first.page.title() == "GRU4Rec Lab"
        asked = first.page.evaluate(
            "() => performance.getEntriesByType('resource').map(entry => entry.name)"
        )
        assert len(asked) > 5
        assert [url for url in asked if not url.startswith((app, "data:", "blob:"))] == []
        assert not first.page.locator("#gone").is_visible()
        assert first.page.evaluate(FORGET, kernel) == 204
        first.page.locator("#gone", has_text="Reload the page").wait_for(state="visible")
