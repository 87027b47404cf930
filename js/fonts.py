"""The typeface as files, for what no browser draws: documents, and charts in mails.

`python js/fonts.py FOLDER` makes static faces of the web fonts that npm installed,
in which each script is a file of its own and weights are one axis.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from fontTools.merge import Merger
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

SOURCE = Path(__file__).parent / "node_modules/@fontsource-variable/inter"
SCRIPTS = ("latin", "latin-ext", "greek", "cyrillic")
WEIGHTS = {"Regular": 400, "Medium": 500, "SemiBold": 600}
#: Entries of a font's name table: family, style, full name, PostScript name.
FAMILY, STYLE, FULL, POSTSCRIPT, OWN_FAMILY, OWN_STYLE = 1, 2, 4, 6, 16, 17


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for style, weight in WEIGHTS.items():
        face(style, weight).save(folder / f"Inter-{style}.ttf")
    # The license asks to go where the font goes.
    (folder / "LICENSE.txt").write_bytes((SOURCE / "LICENSE").read_bytes())


def face(style: str, weight: int) -> TTFont:
    with TemporaryDirectory() as folder:
        parts = []
        for script in SCRIPTS:
            part = TTFont(SOURCE / f"files/inter-{script}-wght-normal.woff2")
            part.flavor = None
            instantiateVariableFont(part, {"wght": weight}, inplace=True)
            parts.append(f"{folder}/{script}.ttf")
            part.save(parts[-1])
        font = Merger().merge(parts)
    named(font, style, weight)
    return font


def named(font: TTFont, style: str, weight: int) -> None:
    """One family of three weights, as programs look for it."""
    plain = style == "Regular"
    names = {
        FAMILY: "Inter" if plain else f"Inter {style}",
        STYLE: "Regular",
        FULL: f"Inter {style}",
        POSTSCRIPT: f"Inter-{style}",
        OWN_FAMILY: "Inter",
        OWN_STYLE: style,
    }
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    font["OS/2"].usWeightClass = weight


if __name__ == "__main__":
    main(Path(sys.argv[1]))
