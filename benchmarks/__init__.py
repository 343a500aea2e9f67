"""How fast it is, measured side by side; `make bench` runs all and writes RESULTS.md."""
