"""Write a film to a file: ask how, then do it aside."""

from viewer.exporting.dialog import ExportDialog
from viewer.exporting.job import ExportJob

__all__ = ["ExportDialog", "ExportJob"]
