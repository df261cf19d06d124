"""Simulate how people with a colour vision deficiency see colours.

Matrices of Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of
Color Vision Deficiency", severity 1, on linear RGB.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

Rgb: TypeAlias = tuple[int, int, int]
_Row: TypeAlias = tuple[float, float, float]

DEFICIENCIES: Mapping[str, tuple[_Row, _Row, _Row]] = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
_COLOUR_PATTERN = re.compile(r"#([0-9a-fA-F]{6})\b|rgb\((\d+),\s*(\d+),\s*(\d+)\)")


def simulate(colour: Rgb, deficiency: str) -> Rgb:
    """Return a colour as seen with a deficiency, a key of DEFICIENCIES."""
    linear = [_to_linear(part / 255) for part in colour]
    mixed = [
        sum(weight * part for weight, part in zip(row, linear, strict=True))
        for row in DEFICIENCIES[deficiency]
    ]
    red, green, blue = (round(255 * _from_linear(min(1.0, max(0.0, part)))) for part in mixed)
    return red, green, blue


def simulate_picture(svg: str, deficiency: str) -> str:
    """Return an SVG picture with each colour as seen with a deficiency."""

    def replacement(found: re.Match[str]) -> str:
        if found[1]:
            colour = tuple(bytes.fromhex(found[1]))
        else:
            colour = tuple(map(int, found.group(2, 3, 4)))
        red, green, blue = simulate((colour[0], colour[1], colour[2]), deficiency)
        return f"#{red:02x}{green:02x}{blue:02x}"

    return _COLOUR_PATTERN.sub(replacement, svg)


def _to_linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _from_linear(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)
