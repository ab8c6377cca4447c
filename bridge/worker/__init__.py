"""The worker: deliveries, sweeps, jobs, pruning."""
