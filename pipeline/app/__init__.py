"""What runs: commands, pipeline steps, run log, alerts, backfill, maintenance and source checks.

May import every other package of the project; only the command line imports it.
"""
