"""Find where an e-mail that was quoted begins, in a comment that came as a reply by e-mail.

GitHub turns such replies into comments. Mail programs put the mail that is answered below the
answer, often without `>`; an old command in it must not be taken for a new one. No library that we
tried knows the common languages and takes linear time, so this is one table of patterns.
https://docs.github.com/en/subscriptions-and-notifications/get-started/configuring-notifications
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

_LONGEST = 400
"""How many characters of a line are looked at; headers of quoted mails are shorter."""
_WRAPPED = 4
"""Over how many lines the line above a quoted mail may be wrapped."""
_HEADERS = 8
"""Within how many lines the headers of a quoted mail stand."""

_DIVIDER = re.compile(
    # `-----Original Message-----`, and its translations
    r"\s*[-_*\u2013\u2014=]{3,}\s*[^\W\d_][^-_*=]{0,60}?\s*[-_*\u2013\u2014=]{3,}:?\s*$"
)
_MESSAGE = re.compile(
    r"message|mail|nachricht|mensaje|mensagem|messaggio|bericht|meddel|melding|viesti|wiadomo"
    r"|zpr[aá]v|spr[aá]v|üzenet|mesaj|ileti|courriel|correo|poruk|sporo[cč]il|сообщени|письм"
    r"|повідомлен|съобщение|μήνυμα|メッセージ|邮件|郵件|메시지|הודעה|رسالة",
    re.IGNORECASE,
)
_MARK = re.compile(
    # Outlook's line, a signature (RFC 3676), and the end of GitHub's own mails
    r"\s*(?:_{20,}|--|Reply to this email directly\b.*"
    r"|You are receiving this because you .*|[*_@]{0,3}[\w-]{1,60}(?:\[bot\])?[*_]{0,3}"
    r" (?:left a comment|created an issue|(?:reopened|closed) this issue)"
    r" \([\w.-]{1,100}/[\w.-]{1,100}#\d+\).*)\s*$",
    re.IGNORECASE,
)
_SENT_FROM = re.compile(
    r"\s*(?:Sent (?:from|via|with|using) (?:my |Outlook|Gmail|Yahoo|Mail\b|Proton|Samsung"
    r"|Spark|Superhuman|Thunderbird|BlackBerry|iPhone|iPad|Android)"
    r"|Get (?:the )?Outlook (?:app|for )"
    r"|(?:Von|Aus) mein\w+ \S+ gesendet|Gesendet (?:von|mit|über|aus) |Diese Nachricht wurde von "
    r"|Envoyé (?:de(?:puis)?|à partir de) |Télécharger Outlook|Obtenez Outlook"
    r"|Enviado (?:desde|do|pelo|de|a partir do?) |Obtener Outlook|Obter o? ?Outlook"
    r"|Inviato (?:da|dal|con) |Scarica Outlook|Ottieni Outlook"
    r"|Verzonden (?:vanaf|vanuit|met|via) |Verstuurd (?:vanaf|vanuit|met|via) |Outlook voor "
    r"|Skickat (?:från|med) |Hämta Outlook|Sendt (?:fra|med) |Hent Outlook|Lähetetty \w"
    r"|Wysłan[eoy] (?:z|przez) |Pobierz (?:aplikację )?Outlook|Odesláno z |Odoslané z "
    r"|Trimis de pe |Elküldve |iPhone'?umdan gönderildi|Отправлено (?:с|из) |Надіслано (?:з|із) "
    r"|Στάλθηκε από |发自我的|從我的|iPhoneから送信|나의 iPhone에서 보냄).{0,60}$",
    re.IGNORECASE,
)
# The words of a header, by what it says.
_LABELS = {
    "from": "From|Von|De|Da|Van|Från|Fra|Od|Lähettäjä|Kimden|Feladó|De la|Expéditeur|Remitente"
    "|Mittente|Remetente|Afzender|От|От кого|Від|Από|差出人|发件人|寄件者|보낸 ?사람|보낸이",
    "date": "Sent|Date|Gesendet|Datum|Envoyé(?: le)?|Enviado(?: el| em)?|Enviada(?: em)?|Fecha"
    "|Inviato|Data|Verzonden|Skickat|Sendt|Dato|Wysłano|Odesláno|Odoslané|Dátum|Lähetetty"
    "|Päivämäärä|Gönderme? ?(?:Tarihi)?|Tarih|Elküldve|Küldve|Trimis|Отправлено|Дата|Надіслано"
    r"|Ημερομηνία|Στάλθηκε|日付|日時|送信日時|发送时间|日期|寄件日期|날짜|보낸 ?날짜",
    "subject": "Subject|Betreff|Objet|Sujet|Asunto|Oggetto|Assunto|Onderwerp|Ämne|Emne|Temat"
    "|Předmět|Predmet|Aihe|Konu|Tárgy|Subiect|Тема|Θέμα|件名|主题|主旨|제목",
    "to": "To|An|À|A|Para|Aan|Till|Til|Do|Komu|Vastaanottaja|Kime|Címzett|Către|Кому|Προς"
    "|宛先|收件人|收件者|받는 ?사람|Cc|Kopie|Kopia|Destinataire",
}
_HEADER = re.compile(
    r"\s*[*_]{0,2}(?:"
    + "|".join(f"(?P<{kind}>{words})" for kind, words in _LABELS.items())
    + r")[*_]{0,2}\s?[:：][*_]{0,2}\s*(?P<value>\S.*)$",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"\b(?:wrote|writes|schrieb|schreibt|a écrit|écrit|escribió|escribio|escreveu|ha scritto"
    r"|scrisse|schreef|geschreven|skrev|skrifaði|kirjoitti|napisał\w*|pisze|napsal\w*"
    r"|napísal\w*|a scris|írta|yazdı|написал\w*|пишет|пише|написав\w*|написа|έγραψε|va escriure"
    r"|je napisa\w*)\b|写道|寫道|のメール|書きました|님이 작성|작성:|כתב|كتب",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"\s*(?:On|Am|Le|El|Il|Em|Op|Den|Dnia|W dniu|Dne|Dňa|În|Στις|På|Pe)\s",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"\b(?:19|20)[0-9]{2}\b|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2}\b|(?:19|20)\d\d年"
)
_ADDRESS = re.compile(r"[\w.*+-]@[\w*]")
_NO_START = re.compile(r"\s*(?:>|[-*+|#/／]|[0-9]+[.)]\s)")


def quoted_from(lines: Sequence[str], left_out: Collection[int] = ()) -> int:
    """The index of the first line of a quoted mail or a mail's signature; their number without one.

    `left_out` are the indexes of lines that can't begin a quoted mail, such as code. A line above a
    quote whose lines begin with `>` does not count: that quote is marked, and ends where the marks
    end. Never fails, and takes linear time.
    """
    for index, line in enumerate(lines):
        if index in left_out or not line.strip():
            continue
        if _begins_quote(lines, index):
            return index
    return len(lines)


def _begins_quote(lines: Sequence[str], index: int) -> bool:
    """Whether a quoted mail, or a signature, begins at this line."""
    line = lines[index][:_LONGEST]
    if _MARK.match(line) or _SENT_FROM.match(line):
        return True
    if line.strip() in ("\u2014", "\u2013") and index + 1 < len(lines):
        return _MARK.match(lines[index + 1][:_LONGEST]) is not None
    if _DIVIDER.match(line) and _MESSAGE.search(line):
        return True
    header = _HEADER.match(line)
    if header and header.lastgroup and header["from"] and _headers(lines, index):
        return True
    return _is_attribution(lines, index)


def _headers(lines: Sequence[str], index: int) -> bool:
    """Whether the headers of a mail begin at this line, which is that of its sender.

    There must be a subject, or a date with a number. `From: 10` with `To: 20` below is no mail.
    """
    for line in lines[index + 1 : index + _HEADERS]:
        match = _HEADER.match(line[:_LONGEST])
        if match is None:
            continue
        if match["subject"] or (match["date"] and re.search(r"\d", match["value"])):
            return True
    return False


def _is_attribution(lines: Sequence[str], index: int) -> bool:
    """Whether `On ... wrote:` begins at this line, perhaps wrapped, without marks below."""
    if _NO_START.match(lines[index]):
        return False
    joined = ""
    for end in range(index, min(index + _WRAPPED, len(lines))):
        line = lines[end][:_LONGEST].strip()
        if not line or _NO_START.match(line):
            return False
        joined = f"{joined} {line}"
        if line.endswith((":", "：")) and _attributes(joined):
            if end > index and not _opens(lines[index]) and _attributes_from(lines, index + 1, end):
                return False  # it begins further down; this line is the writer's own
            below = next((text for text in lines[end + 1 : end + 4] if text.strip()), "")
            return not below.lstrip().startswith(">")
    return False


def _opens(line: str) -> bool:
    """Whether a line begins like `On 23 November`."""
    return bool(_OPENING.match(line)) and re.search(r"\d", line[:_LONGEST]) is not None


def _attributes_from(lines: Sequence[str], start: int, end: int) -> bool:
    """Whether the lines from `start` to `end` say alone who wrote something, and when."""
    return _attributes(" ".join(line[:_LONGEST].strip() for line in lines[start : end + 1]))


def _attributes(text: str) -> bool:
    """Whether a text that ends with a colon says who wrote something, and when."""
    dated, address = _DATED.search(text), _ADDRESS.search(text)
    if dated and address:
        return True
    if not _WROTE.search(text):
        return False
    return bool(dated or address or _opens(text))
