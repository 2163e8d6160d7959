"""The demo data as INSERT … SELECT statements: PostgreSQL makes the rows itself, so that millions take seconds."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rxbackup.demo import words
from rxbackup.demo.choosing import NOW, THREE_YEARS, ago, listed, one_of, pick, quoted, some_of

# Each CROSS JOIN LATERAL ends in OFFSET 0: it keeps PostgreSQL from computing its columns anew wherever they are used.
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


def _user(sizes: Sizes, salt: int) -> str:
    return f"{sizes.first_user} + 1 + {pick(salt, sizes.users)}"


def _manager(sizes: Sizes, salt: int) -> str:
    return f"{sizes.first_user} + 12 * (1 + {pick(salt, sizes.users // 12)})"


def _technician(sizes: Sizes, salt: int) -> str:
    return f"{sizes.first_user} + 1 + 6 * (1 + {pick(salt, (sizes.users - 1) // 6)})"


def _bare(names: Sequence[str]) -> list[str]:
    """Names as they stand in an email address."""
    plain = (unicodedata.normalize("NFKD", name.translate(_BARE)) for name in names)
    return [name.encode("ascii", "ignore").decode().lower() for name in plain]


def _model(asset: str) -> str:
    """Which of the models an asset is, counted from 1."""
    return f"1 + {pick(319, len(words.MODELS), asset)}"


def _trouble(asset: str, *, issue: str = "i") -> str:
    """What is wrong with an asset, as its category lets one expect."""
    befallen = {name: at for at, (names, _) in enumerate(words.TROUBLES) for name in names}
    of_model = listed([befallen[category] for category, *_ in words.MODELS], "int")
    cases = " ".join(
        f"WHEN {at} THEN {one_of(titles, 407, key=issue)}" for at, (_, titles) in enumerate(words.TROUBLES)
    )
    return f"CASE {of_model}[{_model(asset)}] {cases} END"


def _departments(sizes: Sizes) -> str:
    names, codes = zip(*words.DEPARTMENTS, strict=True)
    count = len(names)
    site = f"{listed(words.SITES)}[1 + (i - 1) / {count}]"
    return f"""
        INSERT INTO departments (id, name, code, budget, head_user_id, created_at, updated_at)
        SELECT i,
            {listed(names)}[1 + (i - 1) % {count}] || CASE WHEN i > {count} THEN ' ' || {site} ELSE '' END,
            {listed(codes)}[1 + (i - 1) % {count}]
                || CASE WHEN i > {count} THEN '-' || upper(left({site}, 3)) ELSE '' END,
            (50 + {pick(101, 900)}) * 1000 + 0.5 * {pick(102, 100)},
            {_manager(sizes, 103)},
            {NOW} - {THREE_YEARS + 30} * interval '1 day', {ago(104, 90)}
        FROM generate_series(1, {sizes.departments}) AS i"""


def _users(sizes: Sizes) -> str:
    first, last = len(words.FIRST_NAMES), len(words.LAST_NAMES)
    role = "CASE WHEN i <= 3 THEN 'admin' WHEN i % 12 = 0 THEN 'manager' WHEN i % 6 = 1 THEN 'technician' END"
    role = f"coalesce({role}, 'employee')"
    titles = " ".join(f"WHEN '{role}' THEN {one_of(titles, 210)}" for role, titles in words.JOB_TITLES.items())
    return f"""
        INSERT INTO users (id, email, name, role, active, department_id, manager_id, job_title, phone, skills, profile,
            last_login_at, last_login_ip, created_at, updated_at)
        SELECT {sizes.first_user} + i,
            {listed(_bare(words.FIRST_NAMES))}[f] || '.' || {listed(_bare(words.LAST_NAMES))}[l]
                || coalesce(nullif((i - 1) / {first * last}, 0)::text, '') || '@example.com',
            {listed(words.FIRST_NAMES)}[f] || ' ' || {listed(words.LAST_NAMES)}[l],
            role::user_role, {pick(201, 100)} >= 4 OR role IN ('admin', 'manager'),
            1 + {pick(202, sizes.departments)},
            CASE role WHEN 'admin' THEN NULL WHEN 'manager' THEN {sizes.first_user} + 1 ELSE {_manager(sizes, 203)} END,
            CASE role {titles} END,
            '+49 30 5550 ' || lpad(({pick(204, 10000)})::text, 4, '0'),
            {some_of(words.SKILLS, 205, 4)},
            jsonb_build_object('site', {one_of(words.SITES, 207)}, 'desk', chr(65 + ({pick(208, 6)})::int)
                || '-' || {pick(209, 400)}, 'remote', {pick(211, 3)} = 0),
            CASE WHEN {pick(212, 10)} > 0 THEN {ago(213, 60, bend=2.5)} END,
            ('10.' || {pick(215, 16)} || '.' || {pick(216, 256)} || '.' || 1 + {pick(217, 250)})::inet,
            joined, joined + {pick(219, 300)} * interval '1 hour'
        FROM generate_series(1, {sizes.users}) AS i
        CROSS JOIN LATERAL (SELECT 1 + (i - 1) % {first} AS f, 1 + ((i - 1) + (i - 1) / {first}) % {last} AS l,
            {role} AS role, {NOW} - (30 + {pick(218, THREE_YEARS)}) * interval '1 day' AS joined
            OFFSET 0) AS person"""


def _categories() -> str:
    number = {name: at for at, (name, _, _) in enumerate(words.CATEGORIES, start=1)}
    rows = ", ".join(
        f"({number[name]}, {quoted(name)}, {number[parent] if parent else 'NULL'}, "
        f"{quoted(f'{years} years' if years else None)})"
        for name, parent, years in words.CATEGORIES
    )
    return f"""
        INSERT INTO asset_categories (id, name, parent_category_id, useful_life)
        SELECT id, name, parent, life::interval
        FROM (VALUES {rows}) AS c (id, name, parent, life)"""


def _assets(sizes: Sizes) -> str:
    number = {name: at for at, (name, _, _) in enumerate(words.CATEGORIES, start=1)}
    categories, makers, models, prices = zip(*words.MODELS, strict=True)
    mobile = listed([number[name] for name in ("Tablets", "Phones")], "int")
    computers = listed([number[name] for name in ("Laptops", "Desktops", "Tablets", "Phones", "Servers")], "int")
    of_model = listed([number[name] for name in categories], "int")
    networked = f"(category = ANY ({computers}) OR category = {number['Network']})"
    return f"""
        INSERT INTO assets (id, external_id, asset_tag, name, category_id, status, manufacturer, model, serial_number,
            mac_address, attributes, tags, price, shipping, currency, purchased_on, warranty_until, parent_asset_id,
            assigned_to_id, department_id, created_at, updated_at)
        SELECT i, md5('asset ' || i)::uuid, 'AT-' || 999 + i, {listed(models)}[m], category, status::asset_status,
            {listed(makers)}[m], {listed(models)}[m], upper(substr(md5('serial ' || i), 1, 7)) || lpad(i::text, 7, '0'),
            CASE WHEN {networked} THEN (substr(md5('mac ' || i), 1, 12))::macaddr END,
            CASE WHEN category = ANY ({mobile}) THEN jsonb_build_object(
                'storage_gb', {one_of((128, 128, 256, 512), 301, "int")},
                'os', CASE {listed(makers)}[m] WHEN 'Apple' THEN 'iOS 18' ELSE 'Android 15' END)
            WHEN category = ANY ({computers}) THEN jsonb_build_object(
                'ram_gb', {one_of((16, 16, 32, 64), 303, "int")},
                'disk_gb', {one_of((256, 512, 512, 1024, 2048), 302, "int")},
                'os', CASE WHEN {listed(makers)}[m] = 'Apple' THEN 'macOS 15' WHEN category = {number["Servers"]}
                    THEN 'Debian 12' ELSE {one_of(("Windows 11", "Windows 11", "Ubuntu 24.04"), 309)} END,
                'encrypted', {pick(304, 9)} > 0)
            ELSE jsonb_build_object('colour', {one_of(("black", "grey", "silver", "white"), 305)},
                'room', chr(65 + ({pick(306, 6)})::int) || {pick(307, 400)}) END,
            {some_of(words.TAGS, 308, 3)},
            round({listed(prices, "numeric")}[m] * (0.88 + 0.0001 * {pick(310, 2400)}), 2), 0.5 * {pick(311, 80)},
            {one_of(("EUR", "EUR", "EUR", "USD", "GBP"), 312)},
            bought::date, bought::date + 365 * (2 + {pick(313, 2)})::int,
            CASE WHEN i > 20 AND {pick(314, 5)} = 0 THEN i - 1 - {pick(315, 15)} END,
            CASE WHEN status = 'assigned' THEN {_user(sizes, 316)} END,
            1 + {pick(317, sizes.departments)},
            bought, least(bought + {pick(318, 400)} * interval '1 day', {NOW})
        FROM generate_series(1, {sizes.assets}) AS i
        CROSS JOIN LATERAL (SELECT {_model("i")} AS m, {ago(320, bend=1.1)} AS bought,
            CASE WHEN s < 62 THEN 'assigned' WHEN s < 80 THEN 'in_stock' WHEN s < 86 THEN 'in_repair'
                WHEN s < 98 THEN 'retired' ELSE 'lost' END AS status
            FROM (SELECT {pick(322, 100)} AS s) AS chance OFFSET 0) AS made
        CROSS JOIN LATERAL (SELECT {of_model}[m] AS category OFFSET 0) AS kind"""


def _asset_events(sizes: Sizes) -> str:
    return f"""
        INSERT INTO asset_events (asset_id, at, old_status, new_status)
        SELECT 1 + {pick(351, sizes.assets)}, {ago(352)},
            {one_of(("in_stock", "assigned", "in_repair"), 354, "asset_status")},
            {one_of(("assigned", "in_repair", "retired", "in_stock"), 355, "asset_status")}
        FROM generate_series(1, {sizes.events}) AS i"""


def _issues(sizes: Sizes) -> str:
    resolved_in = f"(1 + power({pick(412, 1000)}::float8 / 1000, 3) * 1200) * interval '1 hour'"
    return f"""
        INSERT INTO issues (id, asset_id, reported_by_id, assigned_to_id, duplicate_of_id, title, description, severity,
            state, labels, details, reported_at, resolved_at, updated_at)
        SELECT i, 1 + {pick(401, sizes.assets)}, {_user(sizes, 402)},
            CASE WHEN {pick(403, 12)} > 0 THEN {_technician(sizes, 404)} END,
            CASE WHEN i > 50 AND {pick(405, 33)} = 0 THEN i - 1 - {pick(406, 40)} END,
            {_trouble("1 + " + pick(401, sizes.assets))},
            {one_of(words.ISSUE_SENTENCES, 408)} || ' ' || {one_of(words.ISSUE_SENTENCES, 409)}
                || CASE WHEN {pick(410, 3)} = 0 THEN E'\\n' || {one_of(words.ISSUE_SENTENCES, 411)} ELSE '' END,
            {one_of(("low", "low", "medium", "medium", "medium", "high", "critical"), 414, "issue_severity")},
            CASE WHEN solved <= {NOW} THEN {one_of(("resolved", "closed", "closed"), 415, "issue_state")}
                ELSE {one_of(("open", "open", "in_progress", "waiting"), 416, "issue_state")} END,
            {some_of(words.LABELS, 417, 2)},
            jsonb_build_object('photos', {pick(419, 4)},
                'room', chr(65 + ({pick(420, 6)})::int) || {pick(421, 400)}),
            reported, CASE WHEN solved <= {NOW} THEN solved END, least(greatest(reported, solved), {NOW})
        FROM generate_series(1, {sizes.issues}) AS i
        CROSS JOIN LATERAL (SELECT {ago(422)} AS reported OFFSET 0) AS began
        CROSS JOIN LATERAL (SELECT reported + {resolved_in} AS solved OFFSET 0) AS ended"""


def _maintenance(sizes: Sizes) -> str:
    kinds = ("inspection", "repair", "repair", "upgrade", "cleaning", "calibration")
    part = f"jsonb_build_object('name', {one_of(words.PARTS, 501)}, 'price', 15 + {pick(502, 300)})"
    return f"""
        INSERT INTO maintenance_records (id, asset_id, issue_id, technician_id, kind, performed_on, hours, cost, parts,
            notes, next_due_on, created_at)
        SELECT i, 1 + {pick(503, sizes.assets)},
            CASE WHEN {pick(504, 10)} < 6 THEN 1 + {pick(505, sizes.issues)} END,
            {_technician(sizes, 506)},
            {one_of(kinds, 507, "maintenance_kind")},
            done::date, 0.25 * (1 + {pick(508, 24)}), 0.5 * {pick(509, 900)},
            CASE WHEN {pick(510, 3)} = 0 THEN jsonb_build_array({part}) ELSE '[]' END,
            {one_of(words.WORK_NOTES, 511)},
            CASE WHEN {pick(512, 3)} > 0 THEN done::date + 182 * (1 + {pick(513, 4)})::int END, done
        FROM generate_series(1, {sizes.maintenance}) AS i
        CROSS JOIN LATERAL (SELECT {ago(514)} AS done OFFSET 0) AS work"""


def _requests(sizes: Sizes) -> str:
    leaves = [at for at, (_, parent, _) in enumerate(words.CATEGORIES, start=1) if parent]
    states = ("pending", "approved", "rejected", "fulfilled", "fulfilled", "fulfilled", "cancelled")
    return f"""
        INSERT INTO asset_requests (id, requester_id, approver_id, category_id, asset_id, state, quantity, reason,
            needed_by, decided_at, created_at, updated_at)
        SELECT i, {_user(sizes, 601)}, CASE WHEN state <> 'pending' THEN {_manager(sizes, 602)} END,
            {one_of(leaves, 603, "int")}, CASE WHEN state = 'fulfilled' THEN 1 + {pick(604, sizes.assets)} END,
            state::request_state, 1 + (power({pick(605, 100)}::float8 / 100, 4) * 8)::smallint,
            {one_of(words.REQUEST_REASONS, 606)}, asked::date + (7 + {pick(607, 60)})::int,
            CASE WHEN state <> 'pending' THEN least(asked + {pick(608, 200)} * interval '1 hour', {NOW}) END,
            asked, asked
        FROM generate_series(1, {sizes.requests}) AS i
        CROSS JOIN LATERAL (SELECT {ago(609)} AS asked, {one_of(states, 611)} AS state OFFSET 0) AS request"""


def _notifications(sizes: Sizes) -> str:
    kinds = len(words.NOTIFICATION_KINDS)
    trouble = _trouble("1 + " + pick(401, sizes.assets, "issue"), issue="issue")
    return f"""
        INSERT INTO notifications (id, user_id, issue_id, kind, title, body, payload, read_at, created_at)
        SELECT i, {_user(sizes, 701)}, issue, {listed(words.NOTIFICATION_KINDS)}[k],
            {listed(words.NOTIFICATION_TITLES)}[k] || ': ' || {trouble},
            CASE WHEN {pick(702, 3)} > 0 THEN {one_of(words.ISSUE_SENTENCES, 703)} END,
            jsonb_build_object('issue', issue, 'sent_by', {one_of(("email", "push"), 704)}),
            CASE WHEN {pick(705, 4)} > 0 THEN least(sent + {pick(706, 4000)} * interval '1 minute', {NOW}) END, sent
        FROM generate_series(1, {sizes.notifications}) AS i
        CROSS JOIN LATERAL (SELECT 1 + {pick(707, kinds)} AS k, 1 + {pick(708, sizes.issues)} AS issue,
            {ago(709, 400)} AS sent OFFSET 0) AS message"""


def _preferences(sizes: Sizes) -> str:
    return f"""
        INSERT INTO notification_preferences (user_id, channel, event, enabled, quiet_from, quiet_until, updated_at)
        SELECT {sizes.first_user} + u, channel, event, {pick(801, 4)} > 0,
            CASE WHEN {pick(802, 3, "u")} = 0 THEN time '22:00' END,
            CASE WHEN {pick(802, 3, "u")} = 0 THEN time '07:00' END, {ago(803)}
        FROM generate_series(1, {sizes.users}) AS u
        CROSS JOIN unnest(enum_range(NULL::notification_channel)) WITH ORDINALITY AS c (channel, c)
        CROSS JOIN unnest({listed(words.EVENTS)}) WITH ORDINALITY AS e (event, e)
        CROSS JOIN LATERAL (SELECT u * 100 + c * 10 + e AS i OFFSET 0) AS number"""
