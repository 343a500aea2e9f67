"""A clock for tests that must not depend on the machine."""


class Clock:
    """A clock that goes on only when told to."""

    def __init__(self):
        self.now = 0.0

    def wait(self, seconds):
        self.now += seconds
