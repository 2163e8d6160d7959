"""The tests. A package only so that `tests.support` can be imported from anywhere."""
