"""Hardening: training of a program under attack."""
