"""Who may do what: people known by their verified e-mail, as viewers, who change nothing, or as engineers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from gad_core.errors import GadError

Role = Literal["viewer", "engineer"]

_HOURS = 12.0  # a long shift: who comes back the next day signs in again
_MOST_HOURS = 720.0  # the cookie of the sign-in lasts no longer
_SETTINGS = ("engineers", "viewers", "hours")


class NotAllowed(GadError):
    """A change asked for by somebody who may only look."""


@dataclass(frozen=True)
class Person:
    """Somebody who has signed in; without a role, `refusal` says why in a clause."""

    email: str
    role: Role | None = None
    refusal: str = ""

    @property
    def closed(self) -> str | None:
        """Why this person may change nothing; None for an engineer."""
        if self.role == "viewer":
            return "viewers change nothing; ask an engineer to do it"
        return None if self.role else self.refusal


@dataclass(frozen=True)
class Access:
    """The lists of e-mails, each exact or `*@domain`, and for how many hours a sign-in holds."""

    engineers: tuple[str, ...] = ()
    viewers: tuple[str, ...] = ()
    hours: float = _HOURS

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read an operator's settings `[gad]`; raises `GadError` where they let nobody in or cannot be meant."""
        if unknown := sorted(set(settings) - set(_SETTINGS)):
            raise GadError(f"[gad] in the secrets knows {', '.join(_SETTINGS)}, got {', '.join(unknown)}; correct it")
        engineers, viewers = (_emails(settings, name) for name in ("engineers", "viewers"))
        if not engineers and not viewers:
            raise GadError(
                "[auth] in the secrets asks people to sign in, and [gad] there names nobody; name some, as in "
                'engineers = ["anna@example.com"] and viewers = ["*@example.com"]'
            )
        hours = settings.get("hours", _HOURS)
        if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours <= _MOST_HOURS:
            raise GadError(
                f"hours in [gad] is how long a sign-in holds, up to {_MOST_HOURS:g}, got {hours!r}; correct it"
            )
        return cls(engineers, viewers, float(hours))

    def person(self, claims: Mapping[str, Any], moment: float) -> Person:
        """Who that is at a moment (seconds since 1970), by what the sign-in service says (OpenID Connect's claims).

        Only a verified e-mail counts; upper and lower case are one. Who is on both lists is an engineer.
        """
        email = str(claims.get("email") or "")
        if not email:
            return Person("", refusal="the sign-in service names no e-mail; sign in with an account that has one")
        if str(claims.get("email_verified")).lower() != "true":  # some services write it as a text
            return Person(
                email, refusal=f"the sign-in service has not verified {email}; verify it there, then come back"
            )
        issued = claims.get("iat")
        if not isinstance(issued, int | float) or moment - issued > 3600 * self.hours:
            return Person(email, refusal=f"the sign-in of {email} is more than {self.hours:g} hours old; sign in again")
        if _is_on(email, self.engineers):
            return Person(email, "engineer")
        if _is_on(email, self.viewers):
            return Person(email, "viewer")
        return Person(
            email, refusal=f"the address {email} is on no list of this dashboard; ask whoever runs it for access"
        )


def _emails(settings: Mapping[str, Any], name: str) -> tuple[str, ...]:
    listed = settings.get(name, ())
    if isinstance(listed, str) or not isinstance(listed, list | tuple):
        raise GadError(f'{name} in [gad] is a list, as in {name} = ["anna@example.com"], got {listed!r}; correct it')
    for entry in listed:
        person, _, domain = str(entry).rpartition("@")
        if not person or not domain or "*" in domain or ("*" in person and person != "*"):
            raise GadError(
                f'{name} in [gad] has {entry!r}, which is neither an e-mail nor all of a domain ("*@example.com"); '
                "correct it"
            )
    return tuple(str(entry).strip() for entry in listed)


def _is_on(email: str, listed: tuple[str, ...]) -> bool:
    address = email.casefold()
    everybody = f"*@{address.rpartition('@')[2]}"
    return any(entry.casefold() in (address, everybody) for entry in listed)
