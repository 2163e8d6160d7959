"""One folder a screen: `page.py` draws it, the states beside it react to clicks."""
