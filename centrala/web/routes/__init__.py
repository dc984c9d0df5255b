"""Routes of the API, a file for each thing that they are about."""
