"""The subcommands of `oversight`, grouped by what they do, each imported only when it is called.

May import every other package; only `pipeline.cli` and `pipeline.api` import it.
"""
