"""The overview: is the data safe, what wants a person, how it went lately."""
