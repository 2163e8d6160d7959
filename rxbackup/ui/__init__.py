"""The browser's door: pages, their state, and the frame around them."""
