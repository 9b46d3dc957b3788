"""A small web service on the OTel SDK."""

__version__ = "1.4.0"
