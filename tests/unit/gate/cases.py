"""The gate's decision as a table: what GitHub says, what is to be deployed, what comes out.

A case reads `case("what it shows", [issues], "verdict", "code", what differs from a plain deploy)`.
Issues are built by `issue(...)`, which makes the JSON of GitHub's list endpoint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from incident_actions import gate
from incident_actions.gate_inputs import SourcePull

NOW = datetime(2026, 11, 23, 3, 33, tzinfo=UTC)
SHA = "0123456789abcdef0123456789abcdef01234567"
HEAD = "89abcdef0123456789abcdef0123456789abcdef"
LATER, EARLIER = "2026-11-23T05:00:00Z", "2026-11-23T03:00:00Z"

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One row: the issues that are open, the request, and what the gate must say."""

    name: str
    issues: list[Any]
    verdict: str
    code: str
    request: Json = field(default_factory=dict)
    context: Json = field(default_factory=dict)
    blocked_by: list[int] | None = None


def form(**answers: str) -> str:
    """A body as a form makes it; underscores in the names stand for spaces."""
    return "\n\n".join(
        f"### {label.replace('_', ' ')}\n\n{answer}" for label, answer in answers.items()
    )


def with_state(text: str = "", version: Any = 1, **state: Any) -> str:
    """A body that `respond` has been over: dashboard and state on top, then the text."""
    block = json.dumps({"v": version, **state}).replace("<", "\\u003c").replace(">", "\\u003e")
    return (
        "<!-- incident-actions:begin -->\n## Dashboard\n\n### Severity\n\nSEV3\n"
        f"<!-- incident-actions:state {block} -->\n<!-- incident-actions:end -->\n\n{text}"
    )


def issue(*labels: str, number: int = 12, **changes: Any) -> Json:
    """An open incident by a member of the team; `labels` come on top of `incident`."""
    names = [*labels] if "deploy-freeze" in labels and "alone" in labels else ["incident", *labels]
    item = {
        "number": number,
        "title": "Checkout fails",
        "state": "open",
        "html_url": f"https://github.com/acme/shop/issues/{number}",
        "labels": [{"name": name} for name in names if name != "alone"],
        "user": {"login": "alice", "type": "User"},
        "author_association": "MEMBER",
        "created_at": "2026-11-23T02:50:00Z",
        "assignees": [],
        "body": "",
    }
    return {**item, **changes}


def freeze(*labels: str, number: int = 40, **changes: Any) -> Json:
    """An open freeze by hand: `deploy-freeze` alone, no incident."""
    item = issue("deploy-freeze", "alone", *labels, number=number)
    return {**item, "title": "Quarter end", **changes}


def outsider(item: Json, association: str = "NONE") -> Json:
    """The same issue, opened by somebody without rights."""
    user = {"login": "mallory", "type": "User"}
    return {**item, "author_association": association, "user": user}


def without(item: Json, *keys: str) -> Json:
    """The same issue with fields missing."""
    return {key: value for key, value in item.items() if key not in keys}


def allow(until: Any = LATER, **entry: Any) -> str:
    """A body whose state lets one change through."""
    full = {"by": "alice", "at": EARLIER, "until": until, "reason": "hotfix", **entry}
    return with_state(allow=[full])


def pull(number: int = 7, text: str = "", *shas: str) -> SourcePull:
    """A pull request that the commit came from: it is its head, or its merge."""
    given = frozenset(shas or (SHA,))
    return SourcePull(number=number, shas=given, text=text, author="erin")


def case(
    name: str,
    issues: list[Any],
    verdict: str,
    code: str,
    *,
    pulls: tuple[SourcePull, ...] = (),
    environments: tuple[str, ...] | None = None,
    blocked_by: list[int] | None = None,
    **request: Any,
) -> Case:
    """One row; `pulls` and `environments` are what was looked up."""
    context = {"pulls": pulls, "environments": environments}
    return Case(name, issues, verdict, code, request, context, blocked_by)


def request(**changes: Any) -> gate.DeployRequest:
    """A plain deploy of one commit."""
    values: Json = {
        "repository": "acme/shop",
        "source": "acme/shop",
        "services": (),
        "environment": "",
        "intent": "deploy",
        "severities": frozenset({"sev1", "sev2"}),
        "shas": frozenset({SHA}),
        "pulls": (),
        "actor": "dave",
    }
    return gate.DeployRequest(**{**values, **changes})


SEV1 = issue("sev1")

LABELS = [
    case("nothing is open", [], "clear", "nothing-open"),
    case("sev1 freezes", [SEV1], "frozen", "severity", blocked_by=[12]),
    case("sev2 freezes", [issue("sev2")], "frozen", "severity"),
    case("sev3 does not", [issue("sev3")], "clear", "other-severity"),
    case("labels ignore case", [issue("SEV1")], "frozen", "severity"),
    case("labels as plain texts", [issue(labels=["incident", "sev1"])], "frozen", "severity"),
    case("the worst of two labels counts", [issue("sev3", "sev1")], "frozen", "severity"),
    case("deploys-allowed lets it go", [issue("sev1", "deploys-allowed")], "clear",
         "deploys-allowed"),
    case("a drill never freezes", [issue("sev1", "drill")], "clear", "drill"),
    case("a held report does not freeze", [issue("sev1", "needs-confirmation")], "clear",
         "needs-confirmation"),
    case("a freeze by hand on an incident", [issue("sev3", "deploy-freeze")], "frozen",
         "deploy-freeze"),
    case("a freeze by hand beats deploys-allowed",
         [issue("sev1", "deploy-freeze", "deploys-allowed")], "frozen", "deploy-freeze"),
    case("a freeze by hand on an incident that waits for confirmation",
         [issue("sev1", "deploy-freeze", "needs-confirmation")], "clear", "needs-confirmation"),
    case("a drill beats a freeze by hand", [issue("deploy-freeze", "drill")], "clear", "drill"),
    case("a freeze alone", [freeze()], "frozen", "deploy-freeze", blocked_by=[40]),
    case("a freeze as a drill", [freeze("drill")], "clear", "drill"),
    case("a freeze that waits for confirmation", [freeze("needs-confirmation")], "clear",
         "needs-confirmation"),
    case("an incident beside a freeze", [SEV1, freeze()], "frozen", "severity",
         blocked_by=[12, 40]),
    case("one that freezes among those that do not",
         [issue("sev3", number=1), issue("sev1", "drill", number=2), issue("sev2", number=3)],
         "frozen", "severity", blocked_by=[3]),
    case("the same issue twice", [issue("sev1", "deploy-freeze")] * 2, "frozen", "deploy-freeze",
         blocked_by=[12]),
    case("two lists that differ about an issue", [issue("sev1"), issue("sev1", "deploys-allowed")],
         "frozen", "severity", blocked_by=[12]),
    case("two lists that differ, the other way round",
         [issue("sev1", "deploys-allowed"), issue("sev1")], "frozen", "severity"),
    case("a pull request is no incident", [issue("sev1", pull_request={"url": "x"})], "clear",
         "nothing-open"),
    case("pull_request: null is an issue", [issue("sev1", pull_request=None)], "frozen",
         "severity"),
    case("a closed one that slipped in", [issue("sev1", state="closed")], "clear",
         "nothing-open"),
    case("other labels do not matter", [issue("sev1", "bug", "cause:deploy")], "frozen",
         "severity"),
    case("sev10 is no severity", [issue("sev10", body=form(Severity="SEV3"))], "clear",
         "other-severity"),
]  # fmt: skip

CHOSEN = [
    case(f"{label} when {'+'.join(sorted(chosen))} freeze", [issue(label)], verdict, code,
         severities=frozenset(chosen))
    for label, chosen, verdict, code in [
        ("sev1", {"sev1"}, "frozen", "severity"),
        ("sev2", {"sev1"}, "clear", "other-severity"),
        ("sev3", {"sev1"}, "clear", "other-severity"),
        ("sev1", {"sev2"}, "clear", "other-severity"),
        ("sev2", {"sev2"}, "frozen", "severity"),
        ("sev3", {"sev3"}, "frozen", "severity"),
        ("sev1", {"sev1", "sev2", "sev3"}, "frozen", "severity"),
        ("sev3", {"sev1", "sev2", "sev3"}, "frozen", "severity"),
    ]
] + [
    case("unknown severity freezes whatever is chosen", [issue()], "frozen", "unknown-severity",
         severities=frozenset({"sev3"})),
    case("a freeze by hand freezes whatever is chosen", [freeze()], "frozen", "deploy-freeze",
         severities=frozenset({"sev3"})),
    case("an answer in the form that is not chosen", [issue(body=form(Severity="SEV2"))], "clear",
         "other-severity", severities=frozenset({"sev1"})),
]  # fmt: skip

FORMS = [
    case(f"the form says {answer!r}", [issue(body=form(Severity=answer))], verdict, code)
    for answer, verdict, code in [
        ("SEV1", "frozen", "severity"),
        ("SEV1 - everything is down", "frozen", "severity"),
        ("SEV2: a part", "frozen", "severity"),
        ("sev2", "frozen", "severity"),
        ("SEV-1", "frozen", "severity"),
        ("**SEV1**", "frozen", "severity"),
        ("🔥 SEV1", "frozen", "severity"),
        ("SEV3 - limited", "clear", "other-severity"),
        ("- [X] SEV3", "clear", "other-severity"),
        ("- [ ] SEV3", "frozen", "unknown-severity"),
        ("SEV4", "frozen", "unknown-severity"),
        ("SEV33", "frozen", "unknown-severity"),
        ("_No response_", "frozen", "unknown-severity"),
        ("", "frozen", "unknown-severity"),
        ("not SEV3, worse", "frozen", "unknown-severity"),
        ("high", "frozen", "unknown-severity"),
    ]
] + [
    case("a reworded field", [issue(body=form(How_bad_is_it="SEV3 - limited"))], "clear",
         "other-severity"),
    case("a reworded field that is bad", [issue(body=form(Wie_schlimm="SEV1"))], "frozen",
         "severity"),
    case("no form at all", [issue(body="It is down!")], "frozen", "unknown-severity"),
    case("an empty body", [issue(body=None)], "frozen", "unknown-severity"),
    case("CRLF line ends", [issue(body=form(Severity="SEV3", What="x").replace("\n", "\r\n"))],
         "clear", "other-severity"),
    case("the worse of two answers counts",
         [issue(body=form(Summary="x\n\n### Severity\n\nSEV3", Severity="SEV1"))], "frozen",
         "severity"),
    case("an answer that can't be read counts as worse than another",
         [issue(body=form(Summary="x\n\n### Severity\n\nSEV3", Severity="_No response_"))],
         "frozen", "unknown-severity"),
    case("a made-up severity heading does not hide a reworded field",
         [issue(body=form(Summary="x\n\n### Severity\n\nSEV3", How_bad="SEV1"))], "frozen",
         "severity"),
    case("an unreadable answer beside a readable one",
         [issue(body=form(Severity="dunno", Summary="SEV3 I think"))], "frozen",
         "unknown-severity"),
    case("a quoted form is not an answer",
         [issue(body="> ### Severity\n>\n> SEV3\n")], "frozen", "unknown-severity"),
    case("a heading of another level is not a field", [issue(body="## Severity\n\nSEV3")],
         "frozen", "unknown-severity"),
    case("a lighter label takes nothing off the form", [issue("sev3", body=form(Severity="SEV1"))],
         "frozen", "severity"),
    case("a worse label wins over the form", [issue("sev1", body=form(Severity="SEV3"))],
         "frozen", "severity"),
    case("the dashboard's own headings are not answers", [issue(body=with_state("hello"))],
         "frozen", "unknown-severity"),
    case("the answer below the dashboard", [issue(body=with_state(form(Severity="SEV3")))],
         "clear", "other-severity"),
    case("our marker inside an answer hides nothing",
         [issue(body=form(Summary="<!-- incident-actions:begin -->", Severity="SEV1"))],
         "frozen", "severity"),
    case("a dashboard without its end",
         [issue(body=with_state(form(Severity="SEV1")).replace(":end -->", ""))], "frozen",
         "severity"),
    case("60,000 characters", [issue(body=form(What="x" * 60_000, Severity="SEV1"))], "frozen",
         "severity"),
    case("right-to-left text and emoji", [issue(body=form(What="שלום 🚒", Severity="SEV1"))],
         "frozen", "severity"),
    case("a freeze has no severity to read", [freeze(body=form(Severity="SEV3"))], "frozen",
         "deploy-freeze"),
]  # fmt: skip

ACCEPTED = "status:investigating"
TRUST = [
    case(f"a form by {association}", [outsider(issue(body=form(Severity="SEV1")), association)],
         verdict, code)
    for association, verdict, code in [
        ("OWNER", "frozen", "severity"),
        ("MEMBER", "frozen", "severity"),
        ("COLLABORATOR", "frozen", "severity"),
        ("CONTRIBUTOR", "clear", "untrusted-report"),
        ("FIRST_TIMER", "clear", "untrusted-report"),
        ("FIRST_TIME_CONTRIBUTOR", "clear", "untrusted-report"),
        ("MANNEQUIN", "clear", "untrusted-report"),
        ("NONE", "clear", "untrusted-report"),
        ("SOMETHING_NEW", "error", "unreadable"),
    ]
] + [
    case("a bot is trusted",
         [issue(author_association="NONE", user={"login": "x[bot]", "type": "Bot"},
                body=form(Severity="SEV1"))], "frozen", "severity"),
    case("an outsider's report whose form brings a severity along", [outsider(issue("sev1"))],
         "clear", "untrusted-report"),
    case("an outsider's report labelled sev3", [outsider(issue("sev3"))], "clear",
         "untrusted-report"),
    case("an outsider's report that is held", [outsider(issue("sev1", "needs-confirmation"))],
         "clear", "needs-confirmation"),
    case("an outsider without any answer", [outsider(issue())], "clear", "untrusted-report"),
    case("an outsider's freeze form brings its label along", [outsider(freeze())], "clear",
         "untrusted-report"),
    case("an outsider's freeze by an author who can't be read", [without(freeze(), "user",
         "author_association")], "frozen", "deploy-freeze"),
    case("what an outsider wrote into a freeze on an incident is not read",
         [outsider(issue("deploy-freeze", ACCEPTED,
                         body=form(Until=EARLIER, Who_may_deploy="@dave")))],
         "frozen", "deploy-freeze"),
    case("an outsider's freeze does not count by the label incident",
         [outsider(issue("deploy-freeze"))], "clear", "untrusted-report"),
    case("an outsider's held freeze does not count by the label incident",
         [outsider(issue("deploy-freeze", "needs-confirmation"))], "clear", "needs-confirmation"),
    case("an outsider's incident with a freeze and a severity counts by neither",
         [outsider(issue("sev1", "deploy-freeze"))], "clear", "untrusted-report"),
    case("a bot's incident that is frozen by hand",
         [issue("sev3", "deploy-freeze", author_association="NONE",
                user={"login": "x[bot]", "type": "Bot"})], "frozen", "deploy-freeze"),
    case("the state is believed once the team gave the issue a status",
         [outsider(issue("sev1", ACCEPTED, body=allow(sha=SHA)), "CONTRIBUTOR")], "exempt",
         "allowed"),
    case("the services are believed once the team gave the issue a status",
         [outsider(issue("sev1", ACCEPTED, body=with_state(services=["web"])))], "clear",
         "other-service", services=("api",)),
    case("a status and no severity freezes", [outsider(issue(ACCEPTED))], "frozen",
         "unknown-severity"),
    case("a held report is not believed, whatever its status",
         [outsider(issue(ACCEPTED, "needs-confirmation", body=form(Severity="SEV1")))], "clear",
         "needs-confirmation"),
    case("some other status is no word of the team",
         [outsider(issue("sev1", "status:triage", body=allow(sha=SHA)))], "clear",
         "untrusted-report"),
    case("a status of a labeler's is no word of the team",
         [outsider(issue("sev1", "status: needs triage", body=form(Severity="SEV1")))], "clear",
         "untrusted-report"),
    case("a freeze has no status",
         [outsider(freeze(ACCEPTED))], "clear", "untrusted-report"),
    case("an outsider's state is not believed",
         [outsider(issue("sev1", body=with_state(severity="sev1")))], "clear", "untrusted-report"),
    case("an accepted incident stays one when its author has left the team, and is held by hand",
         [outsider(issue("sev1", ACCEPTED, "needs-confirmation",
                         body=with_state(severity="sev1")))], "frozen", "severity"),
    case("an author who is gone", [issue("sev1", user=None)], "frozen", "severity"),
]  # fmt: skip

API = ("api",)
SERVICES = [
    case("the service of the incident", [issue("sev1", "service:api")], "frozen", "severity",
         services=API),
    case("another service", [issue("sev1", "service:web")], "clear", "other-service",
         services=API),
    case("one of two services", [issue("sev1", "service:web", "service:api")], "frozen",
         "severity", services=API),
    case("several services in one call", [issue("sev1", "service:web")], "frozen", "severity",
         services=("api", "web")),
    case("none of several services", [issue("sev1", "service:db")], "clear", "other-service",
         services=("api", "web")),
    case("an incident that names none", [SEV1], "frozen", "severity", services=API),
    case("no service given", [issue("sev1", "service:web")], "frozen", "severity"),
    case("names ignore case", [issue("sev1", "Service:API")], "frozen", "severity", services=API),
    case("api is not api-v2", [issue("sev1", "service:api-v2")], "clear", "other-service",
         services=API),
    case("the state's services", [issue("sev1", body=with_state(services=["web"]))], "clear",
         "other-service", services=API),
    case("the state's services, ours", [issue("sev1", body=with_state(services=["API"]))],
         "frozen", "severity", services=API),
    case("label and state together",
         [issue("sev1", "service:web", body=with_state(services=["api"]))], "frozen", "severity",
         services=API),
    case("after respond the form counts no more",
         [issue("sev1", "service:web",
                body=with_state(form(Affected_services="api"), services=["web"]))], "clear",
         "other-service", services=API),
    case("a label narrows no incident whose state names no service",
         [issue("sev1", "service:web", body=with_state(severity="sev1"))], "frozen", "severity",
         services=API),
    case("a state of another issue",
         [issue("sev1", body=with_state(services=["web"], number=99))], "frozen", "severity",
         services=API),
    case("a state of another version",
         [issue("sev1", body=with_state(version=2, services=["web"]))], "frozen", "severity",
         services=API),
    case("services that are no texts", [issue("sev1", body=with_state(services=[1, None]))],
         "frozen", "severity", services=API),
    case("a freeze for one service", [freeze("service:web")], "clear", "other-service",
         services=API),
    case("a freeze for ours", [freeze("service:api")], "frozen", "deploy-freeze", services=API),
    case("unknown severity of another service", [issue("service:web")], "clear", "other-service",
         services=API),
] + [
    case(f"{label} in the form: {answer!r}", [issue("sev1", body=form(**{label: answer}))], verdict,
         "severity" if verdict == "frozen" else "other-service", services=API)
    for label, answer, verdict in [
        ("Affected_services", "api", "frozen"),
        ("Affected_services", "web", "clear"),
        ("Affected_services", "web, API", "frozen"),
        ("Affected_services", "- web\n- `api`", "frozen"),
        ("Affected_services", "the db and the web", "frozen"),
        ("Affected_services", "api-v2", "clear"),
        ("Affected_services", "All", "frozen"),
        ("Affected_services", "unknown", "frozen"),
        ("Affected_services", "Not sure", "frozen"),
        ("Affected_services", "_No response_", "frozen"),
        ("Services", "web", "clear"),
        ("Service(s)", "web", "clear"),
        ("Which_services_are_affected?", "web", "clear"),
        ("Which_third-party_service?", "web", "frozen"),
        ("Service_owner", "bob", "frozen"),
        ("Was_kaputt_ist", "web", "frozen"),
    ]
]  # fmt: skip

# What is no plain list of names: it narrows nothing, for the gate and for `respond` alike.
NOT_PLAIN = (
    "", "-", "?", "api?", "API server", "the api", "api/web", "Not sure", "not-sure", "N/A", "n-a",
    "none", "None.", "nothing", "all services", "all-services", "All", "all, api", "All of them",
    "everything is down", "Everything.", "every", "the whole platform", "whole_site", "any",
    "unknown", "unknown yet", "web, unknown", "we don't know", "I don\u2019t know", "dont-know",
    "api (v2)", "all (api, web)", "my api and web", "web, the api", "api.", "web; API gateway",
    "_", "__", "tba", "alle", "tous", "cafe\u0301", "caf\u00e9", "\u00e1pi", "web, \u0430pi",
    "a" * 41,
    ",".join(f"s{n}" for n in range(21)),
)  # fmt: skip
# A plain list, and its names, sorted.
PLAIN = {
    "api": ["api"],
    "API": ["api"],
    "api, Web": ["api", "web"],
    "web;api": ["api", "web"],
    "web\r\napi": ["api", "web"],
    "`api`": ["api"],
    "**api**": ["api"],
    "- api\n- web\n": ["api", "web"],
    "api, api,": ["api"],
    "search-api, db_1, shop.v2": ["db_1", "search-api", "shop.v2"],
    "a" * 40: ["a" * 40],
    "small": ["small"],
}  # fmt: skip

ENVIRONMENTS = [
    *(
        case(f"a freeze form for {text!r}", [freeze(body=form(Environments=text))], verdict, code,
             environment="staging")
        for text, verdict, code in [
            ("production", "clear", "other-environment"),
            ("production, staging", "frozen", "deploy-freeze"),
            ("- Staging", "frozen", "deploy-freeze"),
            ("all", "frozen", "deploy-freeze"),
            ("_No response_", "frozen", "deploy-freeze"),
            ("production, but not the tests", "frozen", "deploy-freeze"),
        ]
    ),
    case("an environment in the list", [SEV1], "frozen", "severity", environment="production",
         environments=("production",)),
    case("an environment outside the list", [SEV1], "clear", "other-environment",
         environment="staging", environments=("production",)),
    case("no list: all of them", [SEV1], "frozen", "severity", environment="staging"),
    case("no environment given", [SEV1], "frozen", "severity", environments=None),
    case("a freeze that names an environment outside the list",
         [freeze(body=form(Environments="staging"))], "frozen", "deploy-freeze",
         environment="staging", environments=("production",)),
    case("a freeze by hand outside the list", [freeze()], "clear", "other-environment",
         environment="staging", environments=("production",)),
    case("an incident labelled for another environment",
         [issue("sev1", "environment:eu")], "frozen", "severity", environment="us"),
    case("an incident with a state, labelled for another environment",
         [issue("sev1", "environment:eu", body=with_state(severity="sev1"))], "frozen", "severity",
         environment="us"),
    case("a freeze labelled for another environment",
         [freeze("environment:eu")], "clear", "other-environment", environment="us"),
    case("a label adds an environment to those of the form",
         [freeze("environment:us", body=form(Environments="eu"))], "frozen", "deploy-freeze",
         environment="us"),
    case("an incident labelled for this environment",
         [issue("sev1", "environment:EU")], "frozen", "severity", environment="eu"),
    case("an incident with an environment, none given", [issue("sev1", "environment:eu")],
         "frozen", "severity"),
    case("free text on the environment narrows nothing",
         [issue("sev1", body=form(Environment="prod"))], "frozen", "severity",
         environment="production"),
    case("a list does not excuse what can't be judged", [SEV1, None], "error", "unreadable",
         environment="staging", environments=("production",)),
]  # fmt: skip

ALLOW = [
    case("the commit is allowed", [issue("sev1", body=allow(sha=SHA))], "exempt", "allowed"),
    *(
        case(f"{digits} digits of the commit are not enough",
             [issue("sev1", body=allow(sha=SHA[:digits]))], "frozen", "severity")
        for digits in (6, 7, 12, 39)
    ),
    case("a SHA-256", [issue("sev1", body=allow(sha="ab" * 32))], "exempt", "allowed",
         shas=frozenset({"ab" * 32})),
    case("upper case", [issue("sev1", body=allow(sha=SHA.upper()))], "exempt", "allowed"),
    case("another commit", [issue("sev1", body=allow(sha=HEAD))], "frozen", "severity"),
    case("no hexadecimal number", [issue("sev1", body=allow(sha="........"))], "frozen",
         "severity"),
    case("more characters than the commit has", [issue("sev1", body=allow(sha=SHA + "00"))],
         "frozen", "severity"),
    case("the pull request is allowed, as it was",
         [issue("sev1", body=allow(pr=7, sha=HEAD))], "exempt", "allowed",
         pulls=(pull(7, "", HEAD, SHA),)),
    case("the pull request is allowed, and has a newer commit",
         [issue("sev1", body=allow(pr=7, sha=HEAD))], "frozen", "severity",
         pulls=(pull(7, "", "ab" * 20, SHA),)),
    case("an earlier commit of the pull request that is allowed",
         [issue("sev1", body=allow(pr=7, sha=HEAD))], "frozen", "severity",
         pulls=(pull(7, "", HEAD),)),
    case("a pull request without the commit as which it was allowed",
         [issue("sev1", body=allow(pr=7))], "frozen", "severity", pulls=(pull(7),)),
    case("another pull request", [issue("sev1", body=allow(pr=8))], "frozen", "severity",
         pulls=(pull(7),)),
    case("its number as a text", [issue("sev1", body=allow(pr="7"))], "frozen", "severity",
         pulls=(pull(7),)),
    case("true is no number", [issue("sev1", body=allow(pr=True))], "frozen", "severity",
         pulls=(pull(1),)),
    case("the head of its pull request", [issue("sev1", body=allow(sha=HEAD))], "exempt",
         "allowed", pulls=(pull(7, "", HEAD, SHA),)),
    case("an expired one", [issue("sev1", body=allow(EARLIER, sha=SHA))], "frozen", "severity"),
    case("one that expires this second",
         [issue("sev1", body=allow("2026-11-23T03:33:00Z", sha=SHA))], "frozen", "severity"),
    case("one without an end", [issue("sev1", body=allow(None, sha=SHA))], "frozen", "severity"),
    case("an end that can't be read", [issue("sev1", body=allow("soon", sha=SHA))], "frozen",
         "severity"),
    case("an expired one and a fresh one",
         [issue("sev1", body=with_state(allow=[{"sha": SHA, "until": EARLIER},
                                               {"sha": SHA, "until": LATER}]))],
         "exempt", "allowed"),
    case("no time zone means UTC", [issue("sev1", body=allow("2026-11-23T05:00:00", sha=SHA))],
         "exempt", "allowed"),
    case("another time zone", [issue("sev1", body=allow("2026-11-23T04:00:00+02:00", sha=SHA))],
         "frozen", "severity"),
    case("allowed through one incident, held by another",
         [issue("sev1", body=allow(sha=SHA)), issue("sev1", number=13)], "frozen", "severity",
         blocked_by=[13]),
    case("allowed through both",
         [issue("sev1", body=allow(sha=SHA)), issue("sev2", number=13, body=allow(sha=SHA))],
         "exempt", "allowed"),
    case("allowed through the incident, held by a freeze",
         [issue("sev1", body=allow(sha=SHA)), freeze()], "frozen", "deploy-freeze",
         blocked_by=[40]),
    case("allowed through an incident frozen by hand",
         [issue("sev3", "deploy-freeze", body=allow(sha=SHA))], "exempt", "allowed"),
    case("allowed, beside one that can't be judged", [issue("sev1", body=allow(sha=SHA)), None],
         "error", "unreadable"),
    case("allow is no list", [issue("sev1", body=with_state(allow={"sha": SHA}))], "frozen",
         "severity"),
    case("allow holds nonsense", [issue("sev1", body=with_state(allow=[None, 3, "x", []]))],
         "frozen", "severity"),
    case("a state that is no JSON",
         [issue("sev1", body=allow(sha=SHA).replace('{"v"', "{v"))], "frozen", "severity"),
    case("a state further down is somebody's text",
         [issue("sev1", body="x\n" + allow(sha=SHA))], "frozen", "severity"),
    case("the first of two states is text in the dashboard",
         [issue("sev1", body=allow(sha=HEAD).replace(
             "## Dashboard", '<!-- incident-actions:state {"v":1,"allow":[]} -->'))],
         "exempt", "allowed", pulls=(pull(7, "", HEAD, SHA),)),
    case("a pull request's number of another repository",
         [issue("sev1", body=allow(pr=7))], "frozen", "severity", pulls=(pull(7),),
         source="acme/api"),
    case("a commit of another repository", [issue("sev1", body=allow(sha=SHA))], "exempt",
         "allowed", source="acme/api"),
    case("nothing to match", [issue("sev1", body=allow(sha=SHA))], "frozen", "severity",
         shas=frozenset()),
    case("allowed when nothing freezes", [issue("sev3", body=allow(sha=SHA))], "clear",
         "other-severity"),
]  # fmt: skip

INTENT = [
    case("a rollback passes an incident", [SEV1], "rollback", "rollback", intent="rollback"),
    case("a rollback passes a freeze", [freeze()], "rollback", "rollback", intent="rollback"),
    case("a rollback passes what can't be judged", [None], "rollback", "rollback",
         intent="rollback"),
    case("a rollback when nothing is open", [], "clear", "nothing-open", intent="rollback"),
    case("a rollback when nothing freezes", [issue("sev3")], "clear", "other-severity",
         intent="rollback"),
    case("a rollback of another service",
         [issue("sev1", "service:web", body=with_state(services=["web"]))], "clear",
         "other-service", intent="rollback", services=API),
    case("a linked fix", [issue("sev1", body=with_state(fixes=[7]))], "exempt", "fix",
         intent="fix", pulls=(pull(7),)),
    case("a fix that is not linked", [issue("sev1", body=with_state(fixes=[8]))], "frozen",
         "severity", intent="fix", pulls=(pull(7),)),
    case("a linked fix without saying so", [issue("sev1", body=with_state(fixes=[7]))], "frozen",
         "severity", pulls=(pull(7),)),
    case("a fix without a pull request", [issue("sev1", body=with_state(fixes=[7]))], "frozen",
         "severity", intent="fix"),
    case("a fix for one of two incidents",
         [issue("sev1", body=with_state(fixes=[7])), issue("sev1", number=13)], "frozen",
         "severity", intent="fix", pulls=(pull(7),), blocked_by=[13]),
    case("a fix does not pass a freeze", [freeze()], "frozen", "deploy-freeze", intent="fix",
         pulls=(pull(7, "Fixes #40"),)),
    case("a linked number of another repository", [issue("sev1", body=with_state(fixes=[7]))],
         "frozen", "severity", intent="fix", pulls=(pull(7),), source="acme/api"),
    case("fixes holds nonsense", [issue("sev1", body=with_state(fixes=["7", None, True]))],
         "frozen", "severity", intent="fix", pulls=(pull(1),)),
] + [
    case(f"a fix whose pull request says {text!r}", [SEV1], "exempt" if closes else "frozen",
         "fix" if closes else "severity", intent="fix", pulls=(pull(7, text),))
    for text, closes in [
        ("Fixes #12", True),
        ("fix #12", True),
        ("Fixed: #12", True),
        ("This closes #12.", True),
        ("resolves acme/shop#12", True),
        ("Resolved ACME/Shop#12", True),
        ("close https://github.com/acme/shop/issues/12", True),
        ("Fixes GH-12", True),
        ("Fixes #123", False),
        ("Fixes #1", False),
        ("See #12", False),
        ("prefixes #12", False),
        ("Fixes other/shop#12", False),
        ("Fixes acme/shop2#12", False),
        ("<!-- Fixes #12 -->", False),
        ("Fixes 12", False),
    ]
] + [
    case("a fix in another repository, in full", [SEV1], "exempt", "fix", intent="fix",
         pulls=(pull(7, "Fixes acme/shop#12"),), source="acme/api"),
    case("a fix in another repository, short", [SEV1], "frozen", "severity", intent="fix",
         pulls=(pull(7, "Fixes #12"),), source="acme/api"),
]  # fmt: skip


def period(begins: str, until: str = "_No response_", more: str = "") -> str:
    """The body of a freeze with these times; `more` comes below."""
    return form(**{"From_(UTC)": begins, "Until_(UTC)": until}) + more


BEGINS = [
    case(name, [freeze(body=body)], verdict, code)
    for name, body, verdict, code in [
        ("a freeze that begins later", period(LATER), "clear", "not-begun"),
        ("one that begins this second", period("2026-11-23T03:33:00Z"), "frozen", "deploy-freeze"),
        ("a second earlier", period("2026-11-23T03:33:01Z"), "clear", "not-begun"),
        ("one that began", period(EARLIER), "frozen", "deploy-freeze"),
        ("a begin and an end later", period(LATER, "2026-11-23 06:00"), "clear", "not-begun"),
        ("begun and not over", period(EARLIER, LATER), "frozen", "deploy-freeze"),
        ("begun and over", period("2026-11-22", EARLIER), "clear", "expired"),
        ("tomorrow, as a date", period("2026-11-24"), "clear", "not-begun"),
        ("today, as a date", period("2026-11-23"), "frozen", "deploy-freeze"),
        ("tomorrow and its end", period("2026-11-24", "2026-11-24"), "clear", "not-begun"),
        ("a begin of a phrase", period("tomorrow 17:00"), "frozen", "deploy-freeze"),
        ("a begin that is none", period("2026-13-40"), "frozen", "deploy-freeze"),
        ("a begin after the end", period(LATER, "2026-11-23 04:00"), "frozen", "deploy-freeze"),
        ("a begin after an end that is over", period(LATER, EARLIER), "frozen", "deploy-freeze"),
        ("a begin at its end", period(LATER, LATER), "frozen", "deploy-freeze"),
        ("a begin whose end can't be read", period(LATER, "some day"), "clear", "not-begun"),
        ("two begins", period(LATER, more=f"\n\n### From\n\n{LATER}"), "frozen", "deploy-freeze"),
        ("two ends", period(LATER, EARLIER, f"\n\n### Until\n\n{EARLIER}"), "clear", "not-begun"),
        ("a begin under other words", form(Frozen_from=LATER), "clear", "not-begun"),
        ("another heading with the word", form(Who_is_exempt_from_it=LATER), "frozen",
         "deploy-freeze"),
        ("a word that begins alike", form(Fromage=LATER), "frozen", "deploy-freeze"),
    ]
] + [
    case("an incident has no begin", [issue("sev1", body=period(LATER))], "frozen", "severity"),
    case("nor has one that freezes by a label",
         [issue("sev3", "deploy-freeze", body=period(LATER))], "frozen", "deploy-freeze"),
    case("a later freeze beside one in force", [freeze(body=period(LATER)), freeze(number=41)],
         "frozen", "deploy-freeze", blocked_by=[41]),
    case("a later freeze of another environment",
         [freeze(body=period(LATER))], "clear", "other-environment",
         environments=("production",), environment="staging"),
    case("a later freeze of another service", [freeze(body=period(LATER) + "\n\n" +
         form(Services="web"))], "clear", "other-service", services=("api",)),
]  # fmt: skip

FREEZES = [
    case(f"a freeze until {until!r}", [freeze(body=form(Until=until))], verdict, code)
    for until, verdict, code in [
        (EARLIER, "clear", "expired"),
        (LATER, "frozen", "deploy-freeze"),
        ("2026-11-23T03:33:00Z", "clear", "expired"),
        ("2026-11-22", "clear", "expired"),
        ("2026-11-23", "frozen", "deploy-freeze"),
        ("2026-11-23 03:00", "clear", "expired"),
        ("2026-11-23 03:00 UTC", "clear", "expired"),
        ("2026-11-23 05:00 UTC", "frozen", "deploy-freeze"),
        ("2026-11-23T05:00+02:00", "clear", "expired"),
        ("2020-W48-1", "frozen", "deploy-freeze"),
        ("20201123", "frozen", "deploy-freeze"),
        ("2020-11-23T0500", "frozen", "deploy-freeze"),
        ("2020-11-23x05:00", "frozen", "deploy-freeze"),
        ("2020-11-23T05", "frozen", "deploy-freeze"),
        ("2020-11-23T24:00", "frozen", "deploy-freeze"),
        ("2020-11-23T05:00+0100", "frozen", "deploy-freeze"),
        ("tomorrow", "frozen", "deploy-freeze"),
        ("_No response_", "frozen", "deploy-freeze"),
        ("", "frozen", "deploy-freeze"),
    ]
] + [
    case(f"those who may deploy: {who!r}", [freeze(body=form(Who_may_deploy=who))], verdict,
         "may-deploy" if verdict == "exempt" else "deploy-freeze")
    for who, verdict in [
        ("@dave", "exempt"),
        ("dave", "exempt"),
        ("@Dave, @erin", "exempt"),
        ("erin, dave", "exempt"),
        ("- erin\n- dave", "exempt"),
        ("Only @dave and @erin, please", "exempt"),
        ("@dave + @erin", "exempt"),
        ("@erin und @dave.", "exempt"),
        ("```\n@dave\n```", "exempt"),
        ("alle au\u00dfer @dave", "frozen"),
        ("tous sauf @dave", "frozen"),
        ("anyone other than @dave", "frozen"),
        ("ask @dave", "frozen"),
        ("~~@dave~~ @erin", "frozen"),
        ("> @dave", "frozen"),
        ("@erin <!-- @dave -->", "frozen"),
        ("@erin, @dave[bot] and @bob", "frozen"),
        ("mail@dave, @erin", "frozen"),
        ("@erin", "frozen"),
        ("anyone but dave", "frozen"),
        ("anyone but @dave", "frozen"),
        ("Nobody, not even @dave", "frozen"),
        ("erin\n\n## Who asked\n\n@dave", "frozen"),
        ("_No response_\n\n### Who may deploy?\n\ndave", "frozen"),
        ("dave\n\n### Who may deploy?\n\n_No response_", "frozen"),
        ("@acme/dave", "frozen"),
        ("@davey", "frozen"),
        ("_No response_", "frozen"),
    ]
] + [
    case("an incident frozen by hand does not end by its form",
         [issue("sev3", "deploy-freeze", body=form(Until=EARLIER))], "frozen", "deploy-freeze"),
    case("those who may deploy pass the freeze, not the incident",
         [freeze(body=form(Who_may_deploy="@dave")), SEV1], "frozen", "severity",
         blocked_by=[12]),
    *(
        case(f"{word!r} is nobody's login", [freeze(body=form(Who_may_deploy=word))], "frozen",
             "deploy-freeze", actor=word.lower())
        for word in ("nobody", "None", "everyone", "all", "no")
    ),
    case("nobody is known to deploy", [freeze(body=form(Who_may_deploy="@dave"))], "frozen",
         "deploy-freeze", actor=""),
]  # fmt: skip

BROKEN = [
    case(f"an item that is {item!r}", [item], "error", "unreadable")
    for item in [None, 3, "issue", [], True, {}]
] + [
    case(f"labels that are {labels!r}", [issue(labels=labels)], "error", "unreadable")
    for labels in [None, "incident", {}, 3, [], [None], [{"name": None}], [{}],
                   [{"name": "bug"}], [{"name": "incident"}, 3]]
] + [
    case(f"a number that is {number!r}", [issue("sev1", number=number)], "error", "unreadable")
    for number in [None, "12", 0, -1, True, 1.5]
] + [
    case("labels are missing", [without(SEV1, "labels")], "error", "unreadable"),
    case("nobody knows who wrote it", [without(issue(), "author_association")], "error",
         "unreadable"),
    case("nobody knows who wrote it, but it has a label", [without(SEV1, "author_association")],
         "frozen", "severity"),
    case("an association that is null", [issue(author_association=None)], "error", "unreadable"),
    case("an association that is a list", [issue(author_association=["OWNER"])], "error",
         "unreadable"),
    case("a body that is a number", [issue(body=3)], "frozen", "unknown-severity"),
    case("only labels and a number",
         [{"number": 12, "labels": [{"name": "incident"}, {"name": "sev1"}]}], "frozen",
         "severity"),
    case("an unreadable item beside one that freezes", [None, SEV1], "frozen", "severity"),
    case("an unreadable item beside one that does not", [None, issue("sev3")], "error",
         "unreadable"),
    case("two unreadable items", [None, None], "error", "unreadable"),
]  # fmt: skip

STATED = {"severity": "sev1", "services": ["web"]}
# What people may do to labels, by hand, until a run puts it right: never in the deploy's favour.
BY_HAND = [
    case(f"{label} by hand on an incident that freezes",
         [issue("sev1", label, body=with_state(severity="sev1"))], "frozen", "severity")
    for label in ("drill", "needs-confirmation", "deploys-allowed")
] + [
    case("a lighter severity by hand", [issue("sev3", body=with_state(severity="sev1"))], "frozen",
         "severity"),
    case("a worse severity by hand", [issue("sev1", body=with_state(severity="sev3"))], "frozen",
         "severity"),
    case("no severity any more", [issue(body=with_state(severity="sev2"))], "frozen", "severity"),
    case("no freeze label any more",
         [issue("sev3", body=with_state(severity="sev3", freeze={"freeze": "freeze"}))], "frozen",
         "deploy-freeze"),
    case("no drill label any more", [issue("sev1", body=with_state(severity="sev1", drill=True))],
         "frozen", "severity"),
    case("a drill by its state", [issue("sev1", "drill",
                                        body=with_state(severity="sev1", drill=True))],
         "clear", "drill"),
    case("let through by its state",
         [issue("sev1", "deploys-allowed",
                body=with_state(severity="sev1", freeze={"freeze": "thaw"}))],
         "clear", "deploys-allowed"),
    case("another service by hand", [issue("sev1", "service:web", "service:api",
                                           body=with_state(**STATED))],
         "frozen", "severity", services=API),
    case("no service any more, which the text alone still says",
         [issue("sev1", body=with_state(**STATED))], "clear", "other-service", services=API),
    case("a service whose label was renamed to everything",
         [issue("sev1", "service:all", body=with_state(**STATED))], "frozen", "severity",
         services=API),
    case("a label adds a service to those of the form",
         [issue("sev1", "service:api", body=form(Affected_services="web"))], "frozen", "severity",
         services=API),
    *(
        case(f"two headings {label}", [issue("sev1", body=form(Summary=f"x\n\n### {label}\n\nblog",
                                                                **{label: "_No response_"}))],
             "frozen", "severity", services=API)
        for label in ("Services", "Affected services")
    ),
    case("two headings about services in other words",
         [issue("sev1", body=form(Summary="x\n\n### Services\n\nblog",
                                  Affected_services="api"))],
         "frozen", "severity", services=("web",)),
    case("two ends of a freeze", [freeze(body=form(Until=EARLIER, Why="x\n\n### Until\n\n-"))],
         "frozen", "deploy-freeze"),
    case("two lists of environments",
         [freeze(body=form(Environments="eu", Why="x\n\n### Environments\n\neu"))], "frozen",
         "deploy-freeze", environment="us"),
]  # fmt: skip

_DRILL = with_state(severity="sev1", drill=True)
REHEARSALS = [
    case("a drill stops a rehearsal", [issue("sev1", "drill")], "frozen", "severity",
         environment="drill", blocked_by=[12]),
    case("a drill that respond has seen, too", [issue("sev2", "drill", body=_DRILL)], "frozen",
         "severity", environment="drill"),
    case("a drill as an incident: a SEV3 stops nothing", [issue("sev3", "drill")], "clear",
         "other-severity", environment="drill"),
    case("a drill of a freeze", [freeze("drill")], "frozen", "deploy-freeze", environment="drill"),
    case("whatever environments a freeze stops", [issue("sev1", "drill", body=_DRILL)], "frozen",
         "severity", environment="drill", environments=("production",)),
    case("a real incident counts in a rehearsal as in any environment", [SEV1], "frozen",
         "severity", environment="drill"),
    case("and not where the team's list leaves it out", [SEV1], "clear", "other-environment",
         environment="drill", environments=("production",)),
    case("a stranger's drill", [outsider(issue("sev1", "drill"))], "clear", "untrusted-report",
         environment="drill"),
    case("a rehearsed rollback", [issue("sev1", "drill")], "rollback", "rollback",
         environment="drill", intent="rollback"),
    case("a rehearsed /allow", [issue("sev1", "drill", body=with_state(
             severity="sev1", drill=True,
             allow=[{"by": "alice", "at": EARLIER, "until": LATER, "sha": SHA}]))],
         "exempt", "allowed", environment="drill"),
    *(case(f"no rehearsal in {place or 'all environments'}", [issue("sev1", "drill")], "clear",
           "drill", environment=place)
      for place in ("", "production", "drills", "drill-eu")),
]  # fmt: skip
CASES = [
    *LABELS, *CHOSEN, *FORMS, *TRUST, *SERVICES, *ENVIRONMENTS, *ALLOW, *INTENT, *BEGINS, *FREEZES,
    *BROKEN, *BY_HAND, *REHEARSALS,
]  # fmt: skip
