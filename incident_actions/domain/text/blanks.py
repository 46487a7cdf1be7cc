"""Recognize an answer that is none: an empty code block, `-`, `tbd`, `N/A`, `not known yet`."""

from __future__ import annotations

import re

_FENCE = re.compile(r"(?P<fence>`{3,}|~{3,})[^\n`]*\n(?P<inner>.*?)\n?(?P=fence)\s*", re.DOTALL)
_NO_RESPONSE = frozenset({
    "no response", "no answer", "keine antwort", "aucune réponse", "pas de réponse",
    "sin respuesta", "nessuna risposta", "sem resposta", "nenhuma resposta", "geen antwoord",
    "inget svar", "brak odpowiedzi", "нет ответа", "回答なし", "未回答", "無回答", "无响应",
    "沒有回應", "没有回复", "응답 없음",
})  # fmt: skip
"""What GitHub's forms write into a field that was left empty, in its languages."""
_NOTHING_KNOWN = frozenset({
    "tbd", "tba", "tbc", "todo", "fixme", "n/a", "n.a", "na", "not applicable", "none yet",
    "nothing yet", "not yet", "unknown", "not known", "not known yet", "not yet known",
    "unknown yet", "still unknown", "unclear", "unsure", "not sure", "not sure yet", "no idea",
    "idk", "i don't know", "don't know", "dont know", "dunno", "to be determined", "to be defined",
    "to be confirmed", "to be announced", "null", "nil",
    "undefined", "x", "xx", "xxx", "unbekannt", "keine ahnung", "weiß nicht",
    "inconnu", "je ne sais pas", "desconocido", "no sé", "sconosciuto", "desconhecido", "onbekend",
    "okänt", "ukendt", "ukjent", "nieznany", "неизвестно", "不明", "未知", "未定",
})  # fmt: skip
"""Answers that say that there is none. `none` and `nobody` are answers of their own."""


_MARKS = " \t._*~`?!-\u2013\u2014…\"'()[]<>|/\\:;,=+#\u00a0\u200b\u2060\ufeff"
_LONGEST = 40


def is_blank(answer: str) -> bool:
    """Whether an answer says nothing: white space, marks, an empty code block, `tbd` and the like.

    GitHub puts the answer of a field with `render:` into a code block, also an empty one.
    """
    text = answer.strip()
    fenced = _FENCE.fullmatch(text[: _LONGEST + 40])
    text = fenced["inner"].strip() if fenced else text
    if len(text) > _LONGEST:
        return False
    words = " ".join(text.casefold().replace("\u2019", "'").split()).strip(_MARKS)
    return not words[:1] or words in _NO_RESPONSE or words in _NOTHING_KNOWN
