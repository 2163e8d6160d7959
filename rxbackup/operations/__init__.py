"""The one gate. Every door calls these functions and nothing below them.

Each public function takes `(services, actor, …)` and says what it needs with `@requires(Permission.X)`, or
`@open_to_all` where nobody can be signed in yet. What doors get is in `views`. Rooms and modules that start with an
underscore are machinery, no doors; a room imports only rooms below it (the contract is in pyproject.toml).
"""
