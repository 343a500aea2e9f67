"""Training as events: what may change while it runs, one step, the loop, and a run in a thread."""
