"""Recognize words that take a command back, doubt it, or leave something out of it.

A command that decides something is carried out only when the words after it don't speak against
it: `/resolve not yet`, `/thaw please don't`, `/mitigated in 5 minutes` and `/verify all but x` are
answered instead. Each check looks at the first line of a text, and takes linear time.
"""

from __future__ import annotations

import re

_BEFORE = (
    r"(?:\W*+\b(?:please|pls|plz|bitte|sorry|actually|hm+|uh+|oh|ok(?:ay)?|well|and|or|but|we|i|you"
    r"|it|this|that|let['’]?s|just|better|rather|hey|guys|team|is|was|it['’]s|would\sbe|seems|looks"
    r"|por\sfavor|stp|svp)\b[\s,.:;!-]*+){0,3}+\W*+"
)
"""Small words that may stand before a `no`: `please don't`, `it is too early`."""
_FINE_AFTER_NO = (
    r"(?:(?:more|new|further|longer|known)\s)?(?:errors?|alerts?|failures?|timeouts?|complaints?"
    r"|impact|customers?|users?|reports?|issues?|problems?|incident|outage|data|idea|clue|longer"
    r"|failing|worries|risk|danger)\b"
)
_FINE_AFTER_NOT = (
    r"(?:an?\s(?:incident|outage|problem|bug)|seen|reproducible|reproduced|happening|occurring"
    r"|failing|affected|customer|related|above|over|below|elevated|higher|lower|more\sthan)\b"
)
_ALONE = r"(?=\W*$|\s(?:it|this|that|on|off|for|please|now|until|yet|deploy|review|confirmation)\b)"
_NEGATED = (
    rf"no(?!\s{_FINE_AFTER_NO})\b|not(?!\s{_FINE_AFTER_NOT})\b"
    r"|(?:do|does|is|are|was|were|ca|wo|have|has|had|should|could|did|would|must|need)"
    r"(?:n['’]?t|\snot)\b(?!\s(?:know|see|expect)\b)|dont\b|nope\b|nah\b"
    r"|never(?!\s(?:happened|again|seen|failed)\b)(?:\s?mind)?\b|nvm\b|none\b(?!\sof\b)|neither\b"
    rf"|cannot\b|wait\b(?!\stimes?\b)|(?:cancel|undo|abort|hold|stop|skip|ignore|pending){_ALONE}"
    r"|false\b(?!\s(?:alarm|positive)s?\b)|wrong(?=\W*$|\s(?:issue|incident|one)\b)|mistake\b"
    r"|(?:a|my|by)\smistake\b|kidding\b|off(?=[,.!]|\W*$|\slater\b)"
)
_ELSEWHERE = (
    # `no`, `not` and `not yet` in other languages
    r"(?:nicht|kein\w*(?!\s(?:fehler|alarme?|probleme?|ausfälle|kunden|auswirkung)\w*)|noch\s(?:nicht"
    r"|kein\w*)|nein|pas(?!\sd[e'’])|non|encore\spas|todavía\sno|aún\sno|ainda\snão|não|nog\sniet"
    r"|niet|nee|jeszcze\snie|nie|inte|ännu\sinte|nej|ikke|endnu\sikke|ei\svielä|ještě\sne|még\snem"
    r"|henüz\sdeğil|değil|hayır|ещ[её]\s(?:не|нет)|нет|не|пока|ще\sні)\b"
    r"|まだ|いいえ|还没|還沒|没有|不要|不行|아직|아니"
)
_LATER = (
    r"(?:soon|later|tomorrow|tonight|eventually|if|when|once|as\ssoon|unless|until(?!\snow))\b"
    r"|in\s(?:about\s|around\s|~\s?)?(?:an?|half|one|two|three|five|ten|fifteen|twenty|thirty|[0-9]+)"
    r"[\s-]?(?:an?\s|few\s|couple\s(?:of\s)?)?(?:s|sec\w*|m|mins?|minutes?|h|hrs?|hours?|d|days?"
    r"|weeks?)\b"
)
_UNSURE = (
    r"(?:maybe|perhaps|possibly|probably|almost|nearly|partly|partially|mostly|should|could|might)\b"
    r"|(?:can|shall|may|would|will|should|could)\s(?:we|i|you|it|this|somebody|someone|anyone"
    r"|anybody)\b|too\s(?:early|soon)\b|premature"
)
EXCEPTION = r"(?:but|except\w*|exclud\w+|apart|besides|save|minus|without|unless|w/o)\b"
_ALL_BUT = (
    rf"(?:all|every\w*|any\w*)[\s,(]+{EXCEPTION}|(?:except\w*|exclud\w+|apart\sfrom"
    r"|but\s(?:not|still|only|for|one|some))\b"
)
_QUESTION = r"[?\uff1f\u061f][\s.!)]*$"
_AT_THE_END = (
    rf".*(?:\bnot\s(?:yet|really|sure|quite)[\s.!)]*$|\b(?:do|wo|ca)n['’]?t[\s.!)]*$|{_QUESTION})"
)

_TAKEN_BACK = re.compile(
    rf"\W*(?:{_ALL_BUT})|{_BEFORE}(?:{_NEGATED}|{_ELSEWHERE}|{_LATER}|{_UNSURE})|{_AT_THE_END}",
    re.IGNORECASE,
)
_HEDGED = re.compile(
    r"\W*(?:(?:i|we)\s(?:hope|think|guess|believe|suppose)|hopefully|sort\sof|kind\sof|half(?=\W*$)"
    r"|for\ssome\b|[0-9]{1,3}\s?%\s*$|will\sbe(?:\W*$|\s(?:soon|later"
    r"|done|ready|fixed|in|at)\b)|to\sbe\s(?:confirmed|determined|decided|done|verified)|tb[acd]\b"
    r"|still\b(?!\s(?:watching|monitoring|stable|ok|fine|good|green))|(?:only|just)\s(?:in|for|on|at"
    r"|the\s\w+\s*$|\w+\s*$)|in\sprogress\b|after\s(?:lunch|dinner|the\s(?:meeting|weekend))\b)"
    r"|.*\b(?:except\w*|excluding|apart\sfrom|other\sthan|but\s(?:not|still))\b"
    r"|.*[,;]\s?not\s(?:in|for|on|at)\b",
    re.IGNORECASE,
)
_DOUBTED = re.compile(
    rf"{_BEFORE}(?:maybe|perhaps|possibly|probably|if|when|once|unless|soon|later|tomorrow|wait|hold"
    r"(?=\W*$|\son)|do(?:n['’]?t|\snot)\b|(?:i|we)\s(?:hope|think|guess|believe|suppose))\b"
    r"|\W*or\s\S+\W*$"
    r"|(?:\W*(?:please|pls|bitte)\b)?\W*(?:no|not|nope|never|none|cancel|undo|not\sneeded)[\s.!]*$"
    rf"|{_AT_THE_END}",
    re.IGNORECASE,
)
_WITH_EXCEPTION = re.compile(
    rf"\b(?:{EXCEPTION}|not\b|still\b|yet\b|only\b|other\sthan\b|however\b|though\b|pending\b"
    r"|missing\b|fail\w*|n['’]t\b|bis\sauf\b|außer\b|sauf\b|excepto\b|salvo\b|menos\b|tranne\b"
    r"|exceto\b|behalve\b|oprócz\b|utom\b|undtagen\b|please\b)|(?:^|\s)[!~]=?\s?[a-z]|w/o\b|кроме|以外|除了|除外",
    re.IGNORECASE,
)
_NOT_WELL = re.compile(
    r"\W*(?:(?:is|was|are|looks|seems)\s)?(?:still|fail\w*|too\shigh)\b(?!\s(?:watching|monitoring"
    r"|stable|ok|fine|good|green))|\W*(?:(?:is|was|are|looks|seems)\s)?(?:pending|high|bad|red|broken"
    r"|down|slow|unknown|unclear|missing|worse)(?=\W*$|\s(?:again|still|at|for|in|now)\b)|.*\bnot\s(?:ok|okay|fine|good|normal|back|green|done|yet|well)\b",
    re.IGNORECASE,
)


_LONGEST = 500
"""How many characters of a line are looked at: those at its beginning, and some at its end."""


def _first_line(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= _LONGEST else line[: _LONGEST - 100] + line[-100:]


def takes_back(text: str) -> bool:
    """Whether the words after a command take it back, or ask: `not yet`, `when bob is back`."""
    return _TAKEN_BACK.match(_first_line(text)) is not None


def hedges(text: str) -> bool:
    """Whether the words after a command say that it holds in part, or may hold: `I hope`."""
    return _HEDGED.match(_first_line(text)) is not None


def doubts(text: str) -> bool:
    """Whether a reason doubts the value that was typed before it: `maybe`, `not yet`, `ok?`."""
    return _DOUBTED.match(_first_line(text)) is not None


def has_exception(text: str) -> bool:
    """Whether a text about `all` names an exception, or says that something is not well.

    The text's first paragraph counts.
    """
    return _WITH_EXCEPTION.search(text.partition("\n\n")[0][:_LONGEST]) is not None


def not_well(text: str) -> bool:
    """Whether the words after the name of a check say that it does not hold: `still at 3 %`."""
    return _NOT_WELL.match(_first_line(text)) is not None
