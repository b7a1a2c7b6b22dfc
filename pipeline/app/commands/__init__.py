"""The subcommands of `oversight`, one module per subject, imported only when they are called."""
