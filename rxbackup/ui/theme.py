"""Every colour, size and typeface of the page, in one place.

Values lean on the Radix scales, which know light and dark. They reach the browser as CSS variables `--rx-…`;
`assets/rxbackup.css` arranges things with these variables and holds no literal of its own.
"""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Final

import reflex as rx

ACCENT: Final = "indigo"
GREY: Final = "slate"
PHONE_WIDTH: Final = "768px"

STYLESHEETS: Final = [
    "/rxbackup.css",
    "/rxbackup-schedules.css",
    "/rxbackup-looking.css",
    "/rxbackup-overview.css",
    "/rxbackup-notifications.css",
]

TOKENS: Final[dict[str, str]] = {
    # Surfaces, from behind to front.
    "canvas": "var(--gray-1)",
    "sunken": "var(--gray-2)",
    "surface": "var(--color-panel-solid)",
    "hover": "var(--gray-a2)",
    "chosen": "var(--gray-a3)",
    "line": "var(--gray-a4)",
    "line-strong": "var(--gray-a6)",
    "veil": "var(--color-overlay)",
    # Ink. Nothing lighter than step 11 carries text: step 10 misses 4.5:1.
    "ink": "var(--gray-12)",
    "ink-soft": "var(--gray-11)",
    "accent": "var(--accent-9)",
    # Radix's own step 10 is lighter in the dark: white on it misses 4.5:1.
    "accent-hover": "color-mix(in oklab, var(--accent-9) 88%, black)",
    "accent-ink": "var(--accent-11)",
    "accent-soft": "var(--accent-a3)",
    "focus": "var(--accent-8)",
    # States: ink, soft ground and line of each. Always with icon and word.
    "good": "color-mix(in oklab, var(--green-11) 78%, var(--green-12))",
    "good-soft": "var(--green-a3)",
    "good-line": "var(--green-a5)",
    "warn": "color-mix(in oklab, var(--amber-11) 85%, var(--amber-12))",
    "warn-soft": "var(--amber-a3)",
    "warn-line": "var(--amber-a6)",
    "bad": "color-mix(in oklab, var(--red-11) 88%, var(--red-12))",
    "bad-soft": "var(--red-a3)",
    "bad-line": "var(--red-a5)",
    "run": "color-mix(in oklab, var(--blue-11) 75%, var(--blue-12))",
    "run-soft": "var(--blue-a3)",
    "run-line": "var(--blue-a5)",
    "run-bar": "var(--blue-9)",
    "idle": "var(--gray-11)",
    "idle-soft": "var(--gray-a3)",
    "idle-line": "var(--gray-a5)",
    # Charts. What failed is hatched, too; each store has a dash and a shape of its own beside its colour.
    "bar-good": "var(--green-9)",
    "bar-bad": "var(--red-9)",
    "bar-gap": "var(--red-a3)",
    "series-1": "var(--indigo-11)",
    "series-2": "var(--orange-11)",
    "series-3": "var(--teal-11)",
    "series-4": "var(--plum-11)",
    "series-5": "var(--cyan-11)",
    "series-6": "var(--gray-11)",
    # Radix's solid red carries white text at 3.9:1 only; this one at 5.3:1, in both modes.
    "danger": "#ce2c31",
    "danger-hover": "#b3262b",
    "on-solid": "#ffffff",
    # Space on the 8 px grid, with half steps.
    "s1": "4px",
    "s2": "8px",
    "s3": "12px",
    "s4": "16px",
    "s5": "24px",
    "s6": "32px",
    "s7": "48px",
    "s8": "64px",
    # Sizes.
    "target": "40px",
    "sidebar": "232px",
    "topbar": "56px",
    "content": "1200px",
    "dialog": "520px",
    "dialog-wide": "640px",
    "dialog-broad": "920px",
    "plain": "420px",
    "hairline": "1px",
    "radius": "8px",
    "radius-large": "12px",
    "radius-small": "6px",
    "round": "999px",
    # Type: 14/20 for reading, 24/32 for the title.
    "text-xs": "12px/16px",
    "text-s": "13px/20px",
    "text-m": "14px/20px",
    "text-l": "16px/24px",
    "text-number": "20px/28px",
    "text-title": "24px/32px",
    "sans": "'Inter Variable', 'Inter', ui-sans-serif, system-ui, -apple-system, 'Segoe UI', sans-serif",
    "mono": "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, monospace",
    # Toasts hang outside the Radix theme, where only the plain scales are known.
    "toast": "var(--slate-1)",
    "toast-ink": "var(--slate-12)",
    "toast-line": "var(--slate-a6)",
    "shadow": "0 1px 2px var(--black-a2)",
    "quick": "120ms",
}


def radix_theme() -> rx.Component:
    """The Radix theme that every page lives in."""
    return rx.theme(
        accent_color=ACCENT,
        gray_color=GREY,
        radius="medium",
        panel_background="solid",
        has_background=True,
    )


def tokens_css() -> str:
    """The tokens as CSS variables: on `.radix-themes`, which knows the chosen greys, and on the root for the rest."""
    lines = "".join(f"--rx-{name}:{value};" for name, value in TOKENS.items())
    return f":root,.radix-themes{{{lines}--default-font-family:var(--rx-sans);}}"


def head() -> list[rx.Component]:
    """What stands in the head of every page: the tokens, the icon, the browser's own colours."""
    return [
        rx.el.style(tokens_css()),
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.link(
            rel="preload",
            href="/fonts/inter-latin-wght-normal.woff2",
            custom_attrs={"as": "font", "type": "font/woff2", "crossOrigin": "anonymous"},
        ),
        rx.el.meta(name="color-scheme", content="light dark"),
    ]
