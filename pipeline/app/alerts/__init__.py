"""What the ledger tells by itself: alerts on new events, on disagreements and on sources in trouble."""
