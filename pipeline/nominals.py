"""Lower-case nouns -> what sort of thing they stand for: "company" an organisation, "chatbot" a model, "rule" an instrument."""

from __future__ import annotations

from pipeline.records import EntityKind

_WORDS = {
    EntityKind.ORGANISATION: """company firm startup start-up lab laboratory developer maker vendor provider giant business
        corporation manufacturer supplier contractor chipmaker operator platform university nonprofit association group
        coalition alliance consortium publisher unicorn rival competitor customer client partner subsidiary foundation
        institution organisation organization""",
    EntityKind.AGENCY: """agency department regulator ministry commission authority watchdog bureau institute office council
        committee subcommittee panel board court tribunal senate parliament legislature congress house chamber assembly
        taskforce administration prosecutor commissioner directorate inspectorate body administrator centre center
        pentagon military army""",
    EntityKind.GOVERNMENT: """government state country nation authorities cabinet presidency union bloc""",
    EntityKind.PERSON: """president governor secretary minister senator congressman congresswoman representative judge justice
        chairman chairwoman chair chief executive ceo director founder co-founder cofounder king chancellor premier mayor
        lawyer attorney spokesman spokeswoman spokesperson official person researcher scientist engineer employee worker
        lawmaker legislator senator staffer leader plaintiff defendant author artist expert critic advocate citizen user
        commissioner czar tsar adviser advisor head whistleblower magistrate""",
    EntityKind.MODEL: """model chatbot assistant system tool software product service technology app application ai weights code
        algorithm data dataset version bot agent llm platform api feature capability chip gpu processor accelerator
        infrastructure prompt log document record information source""",
    EntityKind.INSTRUMENT: """order bill act law rule regulation guidance guideline framework standard code memorandum memo
        directive decree proclamation statute legislation resolution treaty convention declaration agreement contract deal pact
        accord charter plan strategy policy blueprint roadmap ordinance amendment measure provision moratorium injunction
        subpoena lawsuit suit complaint petition appeal ruling judgment decision verdict settlement brief mou statement
        notice licence license permit protocol pledge commitment report principle requirement ban safeguard demand request
        condition offer ultimatum proposal draft consultation undertaking opinion filing motion warrant mandate clause
        letter rfi terms term restriction designation label norm benchmark playbook toolkit""",
    EntityKind.GROUP: """national citizen user customer client contractor subscriber teenager minor child youth consumer public
        people voter student patient resident worker creator employee foreigner adversary entity investor lawmaker
        academic expert critic ally partner""",
}  # fmt: skip

NOUN_KINDS: dict[str, EntityKind] = {}
for _kind, _list in _WORDS.items():
    for _word in _list.split():
        NOUN_KINDS.setdefault(_word, _kind)

# Words before a name that say a person follows.
PERSON_TITLES = frozenset(
    [
        "President",
        "Senator",
        "Sen.",
        "Senators",
        "Sens.",
        "Governor",
        "Gov.",
        "Rep.",
        "Reps.",
        "Representative",
        "Representatives",
        "Congressman",
        "Congresswoman",
        "Secretary",
        "Minister",
        "Judge",
        "Justice",
        "Chancellor",
        "Commissioner",
        "Director",
        "Chair",
        "Chairman",
        "Chairwoman",
        "CEO",
        "CTO",
        "Dr.",
        "Dr",
        "Mr.",
        "Mr",
        "Ms.",
        "Ms",
        "Mrs.",
        "Mrs",
        "Professor",
        "Prof.",
        "Attorney",
        "General",
        "Gen.",
        "Mayor",
        "Premier",
        "Prime",
        "Vice",
        "Deputy",
        "Chief",
        "Officer",
        "Speaker",
        "Leader",
        "Founder",
        "Co-founder",
        "Spokesman",
        "Spokeswoman",
        "Spokesperson",
        "Magistrate",
        "Lord",
        "Lady",
        "Sir",
        "Undersecretary",
        "Administrator",
        "Special",
        "Envoy",
        "Adviser",
        "Advisor",
        "Czar",
        "Counsel",
        "Superintendent",
        "Former",
        "Acting",
        "Assistant",
    ]
)
TIME_WORDS = frozenset(
    [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "jan.",
        "feb.",
        "mar.",
        "apr.",
        "jun.",
        "jul.",
        "aug.",
        "sept.",
        "sep.",
        "oct.",
        "nov.",
        "dec.",
        "spring",
        "summer",
        "autumn",
        "fall",
        "winter",
        "today",
        "yesterday",
        "tomorrow",
        "tonight",
    ]
)
# People who speak or act for the body they are named with: "Pentagon officials" are the Pentagon.
ENVOYS = frozenset(
    [
        "spokesperson",
        "spokesman",
        "spokeswoman",
        "spokespeople",
        "official",
        "officials",
        "executive",
        "executives",
        "lawyer",
        "lawyers",
        "attorney",
        "attorneys",
        "representative",
        "representatives",
        "leader",
        "leaders",
        "leadership",
        "officer",
        "officers",
        "regulator",
        "regulators",
        "authorities",
        "negotiator",
        "negotiators",
        "management",
        "prosecutor",
        "prosecutors",
    ]
)
# Plural classes and the one name under which they are kept.
GROUP_NAMES = {
    "federal agencies": ("federal agency", "federal agencies", "government agency", "government agencies", "agency heads",
        "federal departments", "u.s. agencies", "us agencies", "u.s. government agencies", "us government agencies",
        "u.s. government agency", "us government agency", "federal contractors and agencies", "executive departments"),
    "foreign nationals": ("foreign national", "foreign nationals", "foreign citizens", "non-u.s. nationals", "non-us nationals"),
    "AI developers": ("ai developers", "model developers", "ai model developers", "frontier developers", "large ai developers",
        "frontier ai developers", "frontier model developers", "developers of ai models"),
    "AI companies": ("ai companies", "ai firms", "ai labs", "artificial intelligence companies"),
    "defense contractors": ("defense contractors", "military contractors", "defence contractors"),
}  # fmt: skip
GROUP_OF = {said: name for name, sayings in GROUP_NAMES.items() for said in sayings}
