"""Write a film to a file: ask how, then do it aside."""

from kvidgan_viewer.export.export_dialog import ExportDialog
from kvidgan_viewer.export.export_job import ExportJob

__all__ = ["ExportDialog", "ExportJob"]
