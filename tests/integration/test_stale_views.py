"""A plan names the materialized views that will show old rows after the restore."""

from __future__ import annotations

from rxbackup.postgres.connecting import connect
from rxbackup.restore.plan import RestoreRequest
from rxbackup.restore.run import prepare_restore
from tests.support.databases import back_up
from tests.support.postgres import admin_url
from tests.support.vaults import new_vault

_SCHEMA = """
CREATE TABLE shop_notes (id int PRIMARY KEY, body text);
CREATE TABLE shop_parts (id int, kind int, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
CREATE TABLE shop_parts_1 PARTITION OF shop_parts FOR VALUES IN (1) PARTITION BY RANGE (id);
CREATE TABLE shop_parts_1_a PARTITION OF shop_parts_1 FOR VALUES FROM (0) TO (100);
CREATE TABLE sale_orders (id int PRIMARY KEY);
CREATE TABLE elder (id int);
CREATE TABLE heir (PRIMARY KEY (id)) INHERITS (elder);
CREATE SCHEMA "Odd. ""s";
CREATE VIEW plain AS SELECT * FROM shop_notes;
CREATE VIEW further AS SELECT p.id FROM plain p JOIN sale_orders o USING (id);
CREATE MATERIALIZED VIEW z_first AS SELECT * FROM further;
CREATE MATERIALIZED VIEW a_second AS SELECT count(*) FROM z_first;
CREATE MATERIALIZED VIEW "Odd. ""s"."V " AS SELECT * FROM shop_parts_1_a;
CREATE UNIQUE INDEX ON "Odd. ""s"."V " (id);
CREATE MATERIALIZED VIEW of_whole AS SELECT * FROM shop_parts;
CREATE UNIQUE INDEX ON of_whole (id) WHERE id > 3;
CREATE MATERIALIZED VIEW of_elder AS SELECT * FROM elder;
CREATE MATERIALIZED VIEW of_sales AS SELECT * FROM sale_orders;
CREATE MATERIALIZED VIEW empty AS SELECT * FROM shop_notes WITH NO DATA;
"""


def test_views_are_named_in_the_order_in_which_they_want_a_refresh(database: str) -> None:
    with connect(database, application_name="test") as conn:
        conn.execute(_SCHEMA)
    outcome = back_up(database, new_vault())

    def stale(*tables: str) -> list[str]:
        plan = prepare_restore(outcome.manifest, RestoreRequest(tables=tables), source_url=database, counted=False)
        return [v.qualified for v in plan.stale_views]

    assert stale("public.shop_notes") == ["public.z_first", "public.a_second"]
    assert stale("public.sale_orders") == ["public.of_sales", "public.z_first", "public.a_second"]
    assert stale("public.shop_parts") == ['Odd. "s.V ', "public.of_whole"]
    assert stale("public.heir") == ["public.of_elder"]


def test_it_is_known_which_can_be_refreshed_while_others_read_and_by_whom(database: str) -> None:
    with connect(database, application_name="test") as conn:
        conn.execute(_SCHEMA)
    with connect(admin_url(database), application_name="test") as conn:
        conn.execute("ALTER MATERIALIZED VIEW of_whole OWNER TO postgres")
    outcome = back_up(database, new_vault())
    plan = prepare_restore(outcome.manifest, RestoreRequest(tables=("public.shop_parts",)), source_url=database)
    assert [(v.name, v.concurrently, v.owned) for v in plan.stale_views] == [
        ("V ", True, True),
        ("of_whole", False, False),
    ]
    with connect(database, application_name="test") as conn:
        conn.execute(b"REFRESH MATERIALIZED VIEW CONCURRENTLY " + plan.stale_views[0].identifier.as_bytes(conn))
