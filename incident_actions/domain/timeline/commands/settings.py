"""Commands that tell the bot how to treat the incident: reminders, privacy, postmortem."""

from __future__ import annotations

from datetime import timedelta

from incident_actions.domain.issue.incident import Incident
from incident_actions.domain.timeline.arguments import Arguments, Mistake
from incident_actions.domain.timeline.commands.base import Command, Origin

LONGEST_SNOOZE = timedelta(hours=24)


class Snooze(Command, frozen=True):
    """Pause the reminders.

    `duration` is how long; None ends the pause.
    """

    syntax = "/snooze 30m|off"
    example = "/snooze 30m"
    dated = False
    duration: timedelta | None

    @classmethod
    def read(cls, arguments: Arguments) -> Snooze:
        """A duration, or `off`."""
        if arguments.peek().casefold() == "off":
            arguments.word("off")
            arguments.nothing_more("/snooze off")
            return cls(None)
        if arguments.peek().casefold() == "for":
            arguments.word("for")
        duration = arguments.duration("how long", "/snooze 30m")
        arguments.nothing_more("/snooze 30m")
        if duration > LONGEST_SNOOZE:
            raise Mistake("reminders can pause for 24 hours at most", "/snooze 24h")
        return cls(duration)

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Sets or removes the time until which reminders pause."""
        if self.duration is None:
            return origin.log(incident, "switched reminders on again", snoozed_until=None)
        until = origin.at + self.duration
        return origin.log(
            incident, f"paused reminders until {until:%H:%M} UTC", snoozed_until=until
        )


class Sensitive(Command, frozen=True):
    """Mark it as a security matter; the bot publishes nothing more here."""

    syntax = "/sensitive"
    decides = True

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Marks the incident. No command takes the mark off again."""
        return origin.log(incident, "marked this as a security matter", sensitive=True)


class StartPostmortem(Command, frozen=True):
    """Open the postmortem, also of a SEV3, once it is resolved; try again if it failed."""

    syntax = "/postmortem"
    decides = True
    dated = False

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Records the wish. The postmortem is opened once the incident is resolved."""
        return origin.log(incident, "asked for a postmortem", postmortem_asked=True)
