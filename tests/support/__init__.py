"""What several test modules share: builders, invented worlds, local servers, reference implementations."""
