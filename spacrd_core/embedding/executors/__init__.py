"""Executors that embed shards: in this process, in local processes, or on a Dask cluster."""
