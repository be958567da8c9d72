"""Models over HTTP: server, client and their protocol."""
