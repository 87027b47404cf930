"""Sentences of comments, in English, German and Swedish, by theme."""

from __future__ import annotations

#: What people write about.
THEMES = (
    "price",
    "onboarding",
    "performance",
    "mobile app",
    "reports",
    "support",
    "integrations",
)

LANGUAGES = ("en", "de", "sv")

POSITIVE, NEGATIVE = "positive", "negative"

OPENINGS = {
    "en": (
        "",
        "We plan about forty jobs a day.",
        "I look after three depots.",
        "Our crews are on the road all day.",
    ),
    "de": (
        "",
        "Wir planen rund vierzig Einsätze am Tag.",
        "Ich betreue drei Standorte.",
        "Unsere Teams sind den ganzen Tag unterwegs.",
    ),
    "sv": (
        "",
        "Vi planerar ungefär fyrtio jobb om dagen.",
        "Jag ansvarar för tre depåer.",
        "Våra team är ute på vägarna hela dagen.",
    ),
}

CLOSINGS = {
    ("en", POSITIVE): (
        "",
        "Keep it up!",
        "I have told two colleagues about it.",
        "We would not go back.",
    ),
    ("en", NEGATIVE): (
        "",
        "Please fix this.",
        "That costs us an hour a week.",
        "We are looking at other options.",
    ),
    ("de", POSITIVE): (
        "",
        "Weiter so!",
        "Ich habe es schon zwei Kollegen empfohlen.",
        "Zurück wollen wir nicht mehr.",
    ),
    ("de", NEGATIVE): (
        "",
        "Bitte ändern Sie das.",
        "Das kostet uns jede Woche eine Stunde.",
        "Wir sehen uns schon nach etwas anderem um.",
    ),
    ("sv", POSITIVE): (
        "",
        "Fortsätt så!",
        "Jag har tipsat två kollegor.",
        "Vi skulle inte vilja gå tillbaka.",
    ),
    ("sv", NEGATIVE): (
        "",
        "Snälla, rätta till det.",
        "Det kostar oss en timme i veckan.",
        "Vi tittar på andra alternativ.",
    ),
}

SENTENCES: dict[tuple[str, str, str], tuple[str, ...]] = {
    ("en", "price", POSITIVE): (
        "Good value for money.",
        "The price is fair for what we get.",
        "It paid for itself within the first year.",
        "No surprises on the invoice.",
    ),
    ("en", "price", NEGATIVE): (
        "It is too expensive for a team of our size.",
        "The price went up again and nothing else changed.",
        "We pay for seats that nobody uses.",
        "The invoice is hard to understand.",
    ),
    ("en", "onboarding", POSITIVE): (
        "The onboarding was quick and friendly.",
        "We were up and running within a week.",
        "The training for our dispatchers was excellent.",
        "New people find their way in a day.",
    ),
    ("en", "onboarding", NEGATIVE): (
        "Onboarding took far too long.",
        "Nobody showed us how to set up the second depot.",
        "The setup guide left us alone half way.",
        "New people are lost for weeks.",
    ),
    ("en", "performance", POSITIVE): (
        "The board is fast, even with all our crews on it.",
        "Pages open instantly.",
        "It has never been down when we needed it.",
        "Search got a lot faster.",
    ),
    ("en", "performance", NEGATIVE): (
        "The board takes half a minute to open.",
        "It has become very slow lately.",
        "It freezes every morning at eight.",
        "Loading a week with many crews times out.",
    ),
    ("en", "mobile app", POSITIVE): (
        "The mobile app is a joy to use.",
        "Our technicians love the checklists on the phone.",
        "The app works even without reception.",
        "Taking photos in the app saves us calls.",
    ),
    ("en", "mobile app", NEGATIVE): (
        "The mobile app loses entries when there is no reception.",
        "The app crashes on older phones.",
        "Our technicians refuse to use the mobile app.",
        "Checklists in the app are tiny and hard to tap.",
    ),
    ("en", "reports", POSITIVE): (
        "The weekly report saves me an hour every Monday.",
        "Scheduled reports are the reason we stay.",
        "My boss finally reads the reports.",
        "Reports show at once where we lose time.",
    ),
    ("en", "reports", NEGATIVE): (
        "The reports do not match our own numbers.",
        "I miss a report by customer.",
        "Reports cannot be changed to what we need.",
        "We still build our reports in a spreadsheet.",
    ),
    ("en", "support", POSITIVE): (
        "Support answers within minutes.",
        "The support team is patient and knows the product.",
        "Great help from our contact person.",
        "Whenever we call, someone helps.",
    ),
    ("en", "support", NEGATIVE): (
        "Support took four days to answer.",
        "Every time I explain my problem to someone else.",
        "My ticket was closed without a solution.",
        "We get standard answers from support.",
    ),
    ("en", "integrations", POSITIVE): (
        "The integration with our accounting works well.",
        "The API is clear and did what we needed.",
        "Connecting the calendar took five minutes.",
        "Data flows into our ERP without any manual work.",
    ),
    ("en", "integrations", NEGATIVE): (
        "The integration with our ERP breaks every month.",
        "We hit the API limits all the time.",
        "There is no connection to our payroll.",
        "The calendar sync creates duplicates.",
    ),
    ("de", "price", POSITIVE): (
        "Gutes Preis-Leistungs-Verhältnis.",
        "Der Preis ist fair für das, was wir bekommen.",
        "Das hat sich im ersten Jahr bezahlt gemacht.",
        "Keine Überraschungen auf der Rechnung.",
    ),
    ("de", "price", NEGATIVE): (
        "Für ein Team unserer Größe ist es zu teuer.",
        "Der Preis ist wieder gestiegen, sonst hat sich nichts geändert.",
        "Wir bezahlen Lizenzen, die niemand nutzt.",
        "Die Rechnung ist schwer zu verstehen.",
    ),
    ("de", "onboarding", POSITIVE): (
        "Die Einführung ging schnell und war freundlich.",
        "Nach einer Woche lief alles.",
        "Die Schulung für unsere Disponenten war hervorragend.",
        "Neue Leute finden sich an einem Tag zurecht.",
    ),
    ("de", "onboarding", NEGATIVE): (
        "Die Einführung hat viel zu lange gedauert.",
        "Niemand hat uns gezeigt, wie man den zweiten Standort einrichtet.",
        "Die Anleitung zur Einrichtung hört auf halbem Weg auf.",
        "Neue Leute sind wochenlang verloren.",
    ),
    ("de", "performance", POSITIVE): (
        "Die Plantafel ist schnell, auch mit allen Teams.",
        "Seiten öffnen sich sofort.",
        "Wenn wir es brauchten, war es noch nie ausgefallen.",
        "Die Suche ist viel schneller geworden.",
    ),
    ("de", "performance", NEGATIVE): (
        "Die Plantafel braucht eine halbe Minute zum Öffnen.",
        "In letzter Zeit ist alles sehr langsam geworden.",
        "Jeden Morgen um acht friert es ein.",
        "Eine Woche mit vielen Teams lädt nicht zu Ende.",
    ),
    ("de", "mobile app", POSITIVE): (
        "Die mobile App macht Freude.",
        "Unsere Techniker lieben die Checklisten auf dem Handy.",
        "Die App funktioniert sogar ohne Empfang.",
        "Fotos in der App ersparen uns Anrufe.",
    ),
    ("de", "mobile app", NEGATIVE): (
        "Die mobile App verliert Einträge, wenn kein Empfang da ist.",
        "Die App stürzt auf älteren Handys ab.",
        "Unsere Techniker weigern sich, die mobile App zu benutzen.",
        "Die Checklisten in der App sind winzig und schwer zu treffen.",
    ),
    ("de", "reports", POSITIVE): (
        "Der Wochenbericht erspart mir jeden Montag eine Stunde.",
        "Wegen der geplanten Berichte bleiben wir.",
        "Endlich liest mein Chef die Berichte.",
        "Die Berichte zeigen sofort, wo wir Zeit verlieren.",
    ),
    ("de", "reports", NEGATIVE): (
        "Die Berichte stimmen nicht mit unseren Zahlen überein.",
        "Mir fehlt ein Bericht nach Kunden.",
        "Die Berichte lassen sich nicht so anpassen, wie wir es brauchen.",
        "Unsere Berichte bauen wir weiter in einer Tabelle.",
    ),
    ("de", "support", POSITIVE): (
        "Der Support antwortet innerhalb von Minuten.",
        "Das Support-Team ist geduldig und kennt das Produkt.",
        "Unsere Ansprechpartnerin hilft großartig.",
        "Wann immer wir anrufen, hilft uns jemand.",
    ),
    ("de", "support", NEGATIVE): (
        "Der Support hat vier Tage für eine Antwort gebraucht.",
        "Jedes Mal erkläre ich mein Problem jemand anderem.",
        "Mein Ticket wurde ohne Lösung geschlossen.",
        "Vom Support bekommen wir Standardantworten.",
    ),
    ("de", "integrations", POSITIVE): (
        "Die Anbindung an unsere Buchhaltung läuft gut.",
        "Die Schnittstelle ist klar und konnte, was wir brauchten.",
        "Den Kalender zu verbinden dauerte fünf Minuten.",
        "Die Daten fließen ohne Handarbeit in unser ERP.",
    ),
    ("de", "integrations", NEGATIVE): (
        "Die Anbindung an unser ERP fällt jeden Monat aus.",
        "Wir stoßen ständig an die Grenzen der Schnittstelle.",
        "Es gibt keine Verbindung zu unserer Lohnabrechnung.",
        "Die Kalender-Synchronisation erzeugt doppelte Einträge.",
    ),
    ("sv", "price", POSITIVE): (
        "Bra valuta för pengarna.",
        "Priset är rimligt för det vi får.",
        "Det betalade sig redan första året.",
        "Inga överraskningar på fakturan.",
    ),
    ("sv", "price", NEGATIVE): (
        "Det är för dyrt för ett team av vår storlek.",
        "Priset har höjts igen utan att något annat har ändrats.",
        "Vi betalar för licenser som ingen använder.",
        "Fakturan är svår att förstå.",
    ),
    ("sv", "onboarding", POSITIVE): (
        "Införandet gick snabbt och smidigt.",
        "Efter en vecka var vi igång.",
        "Utbildningen för våra planerare var utmärkt.",
        "Nya medarbetare hittar rätt på en dag.",
    ),
    ("sv", "onboarding", NEGATIVE): (
        "Införandet tog alldeles för lång tid.",
        "Ingen visade oss hur man lägger upp den andra depån.",
        "Guiden för att komma igång tar slut halvvägs.",
        "Nya medarbetare är vilse i flera veckor.",
    ),
    ("sv", "performance", POSITIVE): (
        "Planeringstavlan är snabb, även med alla team.",
        "Sidorna öppnas direkt.",
        "Det har aldrig legat nere när vi behövt det.",
        "Sökningen har blivit mycket snabbare.",
    ),
    ("sv", "performance", NEGATIVE): (
        "Planeringstavlan tar en halv minut att öppna.",
        "Allt har blivit väldigt långsamt på sistone.",
        "Det fryser varje morgon klockan åtta.",
        "En vecka med många team laddar aldrig klart.",
    ),
    ("sv", "mobile app", POSITIVE): (
        "Mobilappen är en fröjd att använda.",
        "Våra tekniker älskar checklistorna i telefonen.",
        "Appen fungerar även utan täckning.",
        "Bilder i appen besparar oss många samtal.",
    ),
    ("sv", "mobile app", NEGATIVE): (
        "Mobilappen tappar uppgifter när täckning saknas.",
        "Appen kraschar på äldre telefoner.",
        "Våra tekniker vägrar att använda mobilappen.",
        "Checklistorna i appen är små och svåra att träffa.",
    ),
    ("sv", "reports", POSITIVE): (
        "Veckorapporten sparar mig en timme varje måndag.",
        "De schemalagda rapporterna är skälet till att vi stannar.",
        "Äntligen läser min chef rapporterna.",
        "Rapporterna visar direkt var vi förlorar tid.",
    ),
    ("sv", "reports", NEGATIVE): (
        "Rapporterna stämmer inte med våra egna siffror.",
        "Jag saknar en rapport per kund.",
        "Rapporterna går inte att anpassa efter våra behov.",
        "Vi bygger fortfarande rapporterna i ett kalkylark.",
    ),
    ("sv", "support", POSITIVE): (
        "Supporten svarar inom några minuter.",
        "Supportteamet är tålmodigt och kan produkten.",
        "Fantastisk hjälp av vår kontaktperson.",
        "När vi än ringer är det någon som hjälper oss.",
    ),
    ("sv", "support", NEGATIVE): (
        "Det tog supporten fyra dagar att svara.",
        "Varje gång får jag förklara problemet för någon ny.",
        "Mitt ärende stängdes utan lösning.",
        "Vi får standardsvar från supporten.",
    ),
    ("sv", "integrations", POSITIVE): (
        "Kopplingen till vår bokföring fungerar bra.",
        "API:et är tydligt och gjorde det vi behövde.",
        "Att koppla kalendern tog fem minuter.",
        "Data går in i vårt affärssystem utan handpåläggning.",
    ),
    ("sv", "integrations", NEGATIVE): (
        "Kopplingen till vårt affärssystem går sönder varje månad.",
        "Vi slår hela tiden i gränserna för API:et.",
        "Det finns ingen koppling till vårt lönesystem.",
        "Kalendersynken skapar dubbletter.",
    ),
}
