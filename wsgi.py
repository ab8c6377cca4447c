"""For any WSGI server: `gunicorn wsgi:app`. Settings come from the environment."""

from bridge import create_app

app = create_app()
