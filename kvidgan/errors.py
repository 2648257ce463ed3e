"""The one exception for what a user can mend."""


class UserError(Exception):
    """Something the user gave cannot be used.

    The message is one clear sentence: what was expected, what was found, what to do. The command
    line prints it without a traceback and exits with 1.
    """
