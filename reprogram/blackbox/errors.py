"""Errors of services and oracles."""


class BudgetSpent(ValueError):
    """Raised before a batch is sent that the budget does not cover."""

    _keras_call_info_injected = True  # or Keras adds the arguments of `call`


class ServiceError(OSError):
    """Raised when the service cannot be used; asking again does not help."""

    _keras_call_info_injected = True


class Refused(RuntimeError):
    """Raised by a service that did not take a batch; it costs nothing.

    Args:
        message: Description of what happened.
        wait: Time in seconds after which to send the batch again.
    """

    def __init__(self, message: str, wait: float | None = None):
        super().__init__(message)
        self.wait = wait


class Lost(RuntimeError):
    """Raised when a batch was sent and no usable answer came back."""


class OracleFailed(RuntimeError):
    """Raised when an oracle failed so often that a search cannot go on."""
