"""What tests share: servers, databases, builders, faults."""
