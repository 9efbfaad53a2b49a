"""Executors of shard tasks. Each opens a ``concurrent.futures.Executor``: here, in worker processes, or on Dask."""
