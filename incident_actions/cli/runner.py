"""Writes what the runner of GitHub Actions reads: annotations, outputs and the job summary.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import logging
import secrets
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from incident_actions.domain.postmortem.lint import LintFinding
from incident_actions.domain.text.harmless import visible
from incident_actions.errors import InputError
from incident_actions.gate_words import in_workflow
from incident_actions.reconcile.context import JobResult

log = logging.getLogger(__name__)


def say(text: str = "", *, end: str = "\n", file: TextIO | None = None) -> None:
    """Print for people: what would steer their terminal is shown. See `visible`."""
    print(visible(text), end=end, file=file or sys.stdout)


class Runner:
    """The output of a step. Outside a workflow it is plain text on the terminal."""

    def __init__(self, environ: Mapping[str, str], out: TextIO, err: TextIO) -> None:
        self._environ = environ
        self._out = out
        self._err = err
        self.in_workflow = in_workflow(environ)

    def error(self, message: str) -> None:
        """Write an error: an annotation and a line of the job summary, or a line on a terminal."""
        if not self.in_workflow:
            print(visible(message), file=self._err, flush=True)
            return
        print(f"::error title=Incident actions::{escape(message)}", file=self._out, flush=True)
        self.summary(f"**Incident actions:** {message}\n")

    def crash(self, error: Exception, hidden: Sequence[str]) -> None:
        """Write an unexpected exception: its traceback to the log, and one annotation.

        Each line begins with `|`, so that the runner takes none for a command. The texts in
        `hidden` (tokens) are replaced by `***`.
        """
        trace = "".join(traceback.format_exception(error))
        what = f"{type(error).__name__}: {error}"
        for secret in hidden:
            trace, what = trace.replace(secret, "***"), what.replace(secret, "***")
        stream = self._out if self.in_workflow else self._err
        print(
            visible("\n".join(f"| {line}" for line in trace.splitlines())), file=stream, flush=True
        )
        what = " ".join(what.split())[:300]
        self.error(f"This is a bug in incident-actions: {what}. Please report it with the log.")

    def handler(self, hidden: Sequence[str] = ()) -> logging.Handler:
        """A log handler that turns warnings into annotations, or plain lines on a terminal.

        The texts in `hidden` (tokens) are replaced by `***`.
        """
        handler = logging.StreamHandler(self._out if self.in_workflow else self._err)
        handler.setFormatter(_LogLines(hidden, annotates=self.in_workflow))
        return handler

    def report(self, reports: Sequence[JobResult]) -> None:
        """Write what `respond` did: a line for each result, and the step's outputs.

        `issue`, `severity` and `status` are those of the last result; `changed` says whether any
        result changed something; `pull-request` is the last one that a result names.
        """
        for report in reports:
            what = "brought up to date" if report.changed else "up to date already"
            known = filter(None, (report.severity, report.status, what))
            line = f"#{report.issue or report.pull_request}: {', '.join(known)}"
            print(line, file=self._out, flush=True)
            self.summary(f"- {line}\n")
            self.findings(report.findings)
        if not reports:
            print("Nothing to do: no incident.", file=self._out, flush=True)
        last = reports[-1] if reports else JobResult()
        self.output("issue", str(last.issue or ""))
        self.output("severity", last.severity)
        self.output("status", last.status)
        self.output("changed", str(any(report.changed for report in reports)).lower())
        pulls = [report.pull_request for report in reports if report.pull_request]
        self.output("pull-request", str(pulls[-1]) if pulls else "")

    def findings(self, findings: Sequence[tuple[str, LintFinding]]) -> None:
        """Write findings of the lint, each with its path: as annotations or plain lines."""
        for path, finding in findings:
            if self.in_workflow:
                place = f"file={_escape_property(path)},line={finding.line}"
                line = f"::{finding.level} {place},title=Postmortem::{escape(finding.text)}"
            else:
                line = visible(f"{path}:{finding.line}: {finding.level}: {finding.text}")
            print(line, file=self._out, flush=True)

    def output(self, name: str, value: str) -> None:
        """Set one of the step's outputs. Raises `InputError` when they can't be written."""
        delimiter = f"end_{secrets.token_hex(8)}"
        try:
            self._append("GITHUB_OUTPUT", f"{name}<<{delimiter}\n{value}\n{delimiter}\n")
        except OSError as error:
            raise InputError(
                f"the outputs can't be written to GITHUB_OUTPUT: {error.strerror or error}",
                remedy="Let it name a file that can be written, as the runner does, or unset it.",
            ) from None

    def summary(self, markdown: str) -> None:
        """Add Markdown to the job summary. A failure is only a warning: nothing depends on it."""
        try:
            self._append("GITHUB_STEP_SUMMARY", markdown)
        except OSError as error:
            why = error.strerror or error
            log.warning("The job summary can't be written to GITHUB_STEP_SUMMARY: %s", why)

    def _append(self, variable: str, text: str) -> None:
        path = self._environ.get(variable)
        if path:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(text)


class _LogLines(logging.Formatter):
    """Formats warnings and errors as annotations, and everything else as plain lines.

    A traceback becomes lines that begin with `|`, so that the runner takes none for a command.
    """

    def __init__(self, hidden: Sequence[str], *, annotates: bool) -> None:
        super().__init__()
        self._hidden = hidden
        self._annotates = annotates

    def format(self, record: logging.LogRecord) -> str:
        message, trace = record.getMessage(), ""
        if record.exc_info:
            trace = self.formatException(record.exc_info)
        for secret in self._hidden:
            message, trace = message.replace(secret, "***"), trace.replace(secret, "***")
        before = "".join(f"| {line}\n" for line in trace.splitlines())
        if not self._annotates:
            return visible(before + message)
        if record.levelno >= logging.ERROR:
            return f"{before}::error::{escape(message)}"
        if record.levelno >= logging.WARNING:
            return f"{before}::warning::{escape(message)}"
        return before + message.replace("\n", " ").lstrip(":")


def _escape_property(value: str) -> str:
    """Escape the value of an annotation's property, such as `file=`."""
    return escape(value).replace(":", "%3A").replace(",", "%2C")


def escape(message: str) -> str:
    """Escape the message of an annotation, so that it can't end it or begin another one."""
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
