"""`serve`: gunicorn, with a worker that takes no thread before a request is whole."""
