"""The application of the Django suite."""
