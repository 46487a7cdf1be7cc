"""Recognize an answer that is none: an empty code block, `-`, `tbd`, `N/A`, `not known yet`."""

from __future__ import annotations

import html
import re
import unicodedata

from incident_actions.domain.text.documents import without_comments

_FENCE = re.compile(
    r"(?P<fence>`{3,}|~{3,})[^\n`]*(?:\n(?P<inner>.*?))?\n?(?P=fence)?\s*", re.DOTALL
)
_NO_RESPONSE = frozenset({
    "no response", "no answer", "keine antwort", "aucune réponse", "pas de réponse",
    "sin respuesta", "nessuna risposta", "sem resposta", "nenhuma resposta", "geen antwoord",
    "inget svar", "brak odpowiedzi", "нет ответа", "回答なし", "未回答", "無回答", "无响应",
    "沒有回應", "没有回复", "응답 없음",
})  # fmt: skip
"""What GitHub's forms write into a field that was left empty, in its languages."""
_PLACEHOLDERS = frozenset({
    "tbd", "t.b.d", "tba", "t.b.a", "tbc", "t.b.c", "todo", "fixme", "wip", "n/a", "n / a", "n.a",
    "n. a", "na", "n/d", "k.a", "k. a", "k/a", "nvt", "n.v.t", "s.o", "н/д", "ok?", "null", "nil",
    "undefined", "x", "xx", "xxx", "empty", "blank", "pending", "later", "none yet", "nothing yet",
    "not yet", "to be determined", "to be defined", "to be confirmed", "to be announced",
    "to be done", "see below", "see above", "will follow", "to follow", "in progress",
})  # fmt: skip
"""Words that stand where an answer is still to come."""
_NOTHING_KNOWN = frozenset({
    "not applicable", "unknown", "unk", "not known", "unclear", "unsure", "not sure", "no idea",
    "no clue", "no info", "no information", "none known", "nothing known", "idk", "i don't know",
    "i dont know", "i do not know", "don't know", "dont know", "do not know", "we don't know",
    "we do not know", "nobody knows", "no one knows", "who knows", "dunno", "investigating",
    "still investigating", "under investigation", "looking", "looking into it", "sorry",
    "at this time", "currently unknown",
    "unbekannt", "noch unbekannt", "nicht bekannt", "noch nicht bekannt", "unklar", "noch unklar",
    "keine ahnung", "keine angabe", "keine angaben", "weiß nicht", "weiss nicht", "noch offen",
    "offen", "entfällt",
    "inconnu", "inconnue", "je ne sais pas", "pas encore", "aucune idée", "à déterminer",
    "à compléter", "sans objet",
    "desconocido", "desconocida", "no sé", "no se", "no lo sé", "por determinar", "pendiente",
    "sin datos", "no aplica",
    "sconosciuto", "non so", "non lo so", "da definire", "non noto", "desconhecido", "não sei",
    "a definir", "não se aplica", "onbekend", "weet ik niet", "weet niet", "okänt", "vet ej",
    "vet inte", "ukendt", "ved ikke", "ukjent", "vet ikke", "tuntematon", "en tiedä", "nieznany",
    "nieznane", "nie wiem", "nie dotyczy", "neznámé", "nevím", "neviem", "ismeretlen", "nem tudom",
    "necunoscut", "nu știu", "bilinmiyor", "bilmiyorum", "неизвестно", "не знаю", "не известно",
    "невідомо", "άγνωστο", "δεν ξέρω", "không biết", "tidak tahu", "ไม่ทราบ", "لا أعرف",
    "غير معروف",
    "לא ידוע", "अज्ञात", "不明", "不明です", "不詳", "未知", "未定", "未記入", "わからない",
    "分からない",
    "不知道", "不清楚", "暂无", "暫無", "모름", "미정", "알 수 없음",
})  # fmt: skip
"""Answers that say that there is none. `none` and `nobody` are answers of their own."""
_TAGS = re.compile(r"</?(?:br|p|hr)\s?/?>", re.IGNORECASE)
_BULLET = re.compile(r"^(?:>\s?)*(?:[-*+•]|[0-9]{1,2}[.)])?\s*(?:\[[ ]?\])?", re.MULTILINE)
_BETWEEN = re.compile(r"\s[-\u2013\u2014]+\s|[|,;()\[\]{}<>\n]|\s/\s|\s(?:or|and|und|ou|o)\s")
_FILLING = re.compile(r"\b(?:yet|still|at this time|at the moment|currently|right now|so far)\b")
_SHRUGS = re.compile(
    "[\U0001f937\u2753\u2754\u2640\u2642\u200d\ufe0f\U0001f3fb-\U0001f3ff]|¯\\\\?_\\(ツ\\)_/¯"
)
_MARKS = " \t._*~`?!-\u2013\u2014…\"'()[]{}<>|/\\:;,=+#\u30fc\u2212。、"
_LONGEST = 60


def is_blank(answer: str) -> bool:
    """Whether an answer says nothing: white space, marks, an empty code block, `tbd` and the like.

    GitHub puts the answer of a field with `render:` into a code block, also an empty one.
    """
    text = without_comments(answer[: 20 * _LONGEST]).strip()
    if len(answer) > 20 * _LONGEST:
        return False
    fenced = _FENCE.fullmatch(text)
    text = (fenced["inner"] or "").strip() if fenced else text
    if len(text) > _LONGEST:
        return False
    text = _SHRUGS.sub("", _TAGS.sub("", html.unescape(text)))
    parts = _BETWEEN.split(_plain(_BULLET.sub("", text)))
    return (
        _plain(text) in _PLACEHOLDERS
        or all(map(_means_nothing, [_plain(text)]))
        or all(map(_means_nothing, parts))
    )


def is_placeholder(text: str) -> bool:
    """Whether a text has no word at all, or is one that stands where words are to come: `tbd`."""
    return len(text) <= _LONGEST and _plain(text) in (*_PLACEHOLDERS - {"x", "xx", "xxx"}, "")


def _plain(text: str) -> str:
    """A text in small letters of the usual width, without marks around it and what is not seen."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    seen = (c for c in folded if unicodedata.category(c) != "Cf" and c not in "\u2800\u3164\u1160")
    return " ".join("".join(seen).split()).strip(_MARKS)


def _means_nothing(part: str) -> bool:
    words = " ".join(_FILLING.sub("", part).split()).strip(_MARKS)
    known = (part.strip(_MARKS), words)
    return any(not each or each in _NOTHING for each in known)


_NOTHING = _NO_RESPONSE | _PLACEHOLDERS | _NOTHING_KNOWN
