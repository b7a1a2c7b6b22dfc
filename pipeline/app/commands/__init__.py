"""The subcommands of `oversight`, one module per subject."""
