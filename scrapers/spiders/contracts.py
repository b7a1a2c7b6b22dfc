"""A contract for `scrapy check`: a feed lists as many entries as are wanted."""

from __future__ import annotations

from typing import Any

from scrapy.contracts import Contract
from scrapy.exceptions import ContractFail

from scrapers.items import Listing


class EntriesContract(Contract):
    """`@entries N`: the callback yields a Listing with N entries or child feeds at least."""

    name = "entries"

    def post_process(self, output: list[Any]) -> None:
        """Raise ContractFail if there are fewer."""
        wanted = int(self.args[0]) if self.args else 1
        listings = [item for item in output if isinstance(item, Listing)]
        found = sum(len(one.entries) + len(one.more) for one in listings)
        if found < wanted:
            why = "; ".join(fault for one in listings for fault in one.faults)
            raise ContractFail(f"{found} entries, expected {wanted} at least{f' ({why})' if why else ''}")
