"""What the bridge costs, against controls of the same run: `make bench`, and docs/performance.md."""
