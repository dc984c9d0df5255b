"""The HTTP side: the API under /api/v1, live updates, problem responses. Imported only where listen.http is given."""
