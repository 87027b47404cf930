"""What comments can speak of: topics, and the words each is known by.

A word is met in every form its stem takes. A star stands for the rest of a compound:
`*rapport` is met in "veckorapport", `rechnung*` in "Rechnungsadresse". Of several
words all have to follow each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

#: Languages that are read, the one first that words of none are taken for.
LANGUAGES: Final = ("en", "de", "sv")
#: What a comment speaks of that speaks of no topic.
OTHER: Final = "other"


@dataclass(frozen=True)
class Topic:
    """A topic with its words by language; the first word of each is its plain name.

    `names` is what it is called on screen, by language, where people said so.
    """

    key: str
    words: Mapping[str, Sequence[str]]
    names: Mapping[str, str] = field(default_factory=dict)


def _topic(key: str, en: str, de: str, sv: str) -> Topic:
    told = zip(LANGUAGES, (en, de, sv), strict=True)
    return Topic(
        key, {language: tuple(w.strip() for w in t.split(",")) for language, t in told}
    )


#: For software that is subscribed to. General words, none of any one product.
STANDARD: Final = (
    _topic(
        "price",
        "price, pricing, cost, costly, expensive, cheap, affordable, overpriced, "
        "fee, invoice, billing, bill, budget, discount, license, licence, "
        "subscription fee, value for money, money, worth it, per seat, per user, "
        "quote, renewal price, paying, charge, charged, refund, price increase, "
        "contract, return on investment, roi, payback",
        "preis*, *preis, kosten, *kosten, teuer, günstig, billig, gebühr, *gebühr, "
        "rechnung*, *rechnung, budget, rabatt*, lizenz*, *lizenz, bezahlen, "
        "zahlen, bezahlt, preiswert, überteuert, geld, vertrag, *vertrag, tarif, "
        "*tarif, abo, abonnement, erstattung, preiserhöhung, rentiert, amortisiert",
        "pris*, *pris, kostnad, *kostnad, kosta, kostar, dyr, dyrt, billig, "
        "prisvärd, prisvärt, avgift, *avgift, faktura, faktur*, *faktura, budget, "
        "rabatt, licens, licens*, betala, betalar, pengar, pengarna, avtal, "
        "*avtal, abonnemang, valuta för pengarna, prishöjning, återbetalning, "
        "lönsam",
    ),
    _topic(
        "onboarding",
        "onboarding, getting started, set up, setup, setting up, implementation, "
        "training, tutorial, kickoff, rollout, go live, migration, learning curve, "
        "first steps, introduction, new users, new employees, new colleagues, up "
        "and running, configuration, webinar, walkthrough",
        "einführung, *einführung, onboarding, einrichtung, *einrichtung, "
        "einrichten, richtet ein, schulung, *schulung, einarbeitung, einarbeiten, "
        "inbetriebnahme, erste schritte, lernkurve, umstellung, migration, neue "
        "mitarbeiter, neue kollegen, konfiguration, webinar, anleitung, "
        "*anleitung, implementierung",
        "införande, införandet, onboarding, introduktion, komma igång, kom igång, "
        "kommer igång, uppstart, uppstarten, utbildning, *utbildning, "
        "implementering, inlärning, inlärningskurva, lägga upp, sätta upp, "
        "konfiguration, migrering, nya användare, nyanställda, nya kollegor, "
        "handledning, webbinarium, uppsättning",
    ),
    _topic(
        "support",
        "support, customer service, help desk, helpdesk, ticket, agent, contact "
        "person, account manager, success manager, csm, service team, response "
        "time, helpful staff, hotline, live chat, responsive, staff, no one "
        "answers, get back to, got back to, customer care",
        "support*, *support, kundenservice, kundendienst, kundenbetreu*, betreuer, "
        "betreuung, ansprechpartner*, hotline, ticket, *ticket, helpdesk, "
        "mitarbeiter, service team, antwortzeit, rückmeldung, rückruf, "
        "erreichbar*, hilfsbereit, beratung, servicemitarbeiter",
        "support*, *support, kundtjänst, kundservice, kundansvarig, helpdesk, "
        "ärende, *ärende, kontaktperson, handläggare, svarstid, svarstider, "
        "återkoppling, återkommer, bemötande, hjälpsam, hjälpsamma, chatten, "
        "personal, personalen, supportärende",
    ),
    _topic(
        "usability",
        "usability, easy to use, hard to use, difficult to use, user friendly, "
        "intuitive, confusing, interface, ui, ux, design, layout, navigation, "
        "navigate, menu, clicks, clunky, complicated, simple to use, user "
        "experience, cluttered, straightforward, look and feel, find anything, "
        "unclear",
        "bedienung, bedienbar*, bedienen, benutzerfreundlich*, oberfläche, "
        "*oberfläche, intuitiv, kompliziert, unübersichtlich, übersichtlich, "
        "design, navigation, menü, *menü, umständlich, klicks, verwirrend, einfach "
        "zu bedienen, einfach zu benutzen, handhabung, usability, selbsterklärend, "
        "layout",
        "användarvänlig*, lätt att använda, enkelt att använda, enkel att använda, "
        "svår att använda, svårt att använda, gränssnitt, *gränssnitt, intuitiv, "
        "krånglig, krångligt, rörig, rörigt, design, navigering, navigera, meny, "
        "*meny, klick, överskådlig, överskådligt, förvirrande, ologisk, ologiskt, "
        "användbarhet, layout",
    ),
    # What O02 asks for: the product confuses, or is too much.
    _topic(
        "confusing",
        "confusing, confused, cluttered, overwhelming, overwhelmed, overloaded, too "
        "many options, hard to understand, convoluted",
        "verwirrend, unübersichtlich, überladen, überfordert, überfordernd, "
        "unverständlich, undurchsichtig",
        "förvirrande, rörig, rörigt, överväldigande, ologisk, ologiskt, obegriplig, "
        "obegripligt, överlastad",
    ),
    _topic(
        "performance",
        "performance, slow, fast, speed, quick, lag, laggy, loading, load, loads, "
        "freeze, hangs, crash, down, downtime, outage, unstable, stable, "
        "stability, reliable, unreliable, reliability, uptime, timeout, times out, "
        "responsive site, latency, sluggish, instant, instantly, waiting for it to "
        "load",
        "geschwindigkeit, *geschwindigkeit, langsam, schnell, ladezeit*, lädt, "
        "laden, hängt, absturz, abstürze, stürzt ab, einfriert, eingefroren, "
        "ausfall, *ausfall, ausfälle, ausgefallen, instabil, stabil, stabilität, "
        "zuverlässig*, unzuverlässig, performance, träge, verzögerung, "
        "verfügbarkeit, sofort, flott",
        "prestanda, långsam, långsamt, snabb, snabbt, hastighet, laddar, ladda, "
        "laddningstid, seg, segt, trög, trögt, hänger sig, hänger, krasch, "
        "kraschar, fryser, ligger nere, låg nere, nere, avbrott, driftstörning, "
        "driftavbrott, instabil, instabilt, stabil, stabilt, pålitlig, opålitlig, "
        "tillförlitlig, fördröjning, direkt",
    ),
    _topic(
        "reports",
        "report, reporting, dashboard, chart, statistics, analytics, export, "
        "exporting, figures, kpi, insights, graph, overview of numbers",
        "bericht, *bericht, berichts*, report, reporting, auswertung, *auswertung, "
        "dashboard, statistik, *statistik, diagramm, export, exportieren, "
        "kennzahl, kennzahlen, analyse, grafik",
        "rapport, *rapport, rapporter*, *rapporterna, instrumentpanel, dashboard, "
        "statistik, *statistik, diagram, export, exportera, nyckeltal, analys, "
        "analyser, uppföljning, graf",
    ),
    _topic(
        "integrations",
        "integration, integrate, api, sync, synchronization, synchronize, "
        "connector, connection to, connect, webhook, plugin, import, interface to, "
        "third party, data exchange, sso connection, zapier",
        "integration, integrationen, schnittstelle, *schnittstelle, api, "
        "anbindung, *anbindung, synchronisation, *synchronisation, "
        "synchronisieren, sync, verbindung zu, verbinden, webhook, plugin, import, "
        "importieren, datenaustausch, verknüpfung, koppeln",
        "integration, integrationen, integrationer, integrera, api*, koppling, "
        "*koppling, koppla, synkronisering, *synk, synka, synken, synkar, *synken, "
        "webhook, insticksprogram, import, importera, gränssnitt mot, datautbyte, "
        "anslutning",
    ),
    _topic(
        "mobile app",
        "mobile app, app, mobile, phone, smartphone, tablet, ipad, iphone, "
        "android, ios, offline mode, on the go",
        "app, *app, mobil, mobile, handy, smartphone, tablet, ipad, iphone, "
        "android, ios, unterwegs nutzen, offline",
        "app, appen, appar, *appen, mobil, mobilen, mobilapp, telefon, telefonen, "
        "surfplatta, surfplattan, ipad, iphone, android, ios, offlineläge, mobilt",
    ),
    _topic(
        "features",
        "feature, functionality, function, missing, wish, lack, lacks, customize, "
        "customizable, customization, flexible, flexibility, roadmap, feature "
        "request, limited, capabilities, workflow, automation, would like "
        "to see",
        "funktion, *funktion, funktionalität, funktionsumfang, fehlt, fehlen, "
        "wunsch, wünschen, anpassen, anpassbar, anpassung, flexibel, flexibilität, "
        "roadmap, eingeschränkt, möglichkeiten, automatisierung, arbeitsablauf",
        "funktion, *funktion, funktionalitet, funktioner, saknar, saknas, önskar, "
        "önskemål, anpassa, anpassning, anpassningsbar, flexibel, flexibilitet, "
        "begränsad, begränsat, möjligheter, automatisering, arbetsflöde",
    ),
    _topic(
        "data quality",
        "data quality, wrong data, incorrect, inaccurate, accurate, accuracy, "
        "duplicate, wrong numbers, lost data, data loss, missing data, bug, buggy, "
        "error, errors, glitch, faulty",
        "datenqualität, falsche daten, falsch, ungenau, genau, genauigkeit, "
        "duplikat, doppelt, datenverlust, fehler, *fehler, fehlerhaft, bug",
        "datakvalitet, fel data, felaktig, felaktigt, felaktiga, exakt, dubblett, "
        "dubbletter, dataförlust, fel, bugg, buggar, buggig",
    ),
    _topic(
        "security",
        "security, secure, privacy, gdpr, login, log in, password, sso, single "
        "sign on, two factor, permission, access rights, locked out, compliance",
        "sicherheit, *sicherheit, datenschutz, dsgvo, login, anmeldung, anmelden, "
        "einloggen, passwort, *passwort, sso, berechtigung, zugriffsrechte, "
        "zugang, zwei faktor",
        "säkerhet, *säkerhet, integritetsskydd, dataskydd, gdpr, inloggning, logga "
        "in, lösenord, sso, behörighet, behörigheter, åtkomst, tvåfaktor",
    ),
    _topic(
        "communication",
        "communication, communicate, informed, inform, announcement, newsletter, "
        "documentation, help center, release notes, transparent, transparency, "
        "kept up to date, told us, promise, promised, misleading",
        "kommunikation, *kommunikation, kommuniziert, informiert, informieren, "
        "ankündigung, newsletter, dokumentation, hilfeseiten, transparent, "
        "transparenz, versprochen, versprechen, irreführend",
        "kommunikation, kommunicera, kommunicerar, informerad, informera, "
        "nyhetsbrev, dokumentation, hjälpsidor, transparent, transparens, lovade, "
        "lovat, löfte, vilseledande, besked",
    ),
)
