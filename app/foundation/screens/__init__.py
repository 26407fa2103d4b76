"""Back office pages that no domain writes by hand: declared tables, terms, the audit log, the start page."""

from app.foundation.screens.screen import Column, Filter, Screen

__all__ = ["Column", "Filter", "Screen"]
