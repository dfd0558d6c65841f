"""Ways to drag: with the mouse, and with a finger on the glass, which a page hears as touch."""

from playwright.sync_api import Page

STEPS = 6


def by_mouse(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Press the button at the start, move to the end in some steps, and let go."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=STEPS)
    page.mouse.up()


def by_finger(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Put a finger down at the start, move it to the end in some steps, and lift it."""
    session = page.context.new_cdp_session(page)
    for what, share in [("touchStart", 0.0), *(("touchMove", k / STEPS) for k in range(1, STEPS + 1))]:
        at = [a + share * (b - a) for a, b in zip(start, end, strict=True)]
        points = [dict(zip("xy", at, strict=True))]
        session.send("Input.dispatchTouchEvent", {"type": what, "touchPoints": points})
        page.wait_for_timeout(30)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()
