"""Write a film to a file: ask how, then do it aside."""

from .dialog import ExportDialog
from .job import ExportJob

__all__ = ["ExportDialog", "ExportJob"]
