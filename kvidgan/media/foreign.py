"""Foreign images: kinds that are known by their content but not read, and what to do with them."""

from pathlib import Path

from kvidgan.errors import UserError

FOREIGN_SUFFIXES = frozenset({".exr", ".hdr", ".pic", ".heic", ".heif", ".jxl", ".dpx"})

_LINEAR = "holds linear light ({}): expected colours as on a screen; tone-map it and save it as PNG"
_UNREAD = "is {}, which is not read: expected PNG, JPEG or alike; convert it to PNG"
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_KINDS = {
    b"\x76\x2f\x31\x01": _LINEAR.format("OpenEXR"),
    b"#?RADIANCE": _LINEAR.format("Radiance HDR"),
    b"#?RGBE": _LINEAR.format("Radiance HDR"),
    b"\xff\x0a": _UNREAD.format("JPEG XL"),
    b"\x00\x00\x00\x0cJXL ": _UNREAD.format("JPEG XL"),
    b"SDPX": _UNREAD.format("DPX"),
    b"XPDS": _UNREAD.format("DPX"),
}
_HDR = {16: "PQ", 18: "HLG"}  # transfer characteristics of ITU-T H.273


def foreign_kind(path: Path) -> str | None:
    """Return what a file is and what to do with it, in words that follow its name.

    None for all other files.
    """
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError:
        return None
    if start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS:
        return _UNREAD.format("HEIC")
    return next((text for sign, text in _KINDS.items() if start.startswith(sign)), None)


def check_dynamic_range(path: Path) -> None:
    """Refuse an AVIF image of high dynamic range, by the colours that its header names.

    Raises:
        UserError: If it is one.
    """
    with path.open("rb") as file:
        header = file.read(2**14)
    place = header.find(b"colrnclx")
    transfer = int.from_bytes(header[place + 10 : place + 12], "big") if place >= 0 else 0
    if transfer in _HDR:
        raise UserError(
            f"{path} is an image of high dynamic range ({_HDR[transfer]}): expected standard range;"
            " tone-map it and save it as PNG."
        )
