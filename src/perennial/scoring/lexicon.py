"""Words that feel, deny, part and bind, in the languages that are read.

General words of each language; a word stands for every form of its stem. Twice as
strong ones are listed apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Words that only bind: they tell a language, and nothing else.
BINDING: Final[Mapping[str, str]] = {
    "en": (
        "the a an and or but of to in on at for with from by is are was were be been "
        "has have had it its this that these those we our you your they their i my me "
        "us he she as if so than then there here what which who when where how not no "
        "do does did will would could should may can about after before because very "
        "much more most all any some only just also up out into over when every"
    ),
    "de": (
        "der die das den dem des ein eine einen einem einer eines und oder aber von zu "
        "zum zur im in am an auf für mit bei nach aus ist sind war waren sein hat "
        "haben hatte es sich wir uns unser unsere ihr ihre sie er ich mein meine mir "
        "mich als wenn so wie da dass was welche wer wo nicht kein keine noch nur auch "
        "sehr mehr viel alle wird werden wurde kann können muss über unter vor durch "
        "man schon immer wieder"
    ),
    "sv": (
        "den det de en ett och eller men av till i på för med från hos om är var vara "
        "varit har hade vi oss vår vårt våra ni er era jag min mitt mina mig han hon "
        "som när så än då där här vad vilken vem hur inte ingen inga inget också "
        "mycket mer mest alla någon något några bara kan ska skulle måste blir blev "
        "att efter före eftersom under över utan redan alltid igen man sig sin sitt "
        "sina"
    ),
}

#: Words that turn round what is felt near them.
DENYING: Final[Mapping[str, str]] = {
    "en": (
        "not no never none nobody nothing nowhere without cannot hardly barely neither "
        "nor don't doesn't didn't isn't aren't wasn't weren't won't can't couldn't "
        "wouldn't shouldn't hasn't haven't hadn't dont doesnt didnt isnt cant wont "
        "lack"
    ),
    "de": (
        "nicht nie niemals kein keine keinen keinem keiner keines niemand niemanden "
        "nichts nirgends ohne kaum weder nirgendwo"
    ),
    "sv": (
        "inte ej icke aldrig ingen inga inget ingenting utan knappt varken ingenstans"
    ),
}

#: Where one thing is said and another begins.
PARTING: Final[Mapping[str, str]] = {
    "en": ("but and however although though while whereas yet except"),
    "de": ("aber und jedoch allerdings doch obwohl während sondern"),
    "sv": ("men och dock fast trots medan däremot"),
}

GOOD: Final[Mapping[str, str]] = {
    "en": (
        "good nice fine easy easily simple fast quick quickly helpful friendly useful "
        "reliable stable intuitive clear fair affordable cheap smooth smoothly "
        "flexible efficient effective responsive professional polite pleasant happy "
        "satisfied pleased glad like liked likes enjoy enjoyed works worked improve "
        "improved better recommend thanks thank save saves saved saving helps helped "
        "solve solved accurate secure patient knowledgeable competent convenient "
        "instant instantly straightforward trust prompt promptly worth value success "
        "successful seamless transparent hassle-free effortless faster cheaper easier "
        "welcome responsive powerful benefit"
    ),
    "de": (
        "gut gute guter gutes einfach leicht schnell schneller hilfreich freundlich "
        "nützlich zuverlässig stabil intuitiv klar fair günstig preiswert reibungslos "
        "flexibel effizient kompetent professionell höflich angenehm zufrieden froh "
        "gefällt mag funktioniert läuft verbessert besser empfehlen empfehle danke "
        "hilft geholfen spart sparen erspart gelöst genau sicher geduldig praktisch "
        "sofort unkompliziert übersichtlich lohnt wert vertrauen erfolgreich "
        "transparent problemlos freude pünktlich flott bequem hilfsbereit schön gerne "
        "endlich"
    ),
    "sv": (
        "bra enkel enkelt lätt snabb snabbt snabbare hjälpsam hjälpsamt vänlig vänligt "
        "användbar pålitlig stabil stabilt intuitiv intuitivt tydlig tydligt rimlig "
        "rimligt prisvärd prisvärt billig smidig smidigt flexibel effektiv effektivt "
        "kompetent professionell trevlig trevligt nöjd nöjda glad glada gillar "
        "fungerar funkar förbättrats bättre rekommendera rekommenderar tack hjälper "
        "hjälpte hjälp sparar spara besparar löst löste exakt säker trygg tålmodig "
        "praktisk direkt överskådlig lönar värt förtroende lyckad problemfritt bekväm "
        "skön äntligen"
    ),
}
VERY_GOOD: Final[Mapping[str, str]] = {
    "en": (
        "great excellent amazing awesome fantastic perfect perfectly love loves loved "
        "outstanding wonderful brilliant superb best delighted impressed impressive "
        "incredible exceptional joy flawless"
    ),
    "de": (
        "großartig ausgezeichnet hervorragend fantastisch perfekt liebe lieben super "
        "toll klasse spitze genial begeistert wunderbar beste bester bestes exzellent "
        "prima beeindruckt einwandfrei erstklassig"
    ),
    "sv": (
        "utmärkt utmärkta fantastisk fantastiskt perfekt älskar suverän suveränt "
        "toppen underbar underbart lysande bäst bästa strålande jättebra imponerad "
        "enastående förträfflig fröjd superbra"
    ),
}
BAD: Final[Mapping[str, str]] = {
    "en": (
        "bad poor slow slowly expensive costly overpriced hard difficult complicated "
        "confusing confused clunky cluttered buggy bug error errors problem problems "
        "issue issues trouble fail fails failed failing failure broken break breaks "
        "crash crashes crashed freeze freezes down outage unstable unreliable lose "
        "loses lost losing missing miss lack lacks limited wrong incorrect inaccurate "
        "duplicate duplicates delay delays delayed late wait waiting waited long "
        "disappointed disappointing unhappy dissatisfied frustrating frustrated "
        "annoying annoyed unclear misleading rude unhelpful ignored unanswered refuse "
        "refuses stuck lag laggy sluggish timeout worse complaint complain hidden "
        "cancel cancelled concern concerned unable struggle rigid outdated tedious "
        "cumbersome increase unacceptable lied"
    ),
    "de": (
        "schlecht schlechter langsam langsamer teuer überteuert schwer schwierig "
        "kompliziert verwirrend umständlich unübersichtlich fehler fehlerhaft problem "
        "probleme störung ausfall fällt ausfälle ausgefallen kaputt absturz abstürze "
        "stürzt hängt friert instabil unzuverlässig verliert verloren verlieren fehlt "
        "fehlen vermisse eingeschränkt falsch ungenau doppelt verzögerung verspätet "
        "spät warten warte gewartet lange enttäuscht enttäuschend unzufrieden "
        "frustrierend frustriert ärgerlich nervig genervt unklar irreführend "
        "unfreundlich ignoriert unbeantwortet weigern träge schlimmer beschwerde "
        "kündigen mühsam veraltet mangelhaft scheitert"
    ),
    "sv": (
        "dålig dåligt dåliga långsam långsamt långsamma seg segt trög trögt dyr dyrt "
        "dyra svår svårt svåra krånglig krångligt komplicerad komplicerat rörig rörigt "
        "förvirrande fel felaktig buggig bugg buggar problem störning avbrott trasig "
        "kraschar kraschade krasch fryser hänger nere instabil instabilt opålitlig "
        "tappar tappade förlorar förlorad saknar saknas begränsad begränsat dubbletter "
        "fördröjning försenad sen väntar vänta väntade lång långa besviken besvikna "
        "missnöjd missnöjda frustrerande frustrerad irriterande irriterad otydlig "
        "otydligt vilseledande otrevlig ignorerad vägrar sämre klagomål sliter "
        "alldeles föråldrad omständlig"
    ),
}
VERY_BAD: Final[Mapping[str, str]] = {
    "en": (
        "terrible awful horrible useless worst hate hates hated unusable nightmare "
        "pathetic disgusting appalling disaster shocking rubbish dreadful ridiculous "
        "scam"
    ),
    "de": (
        "furchtbar schrecklich katastrophal katastrophe unbrauchbar schlechteste hasse "
        "nutzlos miserabel grauenhaft unzumutbar unverschämt albtraum"
    ),
    "sv": (
        "hemsk hemskt fruktansvärd fruktansvärt värdelös värdelöst katastrof "
        "katastrofal sämst sämsta hatar oanvändbar oanvändbart usel uselt mardröm "
        "bedrövlig"
    ),
}
