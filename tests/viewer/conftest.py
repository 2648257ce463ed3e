"""Windows are tested without a screen; `test_real_window.py` alone opens a real one."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
