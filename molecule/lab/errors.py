"""What can go wrong in the lab, said to the person who runs it."""


class LabError(Exception):
    """A failure with what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep the sentence and, where there is one, the advice."""
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        """Return the sentence, with the advice on a line of its own."""
        message = super().__str__()
        return f"{message}\n  {self.hint}" if self.hint else message
