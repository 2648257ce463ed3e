"""Wording: numbers with their nouns, for sentences and notes."""


def counted(number: int, noun: str, plural: str = "s") -> str:
    """Return a number with its noun in singular or plural.

    Args:
        number: Number of things.
        noun: Noun in the singular.
        plural: Ending that makes the noun plural.

    Example:
        counted(2, "video")  # "2 videos"
        counted(3, "class", "es")  # "3 classes"
    """
    return f"{number} {noun}{'' if number == 1 else plural}"
