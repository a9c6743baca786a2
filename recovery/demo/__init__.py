"""What only the demo has: its mailbox on disk, its facts, and the customer that its visitor plays."""
