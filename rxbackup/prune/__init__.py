"""What a store holds that nobody needs. Pure: given what is there and what the catalogue says → what to do."""
