"""The demo data as INSERT … SELECT statements: PostgreSQL makes the rows itself, so that millions take seconds.

Nothing is random: every choice is a hash of the row's number and of the column's own salt. Dates lie back from now.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rxbackup.demo import words

_THREE_YEARS = 3 * 365
# Each CROSS JOIN LATERAL ends in OFFSET 0: it keeps PostgreSQL from computing its columns anew wherever they are used.
_NOW = "date_trunc('hour', now())"
_BARE = str.maketrans({"Ł": "L", "ł": "l", "ı": "i", "ø": "o", "Ø": "O", "’": "", "'": ""})


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows of each kind; ids of users begin after `first_user`, which are there already."""

    departments: int
    users: int
    assets: int
    issues: int
    maintenance: int
    events: int
    requests: int
    notifications: int
    first_user: int = 0

    @classmethod
    def at(cls, scale: float, *, first_user: int = 0) -> Sizes:
        """Scale 1 is a company of three hundred people."""

        def times(count: int, at_least: int) -> int:
            return max(at_least, round(count * scale))

        return cls(
            departments=len(words.DEPARTMENTS) * max(1, min(round(scale), len(words.SITES))),
            users=times(300, 30),
            assets=times(2000, 60),
            issues=times(5000, 60),
            maintenance=times(3000, 40),
            events=times(3000, 40),
            requests=times(800, 20),
            notifications=times(8000, 80),
            first_user=first_user,
        )


@dataclass(frozen=True, slots=True)
class Filling:
    """One table's rows."""

    table: str
    rows: int
    statement: str


def fillings(sizes: Sizes) -> list[Filling]:
    """What to run, in this order. Foreign keys need not hold until all have run."""
    preferences = sizes.users * 3 * len(words.EVENTS)
    return [
        Filling("departments", sizes.departments, _departments(sizes)),
        Filling("users", sizes.users, _users(sizes)),
        Filling("asset_categories", len(words.CATEGORIES), _categories()),
        Filling("assets", sizes.assets, _assets(sizes)),
        Filling("asset_events", sizes.events, _asset_events(sizes)),
        Filling("issues", sizes.issues, _issues(sizes)),
        Filling("maintenance_records", sizes.maintenance, _maintenance(sizes)),
        Filling("asset_requests", sizes.requests, _requests(sizes)),
        Filling("notifications", sizes.notifications, _notifications(sizes)),
        Filling("notification_preferences", preferences, _preferences(sizes)),
    ]


def _pick(salt: int, count: int, key: str = "i") -> str:
    """A number from 0 to count - 1 that belongs to the row and the salt."""
    return f"((hashint8extended(({key})::bigint, {salt}) & 9223372036854775807) % {max(1, count)})"


def _list(items: Sequence[object], kind: str = "text") -> str:
    return f"(ARRAY[{', '.join(_quoted(item) for item in items)}]::{kind}[])"


def _quoted(item: object) -> str:
    return "NULL" if item is None else "'" + str(item).replace("'", "''") + "'"


def _one_of(items: Sequence[object], salt: int, kind: str = "text", *, key: str = "i") -> str:
    if kind in ("text", "int"):
        return f"{_list(items, kind)}[1 + {_pick(salt, len(items), key)}]"
    # A list of enum values would be read anew for every row: choose the text first.
    return f"({_list(items)}[1 + {_pick(salt, len(items), key)}])::{kind}"


def _some_of(items: Sequence[str], salt: int, most: int) -> str:
    start = f"1 + {_pick(salt, len(items) - most)}"
    return f"{_list(items)}[{start} : {start} + {_pick(salt + 1, most + 1)} - 1]"


def _ago(salt: int, days: int = _THREE_YEARS, *, bend: float = 1.4) -> str:
    """A moment in working hours within so many days before now, more often lately than long ago."""
    # In floating point: a power of numerics would take longer than all the rest of the row.
    day = f"(power({_pick(salt, 1_000_000)}::float8 / 1000000, {bend}::float8) * {days})::int"
    second = f"({_pick(salt + 1, 36000)} + 27000)"
    return f"least(date_trunc('day', now()) - {day} * interval '1 day' + {second} * interval '1 second', {_NOW})"


def _user(sizes: Sizes, salt: int) -> str:
    return f"{sizes.first_user} + 1 + {_pick(salt, sizes.users)}"


def _manager(sizes: Sizes, salt: int) -> str:
    return f"{sizes.first_user} + 12 * (1 + {_pick(salt, sizes.users // 12)})"


def _technician(sizes: Sizes, salt: int) -> str:
    return f"{sizes.first_user} + 1 + 6 * (1 + {_pick(salt, (sizes.users - 1) // 6)})"


def _bare(names: Sequence[str]) -> list[str]:
    """Names as they stand in an email address."""
    plain = (unicodedata.normalize("NFKD", name.translate(_BARE)) for name in names)
    return [name.encode("ascii", "ignore").decode().lower() for name in plain]


def _departments(sizes: Sizes) -> str:
    names, codes = zip(*words.DEPARTMENTS, strict=True)
    count = len(names)
    site = f"{_list(words.SITES)}[1 + (i - 1) / {count}]"
    return f"""
        INSERT INTO departments (id, name, code, budget, head_user_id, created_at, updated_at)
        SELECT i,
            {_list(names)}[1 + (i - 1) % {count}] || CASE WHEN i > {count} THEN ' ' || {site} ELSE '' END,
            {_list(codes)}[1 + (i - 1) % {count}]
                || CASE WHEN i > {count} THEN '-' || upper(left({site}, 3)) ELSE '' END,
            (50 + {_pick(101, 900)}) * 1000 + 0.5 * {_pick(102, 100)},
            {_manager(sizes, 103)},
            {_NOW} - {_THREE_YEARS + 30} * interval '1 day', {_ago(104, 90)}
        FROM generate_series(1, {sizes.departments}) AS i"""


def _users(sizes: Sizes) -> str:
    first, last = len(words.FIRST_NAMES), len(words.LAST_NAMES)
    role = "CASE WHEN i <= 3 THEN 'admin' WHEN i % 12 = 0 THEN 'manager' WHEN i % 6 = 1 THEN 'technician' END"
    role = f"coalesce({role}, 'employee')"
    titles = " ".join(f"WHEN '{role}' THEN {_one_of(titles, 210)}" for role, titles in words.JOB_TITLES.items())
    return f"""
        INSERT INTO users (id, email, name, role, active, department_id, manager_id, job_title, phone, skills, profile,
            last_login_at, last_login_ip, created_at, updated_at)
        SELECT {sizes.first_user} + i,
            {_list(_bare(words.FIRST_NAMES))}[f] || '.' || {_list(_bare(words.LAST_NAMES))}[l]
                || coalesce(nullif((i - 1) / {first * last}, 0)::text, '') || '@example.com',
            {_list(words.FIRST_NAMES)}[f] || ' ' || {_list(words.LAST_NAMES)}[l],
            role::user_role, {_pick(201, 100)} >= 4 OR role IN ('admin', 'manager'),
            1 + {_pick(202, sizes.departments)},
            CASE role WHEN 'admin' THEN NULL WHEN 'manager' THEN {sizes.first_user} + 1 ELSE {_manager(sizes, 203)} END,
            CASE role {titles} END,
            '+49 30 5550 ' || lpad(({_pick(204, 10000)})::text, 4, '0'),
            {_some_of(words.SKILLS, 205, 4)},
            jsonb_build_object('site', {_one_of(words.SITES, 207)}, 'desk', chr(65 + ({_pick(208, 6)})::int)
                || '-' || {_pick(209, 400)}, 'remote', {_pick(211, 3)} = 0),
            CASE WHEN {_pick(212, 10)} > 0 THEN {_ago(213, 60, bend=2.5)} END,
            ('10.' || {_pick(215, 16)} || '.' || {_pick(216, 256)} || '.' || 1 + {_pick(217, 250)})::inet,
            joined, joined + {_pick(219, 300)} * interval '1 hour'
        FROM generate_series(1, {sizes.users}) AS i
        CROSS JOIN LATERAL (SELECT 1 + (i - 1) % {first} AS f, 1 + ((i - 1) + (i - 1) / {first}) % {last} AS l,
            {role} AS role, {_NOW} - (30 + {_pick(218, _THREE_YEARS)}) * interval '1 day' AS joined
            OFFSET 0) AS person"""


def _categories() -> str:
    number = {name: at for at, (name, _, _) in enumerate(words.CATEGORIES, start=1)}
    rows = ", ".join(
        f"({number[name]}, {_quoted(name)}, {number[parent] if parent else 'NULL'}, "
        f"{_quoted(f'{years} years' if years else None)})"
        for name, parent, years in words.CATEGORIES
    )
    return f"""
        INSERT INTO asset_categories (id, name, parent_category_id, useful_life)
        SELECT id, name, parent, life::interval
        FROM (VALUES {rows}) AS c (id, name, parent, life)"""


def _assets(sizes: Sizes) -> str:
    number = {name: at for at, (name, _, _) in enumerate(words.CATEGORIES, start=1)}
    categories, makers, models, prices = zip(*words.MODELS, strict=True)
    computers = _list([number[name] for name in ("Laptops", "Desktops", "Tablets", "Phones", "Servers")], "int")
    of_model = _list([number[name] for name in categories], "int")
    networked = f"(category = ANY ({computers}) OR category = {number['Network']})"
    return f"""
        INSERT INTO assets (id, external_id, asset_tag, name, category_id, status, manufacturer, model, serial_number,
            mac_address, attributes, tags, price, shipping, currency, purchased_on, warranty_until, parent_asset_id,
            assigned_to_id, department_id, created_at, updated_at)
        SELECT i, md5('asset ' || i)::uuid, 'AT-' || 999 + i, {_list(models)}[m], category, status::asset_status,
            {_list(makers)}[m], {_list(models)}[m], upper(substr(md5('serial ' || i), 1, 7)) || lpad(i::text, 7, '0'),
            CASE WHEN {networked} THEN (substr(md5('mac ' || i), 1, 12))::macaddr END,
            CASE WHEN category = ANY ({computers}) THEN jsonb_build_object(
                'ram_gb', {_one_of((8, 16, 16, 32, 64), 301, "int")},
                'disk_gb', {_one_of((256, 512, 512, 1024, 2048), 302, "int")},
                'os', {_one_of(("Windows 11", "Windows 11", "macOS 15", "Debian 12", "Android 15"), 303)},
                'encrypted', {_pick(304, 9)} > 0)
            ELSE jsonb_build_object('colour', {_one_of(("black", "grey", "silver", "white"), 305)},
                'room', chr(65 + ({_pick(306, 6)})::int) || {_pick(307, 400)}) END,
            {_some_of(words.TAGS, 308, 3)},
            round({_list(prices, "numeric")}[m] * (0.88 + 0.0001 * {_pick(310, 2400)}), 2), 0.5 * {_pick(311, 80)},
            {_one_of(("EUR", "EUR", "EUR", "USD", "GBP"), 312)},
            bought::date, bought::date + 365 * (2 + {_pick(313, 2)})::int,
            CASE WHEN i > 20 AND {_pick(314, 5)} = 0 THEN i - 1 - {_pick(315, 15)} END,
            CASE WHEN status = 'assigned' THEN {_user(sizes, 316)} END,
            1 + {_pick(317, sizes.departments)},
            bought, least(bought + {_pick(318, 400)} * interval '1 day', {_NOW})
        FROM generate_series(1, {sizes.assets}) AS i
        CROSS JOIN LATERAL (SELECT 1 + {_pick(319, len(models))} AS m, {_ago(320, bend=1.1)} AS bought,
            CASE WHEN s < 62 THEN 'assigned' WHEN s < 80 THEN 'in_stock' WHEN s < 86 THEN 'in_repair'
                WHEN s < 98 THEN 'retired' ELSE 'lost' END AS status
            FROM (SELECT {_pick(322, 100)} AS s) AS chance OFFSET 0) AS made
        CROSS JOIN LATERAL (SELECT {of_model}[m] AS category OFFSET 0) AS kind"""


def _asset_events(sizes: Sizes) -> str:
    return f"""
        INSERT INTO asset_events (asset_id, at, old_status, new_status)
        SELECT 1 + {_pick(351, sizes.assets)}, {_ago(352)},
            {_one_of(("in_stock", "assigned", "in_repair"), 354, "asset_status")},
            {_one_of(("assigned", "in_repair", "retired", "in_stock"), 355, "asset_status")}
        FROM generate_series(1, {sizes.events}) AS i"""


def _issues(sizes: Sizes) -> str:
    resolved_in = f"(1 + power({_pick(412, 1000)}::float8 / 1000, 3) * 1200) * interval '1 hour'"
    return f"""
        INSERT INTO issues (id, asset_id, reported_by_id, assigned_to_id, duplicate_of_id, title, description, severity,
            state, labels, details, reported_at, resolved_at, updated_at)
        SELECT i, 1 + {_pick(401, sizes.assets)}, {_user(sizes, 402)},
            CASE WHEN {_pick(403, 12)} > 0 THEN {_technician(sizes, 404)} END,
            CASE WHEN i > 50 AND {_pick(405, 33)} = 0 THEN i - 1 - {_pick(406, 40)} END,
            {_one_of(words.ISSUE_TITLES, 407)},
            {_one_of(words.ISSUE_SENTENCES, 408)} || ' ' || {_one_of(words.ISSUE_SENTENCES, 409)}
                || CASE WHEN {_pick(410, 3)} = 0 THEN E'\\n' || {_one_of(words.ISSUE_SENTENCES, 411)} ELSE '' END,
            {_one_of(("low", "low", "medium", "medium", "medium", "high", "critical"), 414, "issue_severity")},
            CASE WHEN solved <= {_NOW} THEN {_one_of(("resolved", "closed", "closed"), 415, "issue_state")}
                ELSE {_one_of(("open", "open", "in_progress", "waiting"), 416, "issue_state")} END,
            {_some_of(words.LABELS, 417, 2)},
            jsonb_build_object('photos', {_pick(419, 4)},
                'room', chr(65 + ({_pick(420, 6)})::int) || {_pick(421, 400)}),
            reported, CASE WHEN solved <= {_NOW} THEN solved END, least(greatest(reported, solved), {_NOW})
        FROM generate_series(1, {sizes.issues}) AS i
        CROSS JOIN LATERAL (SELECT {_ago(422)} AS reported OFFSET 0) AS began
        CROSS JOIN LATERAL (SELECT reported + {resolved_in} AS solved OFFSET 0) AS ended"""


def _maintenance(sizes: Sizes) -> str:
    kinds = ("inspection", "repair", "repair", "upgrade", "cleaning", "calibration")
    part = f"jsonb_build_object('name', {_one_of(words.PARTS, 501)}, 'price', 15 + {_pick(502, 300)})"
    return f"""
        INSERT INTO maintenance_records (id, asset_id, issue_id, technician_id, kind, performed_on, hours, cost, parts,
            notes, next_due_on, created_at)
        SELECT i, 1 + {_pick(503, sizes.assets)},
            CASE WHEN {_pick(504, 10)} < 6 THEN 1 + {_pick(505, sizes.issues)} END,
            {_technician(sizes, 506)},
            {_one_of(kinds, 507, "maintenance_kind")},
            done::date, 0.25 * (1 + {_pick(508, 24)}), 0.5 * {_pick(509, 900)},
            CASE WHEN {_pick(510, 3)} = 0 THEN jsonb_build_array({part}) ELSE '[]' END,
            {_one_of(words.WORK_NOTES, 511)},
            CASE WHEN {_pick(512, 3)} > 0 THEN done::date + 182 * (1 + {_pick(513, 4)})::int END, done
        FROM generate_series(1, {sizes.maintenance}) AS i
        CROSS JOIN LATERAL (SELECT {_ago(514)} AS done OFFSET 0) AS work"""


def _requests(sizes: Sizes) -> str:
    leaves = [at for at, (_, parent, _) in enumerate(words.CATEGORIES, start=1) if parent]
    states = ("pending", "approved", "rejected", "fulfilled", "fulfilled", "fulfilled", "cancelled")
    return f"""
        INSERT INTO asset_requests (id, requester_id, approver_id, category_id, asset_id, state, quantity, reason,
            needed_by, decided_at, created_at, updated_at)
        SELECT i, {_user(sizes, 601)}, CASE WHEN state <> 'pending' THEN {_manager(sizes, 602)} END,
            {_one_of(leaves, 603, "int")}, CASE WHEN state = 'fulfilled' THEN 1 + {_pick(604, sizes.assets)} END,
            state::request_state, 1 + (power({_pick(605, 100)}::float8 / 100, 4) * 8)::smallint,
            {_one_of(words.REQUEST_REASONS, 606)}, asked::date + (7 + {_pick(607, 60)})::int,
            CASE WHEN state <> 'pending' THEN least(asked + {_pick(608, 200)} * interval '1 hour', {_NOW}) END,
            asked, asked
        FROM generate_series(1, {sizes.requests}) AS i
        CROSS JOIN LATERAL (SELECT {_ago(609)} AS asked, {_one_of(states, 611)} AS state OFFSET 0) AS request"""


def _notifications(sizes: Sizes) -> str:
    kinds = len(words.NOTIFICATION_KINDS)
    return f"""
        INSERT INTO notifications (id, user_id, issue_id, kind, title, body, payload, read_at, created_at)
        SELECT i, {_user(sizes, 701)}, issue, {_list(words.NOTIFICATION_KINDS)}[k],
            {_list(words.NOTIFICATION_TITLES)}[k] || ': ' || {_one_of(words.ISSUE_TITLES, 407, key="issue")},
            CASE WHEN {_pick(702, 3)} > 0 THEN {_one_of(words.ISSUE_SENTENCES, 703)} END,
            jsonb_build_object('issue', issue, 'sent_by', {_one_of(("email", "push"), 704)}),
            CASE WHEN {_pick(705, 4)} > 0 THEN least(sent + {_pick(706, 4000)} * interval '1 minute', {_NOW}) END, sent
        FROM generate_series(1, {sizes.notifications}) AS i
        CROSS JOIN LATERAL (SELECT 1 + {_pick(707, kinds)} AS k, 1 + {_pick(708, sizes.issues)} AS issue,
            {_ago(709, 400)} AS sent OFFSET 0) AS message"""


def _preferences(sizes: Sizes) -> str:
    return f"""
        INSERT INTO notification_preferences (user_id, channel, event, enabled, quiet_from, quiet_until, updated_at)
        SELECT {sizes.first_user} + u, channel, event, {_pick(801, 4)} > 0,
            CASE WHEN {_pick(802, 3, "u")} = 0 THEN time '22:00' END,
            CASE WHEN {_pick(802, 3, "u")} = 0 THEN time '07:00' END, {_ago(803)}
        FROM generate_series(1, {sizes.users}) AS u
        CROSS JOIN unnest(enum_range(NULL::notification_channel)) WITH ORDINALITY AS c (channel, c)
        CROSS JOIN unnest({_list(words.EVENTS)}) WITH ORDINALITY AS e (event, e)
        CROSS JOIN LATERAL (SELECT u * 100 + c * 10 + e AS i OFFSET 0) AS number"""
