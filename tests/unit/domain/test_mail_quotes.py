"""Replies by e-mail: the mail that is quoted below the answer holds no command."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from incident_actions.domain.text.mail import quoted_from
from incident_actions.domain.timeline.commands.record import CustomerUpdate, Note
from incident_actions.domain.timeline.commands.roles import Ack
from incident_actions.domain.timeline.commands.status import Mitigated
from incident_actions.domain.timeline.parser import TakenLine, read_comment
from tests.unit.domain.chat import Chat

TYPED = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)

DIVIDERS = [
    "-----Original Message-----",
    "----- Original Message -----",
    "---------- Forwarded message ---------",
    "-----Ursprüngliche Nachricht-----",
    "-------- Message d'origine --------",
    "-----Mensaje original-----",
    "-----Messaggio originale-----",
    "-----Mensagem original-----",
    "-----Oorspronkelijk bericht-----",
    "-----Ursprungligt meddelande-----",
    "-----Oprindelig meddelelse-----",
    "-----Wiadomość oryginalna-----",
    "-----Исходное сообщение-----",
    "-----原始邮件-----",
    "________________________________",
    "\u2010\u2010\u2010\u2010\u2010 Original Message \u2010\u2010\u2010\u2010\u2010",
    "----- Ursprüngliche E-Mail -----",
    "Begin forwarded message:",
    "Anfang der weitergeleiteten Nachricht:",
    "Début du message transféré :",
    "---- On Mon, 23 Nov 2026 14:02:11 +0000 Alice <a@b.c> wrote ----",
]
HEADERS = [
    "From: Alice <a@b.c>\nSent: Monday, November 23, 2026 2:02 PM\nTo: acme\nSubject: Re: x",
    "*From:* Alice\n*Date:* Mon 23\n*To:* x\n*Subject:* y",
    "Von: Alice\nGesendet: Montag, 23. November 2026 14:02\nAn: x\nBetreff: Re",
    "De : Alice\nEnvoyé : lundi 23 novembre 2026 14:02\nÀ : x\nObjet : Re",
    "De: Alice\nEnviado el: lunes, 23\nPara: x\nAsunto: Re",
    "Da: Alice\nInviato: lunedì 23\nA: x\nOggetto: Re",
    "De: Alice\nEnviada em: segunda 23\nPara: x\nAssunto: Re",
    "Van: Alice\nVerzonden: maandag 23\nAan: x\nOnderwerp: Re",
    "Från: Alice\nSkickat: den 23\nTill: x\nÄmne: Re",
    "Fra: Alice\nSendt: 23. november\nTil: x\nEmne: Re",
    "Od: Alice\nWysłano: 23\nDo: x\nTemat: Re",
    "Date: Mon, 23 Nov 2026 14:02:00 +0000\nFrom: Alice <a@b.c>\nTo: acme/shop\nSubject: Re: x",
    "Subject: Re: x\nFrom: Alice <a@b.c>\nDate: Mon, 23 Nov 2026 14:02\nTo: x",
    "**From:** Alice\n\n**Sent:** Monday, November 23, 2026 2:02 PM\n\n**To:** x\n\n**Subject:** y",
    "---\n\n**From:** Alice\n**Sent:** Monday\n**To:** x\n**Subject:** y",
    "Gesendet: Montag, 23. November 2026 um 14:02 Uhr\nVon: Alice <a@b.c>\nAn: x\nBetreff: Re",
    "Gönderen: Alice\nGönderildi: 23 Kasım 2026\nKime: x\nKonu: y",
    "מאת: Alice\nנשלח: יום שני 23\nאל: x\nנושא: y",
    "من: Alice\nتاريخ الإرسال: 23\nإلى: x\nالموضوع: y",
    "发件人: Alice\n发送时间: 2026年11月23日\n收件人: x\n主题: y",
]
ATTRIBUTIONS = [
    "On Mon, Nov 23, 2026 at 2:02 PM Alice <***@***.***> wrote:",
    "On Mon, Nov 23, 2026 at 2:02 PM Alice Liddell\n<notifications@github.com> wrote:",
    "On Nov 23, 2026, at 14:02, Alice\n<notifications@github.com>\nwrote:",
    "On 11/23/26 14:02, Alice wrote:",
    "Am Mo., 23. Nov. 2026 um 14:02 Uhr schrieb Alice <a@b.c>:",
    "Am 23.11.2026 um 14:02 schrieb Alice:",
    "Alice <a@b.c> schrieb am Mo., 23. Nov. 2026, 14:02:",
    "Le lun. 23 nov. 2026 à 14:02, Alice <a@b.c> a écrit\u00a0:",
    "Le 23/11/2026 à 14:02, Alice a\nécrit :",
    "El lun, 23 nov 2026 a las 14:02, Alice (<a@b.c>) escribió:",
    "Il giorno lun 23 nov 2026 alle ore 14:02 Alice <a@b.c> ha scritto:",
    "Em seg., 23 de nov. de 2026 às 14:02, Alice escreveu:",
    "Op ma 23 nov 2026 om 14:02 schreef Alice <a@b.c>:",
    "Den mån 23 nov. 2026 kl 14:02 skrev Alice <a@b.c>:",
    "Den 23.11.2026 14.02 skrev Alice:",
    "pon., 23 lis 2026 o 14:02 Alice <a@b.c> napisał(a):",
    "W dniu 23.11.2026 o 14:02, Alice pisze:",
    "ma 23. marrask. 2026 klo 14.02 Alice (a@b.c) kirjoitti:",
    "пн, 23 нояб. 2026 г. в 14:02, Alice <a@b.c>:",
    "2026年11月23日(月) 14:02 Alice <a@b.c>:",
    "23. nov. 2026 kl. 14:02 skrev Alice:",
    "23. 11. 2026 v 14:02, Alice <a@b.c>:",
    "2026. 11. 23. 오후 2:02, Alice <a@b.c> 작성:",
    "\u202aבתאריך 23 בנוב׳ 2026 ב-14:02 מאת \u202aAlice\u202c <\u202aa@b.c\u202c>:\u202c",
    "Missatge de Alice <a@b.c> del dia dl., 23 de nov. 2026 a les 14:02:",
    "Quoting Alice <a@b.c>:",
    "Alice <a@b.c> 于2026年11月23日周一 14:02写道：",
]
ENDS = [
    "-- ",
    "--\nAlice Liddell",
    "Sent from my iPhone",
    "Gesendet von meinem iPhone",
    "Von meinem iPhone gesendet",
    "Envoyé de mon iPhone",
    "Enviado desde mi iPhone",
    "Inviato da iPhone",
    "Verzonden vanaf mijn iPhone",
    "Skickat från min iPhone",
    "Sendt fra min iPhone",
    "Wysłane z iPhone’a",
    "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "—\nReply to this email directly, view it on GitHub<https://github.com/x>, or unsubscribe.",
    "Sent with [Proton Mail](https://proton.me/) secure email.",
    "Get [Outlook for iOS](https://aka.ms/o0ukef)",
    "Sent from mobile, please excuse typos",
    "Message ID: <acme/shop/issues/7/123@github.com>",
    "[alice](https://github.com/alice) left a comment (acme/shop#7)",
    "alice left a comment (acme/shop#7)",
    "**alice** left a comment (acme/shop#7)",
]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("quote", [*DIVIDERS, *HEADERS, *ATTRIBUTIONS, *ENDS])
def test_what_stands_below_the_beginning_of_a_mail_is_no_command(quote: str, end: str) -> None:
    """Nor is it answered, nor a part of the text of the command above."""
    body = f"/note Thanks!\n{quote}\n\n/resolve old\n/nonsense\n".replace("\n", end)
    (found,) = read_comment(body, TYPED)
    assert isinstance(found, TakenLine)
    assert found.command == Note("Thanks!")


def test_an_old_command_is_not_run_in_the_repliers_name() -> None:
    """Row of the issue: bob answers alice's `/thaw` by mail, and only says that he saw it."""
    chat = Chat()
    chat.say("alice", "/ack")
    mail = (
        "Seen, thanks.\n\n-----Original Message-----\nFrom: alice\nSubject: Re\n\n/thaw all well\n"
    )
    assert chat.say("bob", mail) == []
    assert chat.incident.freezes
    assert [line for line in chat.timeline if "bob" in line] == []


@pytest.mark.parametrize(
    "text",
    [
        "From: 10\nTo: 20",
        "From: bob@example.com\nThe subject was spam",
        "Bob from support wrote at 14:02:",
        "From: the dashboard\nwe saw a spike\nDate: 2026-11-23",
        "From: the dashboard\nDate: 2026-11-23",
        "Data: 5 rows lost\nFrom: backup\nTo: prod",
        "Sent: 500 mails\nFrom: queue\nTo: customers",
        "On Monday Anna wrote:",
        "On Monday at 14:02 Anna wrote:",
        "On 23 November Anna wrote:",
        "The customer (bob@example.com) wrote:",
        "Deployed by mail@acme.com on 2026-11-23:",
        "Get the outlook for Monday",
        "--- error messages ---",
        "==== Messages in queue ====",
        "On Monday at 14:02 we saw:",
        "Timeline of 2026-11-23:",
        "---",
        "-- done by bob",
        "---- timeline ----",
        "- 2026-11-23 Bob wrote:",
        "```\nFrom: a\nDate: 3\nSubject: x\n```",
        "> From: a\n> Date: 3\n> Subject: x\n",
        "On Mon, Nov 23, 2026 Bob wrote:\n> we are down\n\nI agree.",
    ],
)
def test_a_text_typed_on_github_swallows_no_command(text: str) -> None:
    """What only looks a little like a mail's header ends nothing, nor does a marked quote."""
    found = read_comment(f"/did changed the limit\n{text}\n/mitigated", TYPED)
    assert [type(line.command) for line in found if isinstance(line, TakenLine)][-1] is Mitigated


def test_the_lines_above_a_wrapped_header_are_the_writers_own() -> None:
    """The quote begins with its header, not with the sentence before it."""
    body = (
        "/customer All is well\nagain.\nOn Mon, Nov 23, 2026 at 14:02 Alice\n<a@b.c> wrote:\n/ack"
    )
    (found,) = read_comment(body, TYPED)
    assert isinstance(found, TakenLine)
    assert found.command == CustomerUpdate("All is well\nagain.")


def test_a_command_above_the_quote_is_taken() -> None:
    """The answer itself is read as ever."""
    (found,) = read_comment("/ack\n\nOn 23 Nov 2026 Alice wrote:\n\n/resolve", TYPED)
    assert isinstance(found, TakenLine)
    assert found.command == Ack()


def test_where_a_quote_begins() -> None:
    """The index of its first line; without one, the number of lines."""
    assert quoted_from(["a", "-----Original Message-----", "b"]) == 1
    assert quoted_from(["a", "-----Original Message-----", "b"], {1}) == 3
    assert quoted_from([]) == 0
