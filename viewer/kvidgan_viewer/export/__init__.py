"""Export: a film is written to a file in the background, as chosen in a dialog."""

from kvidgan_viewer.export.export_dialog import ExportDialog
from kvidgan_viewer.export.export_job import ExportJob

__all__ = ["ExportDialog", "ExportJob"]
