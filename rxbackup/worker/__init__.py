"""The clock and the hands: scheduler, queue, worker processes."""
