"""What backends yield: events, and the memory that came with them."""
